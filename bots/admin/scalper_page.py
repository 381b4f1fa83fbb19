"""What a scalper's page shows: its open positions, what came of the last ones, and what it is kept from."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from bots.admin.bot_page import decision_tables, page_of, record_tables
from bots.admin.records import side_badge
from bots.admin.round_trip import lasted, percentage, trip_badge, why_closed
from bots.models import RoundTrip, ScalperBot
from bots.previews.exits import EntryPreview, preview_exits
from bots.round_trips import OpenTrip, TripsPage, trips_page
from bots.selectors import BotPage, Profit, bot_page
from bots.strategies.protections import Lock, quote_of
from exchanges.admin.cells import NOTHING, Number, Table, age_cell, figure, number, table

OPEN_HEADERS = [
    "Opened", "Market", "Side", "State", Number("Held"), Number("Entry average"),
    Number("Mark price"), Number("Unrealised"), Number("Trailing stop"), "Closing", Number("Tries"),
]  # fmt: skip
LAST_HEADERS = [
    "Closed", "Market", "Side", Number("Amount"), Number("Profit"), Number("%"), Number("Lasted"),
    "Why opened", "Why closed",
]  # fmt: skip
LOCK_HEADERS = ["Market", "Until", "Why"]
PREVIEW_HEADERS = [
    "Market", "Side", Number("Entry"), Number("Amount"), Number("Stop loss"), Number("Take profit"),
    Number("Trailing from"),
]  # fmt: skip


def scalper_page(bot: ScalperBot) -> dict[str, Any]:
    page, trips = bot_page(bot), trips_page(bot, now=timezone.now())
    return page_of(page) | {
        "facts": _facts(bot, page),
        "tables": [
            table("Open positions", OPEN_HEADERS, map(_open, trips.open)),
            *_locks(trips),
            *decision_tables(page, "Its orders"),
            table("Last round trips", LAST_HEADERS, map(_last, trips.last)),
            *record_tables(page, with_symbol=True),
        ],
    }


def scalper_preview(bot: ScalperBot) -> dict[str, Any]:
    preview = preview_exits(bot)
    return {
        "preview": preview,
        "preview_title": "Preview: where its exits would stand if it entered now",
        "preview_table": table("", PREVIEW_HEADERS, map(_entry, preview.entries)),
    }


def profit_figures(profits: dict[str, Profit], kind: str) -> SafeString:
    """One a quote currency. kind: realised, unrealised or total."""
    figures = ((figure(getattr(profit, kind), quote, is_profit=True),) for quote, profit in profits.items())
    return format_html_join(", ", "{}", figures)


def _facts(bot: ScalperBot, page: BotPage) -> list[tuple[str, Any]]:
    profits = page.row.profits
    return [
        ("Last cycle", age_cell(bot.last_cycle_at)),
        ("Markets", bot.market_words),
        ("Open positions", f"{page.row.open_trips} of {bot.most_positions}"),
        ("Realised profit", profit_figures(profits, "realised")),
        ("Unrealised profit", profit_figures(profits, "unrealised")),
        ("Trades in 24 h", page.row.trades),
        ("Live orders", page.row.live_orders),
    ]


def _locks(trips: TripsPage) -> list[Table]:
    return [table("Locked now", LOCK_HEADERS, map(_lock, trips.locks))] if trips.locks else []


def _lock(lock: Lock) -> tuple[Any, ...]:
    where = lock.symbol or (f"All in {lock.quote}" if lock.quote else "All")
    return where, f"{lock.until:%Y-%m-%d %H:%M:%S} UTC", f"{lock.reason[:1].upper()}{lock.reason[1:]}."


def _entry(entry: EntryPreview) -> tuple[Any, ...]:
    return (
        entry.symbol, side_badge(entry.side), number(entry.entry), number(entry.amount),
        figure(entry.stop_loss), figure(entry.take_profit), figure(entry.trailing_from),
    )  # fmt: skip


def _open(row: OpenTrip) -> tuple[Any, ...]:
    trip, quote = row.trip, quote_of(row.trip.symbol)
    return (
        age_cell(trip.opened_at or trip.created_at), trip.symbol, side_badge(trip.side), trip_badge(trip),
        number(trip.amount), figure(trip.entry_average, quote), figure(row.mark_price, quote),
        figure(row.unrealised_profit, quote, is_profit=True), figure(trip.trailing_stop, quote),
        trip.get_closing_display() or NOTHING, trip.closing_tries,
    )  # fmt: skip


def _last(trip: RoundTrip) -> tuple[Any, ...]:
    return (
        age_cell(trip.closed_at), trip.symbol, side_badge(trip.side), number(trip.entered),
        figure(trip.realised_profit, quote_of(trip.symbol), is_profit=True), percentage(trip),
        lasted(trip.duration), trip.opened_because or NOTHING, why_closed(trip),
    )  # fmt: skip
