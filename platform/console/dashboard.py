"""The first page: every bot, what it has earned, and whether anybody looks after it."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from bots.admin.spread_bot import state_badge
from bots.selectors import BotRow, Total, bot_rows, totals, worker_warning
from exchanges.admin.cells import NOTHING, age_cell, number
from exchanges.admin.connection import mode_badge


def add_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    may_view = request.user.has_perm("bots.view_spreadbot")
    rows = bot_rows() if may_view else []
    desk = {
        "may_view": may_view,
        "rows": [_row(row) for row in rows],
        "totals": [_total(total) for total in totals(rows)],
    }
    return context | {"title": "Overview", "desk": desk, "worker_warning": worker_warning()}


def _row(row: BotRow) -> dict[str, Any]:
    bot, figures = row.bot, row.figures
    return {
        "url": reverse("admin:bots_spreadbot_change", args=[bot.pk]),
        "name": bot.name,
        "state": state_badge(bot),
        "mode": mode_badge(bot.connection),
        "market": f"{bot.symbol} at {bot.connection}",
        "position": number(figures.holding.amount),
        "realised": f"{number(figures.holding.realised_profit)} {row.quote}",
        "unrealised": f"{number(figures.unrealised_profit)} {row.quote}",
        "trades": row.trades,
        "cycle_age": age_cell(bot.last_cycle_at),
        "reason": row.decision.reason if row.decision else NOTHING,
    }


def _total(total: Total) -> dict[str, Any]:
    return {
        "mode": total.mode.capitalize(),
        "currency": total.currency,
        "bots": total.bots,
        "realised": number(total.realised_profit),
        "unrealised": number(total.unrealised_profit),
    }
