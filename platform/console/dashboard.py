"""The first page: every bot, what it has earned, and whether anybody looks after it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone

from bots.admin.records import side_badge
from bots.admin.spread_bot import state_badge
from bots.models import Trade
from bots.selectors import BotRow, Total, bot_rows, last_trades, totals, worker_warning
from exchanges.admin.cells import age_cell, figure, number
from exchanges.admin.connection import mode_badge
from exchanges.selectors import single_exchange_warning

RENEWED_AFTER_SECONDS = 10
TRADE_HEADERS = ["Age", "Bot", "Mode", "Market", "Side", "Price", "Amount", "Realised profit"]


def add_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    may_view = request.user.has_perm("bots.view_spreadbot")
    rows = bot_rows() if may_view else []
    may_view_trades = request.user.has_perm("bots.view_trade")
    trades = [_trade(trade) for trade in last_trades()] if may_view_trades else []
    desk = {
        "now": timezone.now(),
        "renewed_after_seconds": RENEWED_AFTER_SECONDS,
        "may_view": may_view,
        "rows": [_row(row) for row in rows],
        "totals": [_total(total) for total in totals(rows)],
        "trades": {"title": "Last trades", "headers": TRADE_HEADERS, "rows": trades} if trades else None,
    }
    sees_connections = request.user.has_perm("exchanges.view_exchangeconnection")
    return context | {
        "title": "Overview",
        "desk": desk,
        "worker_warning": worker_warning(),
        "single_exchange_warning": single_exchange_warning() if sees_connections else "",
    }


def _row(row: BotRow) -> dict[str, Any]:
    bot, figures = row.bot, row.figures
    return {
        "url": reverse("admin:bots_spreadbot_change", args=[bot.pk]),
        "name": bot.name,
        "state": state_badge(bot),
        "mode": mode_badge(bot.connection),
        "market": f"{bot.symbol} at {bot.connection}",
        "position": figure(figures.holding.amount, row.base),
        "realised": figure(figures.holding.realised_profit, row.quote, is_profit=True),
        "unrealised": figure(figures.unrealised_profit, row.quote, is_profit=True),
        "trades": row.trades,
        "cycle_age": age_cell(bot.last_cycle_at),
        "doing": row.doing,
        "trouble": row.trouble if row.trouble != row.doing else "",
    }


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
        "profit": figure(total.profit, total.currency, is_profit=True),
        "realised": figure(total.realised_profit, total.currency, is_profit=True),
        "unrealised": figure(total.unrealised_profit, total.currency, is_profit=True),
    }
