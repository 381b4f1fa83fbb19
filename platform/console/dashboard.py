"""The first page: every bot, what it has earned, and whether anybody looks after it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bots.admin.bot import state_badge
from bots.admin.records import side_badge
from bots.admin.scalper_page import profit_figures
from bots.models import KINDS, AnyBot, ScalperBot, Trade
from bots.overview import Total, desk
from bots.selectors import BotRow, broker_warning, figures_of, last_trades, worker_warning
from exchanges.admin.cells import age_cell, figure, number
from exchanges.admin.connection import mode_badge
from exchanges.admin.health import HEADERS, health_row
from exchanges.selectors import single_exchange_warning, worst_health

RENEWED_AFTER_SECONDS = 10
HEALTH_ROWS = 20
TRADE_HEADERS = ["Age", "Bot", "Mode", "Market", "Side", "Price", "Amount", "Realised profit"]


def add_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    seen = [kind for kind in KINDS if request.user.has_perm(f"bots.view_{kind._meta.model_name}")]
    found = desk(request.user, seen)
    may_view_trades = request.user.has_perm("bots.view_trade")
    trades = [_trade(trade) for trade in last_trades(request.user)] if may_view_trades else []
    shown = {
        "now": timezone.now(),
        "renewed_after_seconds": RENEWED_AFTER_SECONDS,
        "may_view": bool(seen),
        "rows": [_row(row) for row in found.rows],
        "bots": found.bots,
        "lists": [_list_of(kind) for kind in seen],
        "totals": [_total(total) for total in found.totals],
        "trades": {"title": "Last trades", "headers": TRADE_HEADERS, "rows": trades} if trades else None,
    }
    sees_connections = request.user.has_perm("exchanges.view_exchangeconnection")
    shown["health"] = _health(request) if sees_connections else None
    return context | {
        "title": "Overview",
        "desk": shown,
        "worker_warning": worker_warning(request.user),
        "broker_warning": broker_warning(),
        "single_exchange_warning": single_exchange_warning(request.user) if sees_connections else "",
    }


def _health(request: HttpRequest) -> dict[str, Any] | None:
    """None before a worker looked at any connection."""
    rows = worst_health(request.user, HEALTH_ROWS)
    title = f"Connections, the {HEALTH_ROWS} in worst health" if len(rows) == HEALTH_ROWS else "Connections"
    return {"title": title, "headers": HEADERS, "rows": [health_row(row) for row in rows]} if rows else None


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
    figures = row.positions.get(row.bot.symbol, figures_of(None))
    return figure(figures.holding.amount, row.bot.symbol.partition("/")[0])


def _trade(trade: Trade) -> tuple[Any, ...]:
    return (
        age_cell(trade.time), trade.bot.name,
        mode_badge(trade.connection, is_dry_run=trade.is_dry_run), trade.symbol, side_badge(trade.side),
        number(trade.price), number(trade.amount),
        figure(trade.realised_profit, is_profit=True),
    )  # fmt: skip


def _total(total: Total) -> dict[str, Any]:
    return {
        "mode": total.mode.capitalize(),
        "currency": total.currency,
        "bots": total.bots,
        "profit": figure(total.profit.total, total.currency, is_profit=True),
        "realised": figure(total.profit.realised, total.currency, is_profit=True),
        "unrealised": figure(total.profit.unrealised, total.currency, is_profit=True),
    }
