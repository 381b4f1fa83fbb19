"""What a spread bot's page shows: its quotes, its position, and what it would quote with other settings."""

from __future__ import annotations

from typing import Any

from bots.admin.bot_page import (
    QUOTE_HEADERS,
    decision_tables,
    page_of,
    quote_cells,
    record_tables,
)
from bots.models import SpreadBot
from bots.previews.quotes import preview_quotes
from bots.selectors import BotPage, bot_page, figures_of
from exchanges.admin.cells import age_cell, figure, table


def spread_page(bot: SpreadBot) -> dict[str, Any]:
    page = bot_page(bot)
    return page_of(page) | {
        "facts": _facts(bot, page),
        "tables": [*decision_tables(page, "Its quotes"), *record_tables(page)],
    }


def spread_preview(bot: SpreadBot) -> dict[str, Any]:
    preview = preview_quotes(bot)
    would_quote = preview.decision.quotes if preview.decision else ()
    return {
        "preview": preview,
        "preview_title": "Preview: what it would quote now with the saved settings",
        "preview_table": table("", QUOTE_HEADERS, map(quote_cells, would_quote)),
    }


def _facts(bot: SpreadBot, page: BotPage) -> list[tuple[str, Any]]:
    """Name and value of what stands at the top."""
    figures = page.row.positions.get(bot.symbol, figures_of(None))
    base, quote = bot.symbol.partition("/")[0], bot.quotes[0]
    return [
        ("Last cycle", age_cell(bot.last_cycle_at)),
        ("Position", figure(figures.holding.amount, base)),
        ("Average cost", figure(figures.holding.average, quote)),
        ("Mark price", figure(figures.mark_price, quote)),
        ("Realised profit", figure(figures.holding.realised_profit, quote, is_profit=True)),
        ("Unrealised profit", figure(figures.unrealised_profit, quote, is_profit=True)),
        ("Trades in 24 h", page.row.trades),
        ("Live orders", page.row.live_orders),
    ]
