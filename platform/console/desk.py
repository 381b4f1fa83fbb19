"""The parts of the first page: what is wrong, the sums, the bots, the connections, trades and events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bots.admin.bot import state_badge
from bots.admin.bot_page import EVENT_HEADERS, event_row
from bots.admin.market_part import chart_lines
from bots.admin.records import side_badge
from bots.admin.scalper_page import profit_figures
from bots.history import equity_of_week, profit_of_day
from bots.models import KINDS, AnyBot, BotEvent, BotState, ScalperBot, Trade
from bots.overview import Figures, Seen, Total, bot_rows, figures, seen_by
from bots.selectors import (
    BotRow,
    broker_warning,
    figures_of,
    last_events,
    last_trades,
    worker_warning,
)
from console.part import Chart, Part
from exchanges.admin.cells import Number, Table, age_cell, figure, number, table
from exchanges.admin.connection import mode_badge
from exchanges.admin.health import HEADERS, health_row
from exchanges.health import State
from exchanges.models import ConnectionHealth
from exchanges.selectors import single_exchange_warning, worst_health

HEALTH_ROWS = 20
_SEEN = "desk_seen"
TRADE_HEADERS = [
    "Age", "Bot", "Mode", "Market", "Side", Number("Price"), Number("Amount"),
    Number("Realised profit"),
]  # fmt: skip
STATES = (BotState.RUNNING, BotState.PAUSED, BotState.STOPPING, BotState.STOPPED)


def anybody(request: HttpRequest) -> bool:
    return True


def kinds_seen(request: HttpRequest) -> list[type[AnyBot]]:
    return [kind for kind in KINDS if request.user.has_perm(f"bots.view_{kind._meta.model_name}")]


def sees_bots(request: HttpRequest) -> bool:
    return bool(kinds_seen(request))


def sees_connections(request: HttpRequest) -> bool:
    return request.user.has_perm("exchanges.view_exchangeconnection")


def _may(permission: str) -> Any:
    return lambda request: request.user.has_perm(permission)


# --- What is wrong


def trouble(request: HttpRequest) -> dict[str, Any]:
    """In words, the worst first, each with what to do."""
    health = worst_health(request.user, HEALTH_ROWS) if sees_connections(request) else []
    return {
        "now": timezone.now(),
        "worker_warning": worker_warning(request.user),
        "broker_warning": broker_warning(),
        "single_exchange_warning": single_exchange_warning(request.user) if sees_connections(request) else "",
        "broken": [_broken(row) for row in health if row.state != State.CLOSED or row.silent_since],
    }


def _broken(health: ConnectionHealth) -> dict[str, Any]:
    return {
        "url": reverse("admin:exchanges_exchangeconnection_change", args=[health.connection_id]),
        "name": str(health.connection),
        "age": age_cell(health.silent_since or health.unanswered_since or health.changed_at),
        "cause": health.cause,
        "is_silent": health.silent_since is not None,
    }


# --- The sums


def sums(request: HttpRequest) -> dict[str, Any]:
    found = figures(seen(request))
    sees_equity = request.user.has_perm("exchanges.view_balance")
    return {"totals": [_total(total, sees_equity) for total in found.totals], **_counts(found)}


def seen(request: HttpRequest) -> Seen:
    """Read once for the parts of a page that are rendered together."""
    found: Seen | None = getattr(request, _SEEN, None)
    if found is None:
        found = seen_by(request.user, kinds_seen(request))
        setattr(request, _SEEN, found)
    return found


def _counts(found: Figures) -> dict[str, Any]:
    return {
        "states": [(state.label, found.states.get(state, 0)) for state in STATES],
        "live_orders": found.orders,
    }


def _total(total: Total, sees_equity: bool) -> dict[str, Any]:
    return {
        "mode": total.mode.capitalize(),
        "is_live": total.mode == "live",
        "currency": total.currency,
        "bots": total.bots,
        "equity": figure(total.equity if sees_equity else None, total.currency),
        "unpriced": ", ".join(total.unpriced if sees_equity else ()),
        "today": figure(total.today, total.currency, is_profit=True),
        "profit": figure(total.profit.total, total.currency, is_profit=True),
        "realised": figure(total.profit.realised, total.currency, is_profit=True),
        "unrealised": figure(total.profit.unrealised, total.currency, is_profit=True),
    }


# --- The bots


def bots(request: HttpRequest) -> dict[str, Any]:
    found = bot_rows(seen(request))
    return {
        "now": timezone.now(),
        "bot_rows": [_row(row) for row in found.rows],
        "bot_count": found.bots,
        "lists": [_list_of(kind) for kind in kinds_seen(request)],
    }


def _list_of(kind: type[AnyBot]) -> dict[str, str]:
    meta = kind._meta
    url = reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist")
    return {"url": url, "name": str(meta.verbose_name_plural)}


def _row(row: BotRow) -> dict[str, Any]:
    bot = row.bot
    return {
        "url": reverse(f"admin:bots_{bot._meta.model_name}_change", args=[bot.pk]),
        "name": bot.name,
        "state": state_badge(bot),
        "mode": mode_badge(bot.connection),
        "market": f"{bot.market_words} at {bot.connection}",
        "position": _position(row),
        "realised": profit_figures(row.profits, "realised"),
        "unrealised": profit_figures(row.profits, "unrealised"),
        "trades": row.trades,
        "cycle_age": age_cell(bot.last_cycle_at),
        "doing": row.doing,
        "trouble": row.trouble if row.trouble != row.doing else "",
    }


def _position(row: BotRow) -> str:
    """Of one market what is held there; of many how many positions are open."""
    if isinstance(row.bot, ScalperBot):
        return f"{row.open_trips} open"
    found = row.positions.get(row.bot.symbol, figures_of(None))
    return figure(found.holding.amount, row.bot.symbol.partition("/")[0])


# --- Connections, trades, events


def connections(request: HttpRequest) -> dict[str, Any]:
    rows = worst_health(request.user, HEALTH_ROWS)
    title = f"Connections, the {HEALTH_ROWS} in worst health" if len(rows) == HEALTH_ROWS else "Connections"
    return {"health": table(title, HEADERS, map(health_row, rows)) if rows else None}


def trades(request: HttpRequest) -> dict[str, Any]:
    return {"trades": table("Last trades", TRADE_HEADERS, map(_trade, last_trades(request.user)))}


def _trade(trade: Trade) -> tuple[Any, ...]:
    return (
        age_cell(trade.time), trade.bot.name,
        mode_badge(trade.connection, is_dry_run=trade.is_dry_run), trade.symbol, side_badge(trade.side),
        number(trade.price), number(trade.amount),
        figure(trade.realised_profit, is_profit=True),
    )  # fmt: skip


def events(request: HttpRequest) -> dict[str, Any]:
    headers = [*EVENT_HEADERS[:2], "Where", *EVENT_HEADERS[2:]]
    return {"events": _events(headers, last_events(request.user))}


def _events(headers: list[str], rows: Iterable[BotEvent]) -> Table:
    def cells(event: BotEvent) -> tuple[Any, ...]:
        age, severity, *rest = event_row(event)
        return age, severity, str(event.bot or event.connection), *rest

    return table("Latest events", headers, map(cells, rows))


# --- Charts


def _profit(request: HttpRequest) -> dict[str, Any]:
    return chart_lines(profit_of_day(request.user), "No trade in the last 24 hours.")


def _equity(request: HttpRequest) -> dict[str, Any]:
    now = figures(seen_by(request.user)).totals
    return chart_lines(equity_of_week(request.user, now), "No balances were read in 7 days.")


CHARTS = (
    Chart(
        name="profit",
        title="Realised profit in 24 hours",
        may_see=_may("bots.view_trade"),
        data=_profit,
    ),
    Chart(
        name="equity",
        title="Equity in 7 days",
        may_see=_may("exchanges.view_balancesnapshot"),
        data=_equity,
    ),
)
PARTS = (
    Part(name="trouble", seconds=5, may_see=anybody, context=trouble),
    Part(name="sums", seconds=10, may_see=sees_bots, context=sums),
    Part(name="bots", seconds=10, may_see=sees_bots, context=bots),
    Part(name="connections", seconds=10, may_see=sees_connections, context=connections),
    Part(name="trades", seconds=10, may_see=_may("bots.view_trade"), context=trades),
    Part(name="events", seconds=10, may_see=_may("bots.view_botevent"), context=events),
)
