"""The parts of a bot's page that renew themselves: book, charts, what changed of its settings."""

from __future__ import annotations

from typing import Any

from audit.admin import changes_of
from audit.models import AuditEntry
from bots.history import Series, market_history, profit_of_bot
from bots.markets import ShownBook, inventory, shown_book
from bots.models import AnyBot, Order, SpreadBot
from exchanges.admin.cells import NOTHING, Table, age_cell, figure, number, table

CHANGE_HEADERS = ["When", "Who", "From what to what"]
SHOWN_CHANGES = 5
PRICES_COME = "No price is kept of this market yet: one comes each minute while a bot is at work in it."


def book_context(bot: AnyBot, symbol: str) -> dict[str, Any]:
    orders = Order.objects.current().live().filter(bot=bot, symbol=symbol)
    book = shown_book(bot, symbol, orders)
    return {
        "symbol": symbol,
        "book": book,
        "book_age": age_cell(book.seen_at) if book.seen_at else "",
        "mid": figure(book.mid),
        "spread": NOTHING if book.spread_pct is None else f"{number(round(book.spread_pct * 100, 3))} %",
        "ladder": _ladder(book),
        "inventory": _inventory(bot) if isinstance(bot, SpreadBot) else None,
    }


def changes_table(bot: AnyBot) -> Table | None:
    """What people changed of its settings last; None where nobody did."""
    entries = AuditEntry.objects.filter(
        target_type=bot._meta.label_lower, target_id=str(bot.pk), action="bot.updated"
    ).select_related("actor")[:SHOWN_CHANGES]
    rows = [(age_cell(entry.at), str(entry.actor or "the desk"), changes_of(entry)) for entry in entries]
    return table("Changes of its settings", CHANGE_HEADERS, rows) if rows else None


def market_chart(bot: AnyBot, symbol: str) -> dict[str, Any]:
    history = market_history(bot, symbol)
    return {
        "prices": [[at, number(price)] for at, price in history.prices],
        "fills": [
            {"time": int(fill.time.timestamp()), "side": fill.side, "price": number(fill.price)}
            for fill in history.fills
        ],
        "orders": [
            {"side": order.side, "price": number(order.price), "level": order.level}
            for order in history.orders
            if order.price is not None
        ],
        "empty": "" if history.prices else PRICES_COME,
    }


def profit_chart(bot: AnyBot) -> dict[str, Any]:
    return chart_lines(profit_of_bot(bot), "It has not traded yet.")


def chart_lines(series: list[Series], when_empty: str) -> dict[str, Any]:
    """Decimals as text: what is drawn of them is the browser's."""
    lines = [
        {"title": one.title, "points": [[at, number(value)] for at, value in one.points]} for one in series
    ]
    return {"lines": lines, "empty": "" if lines else when_empty}


def _ladder(book: ShownBook) -> list[dict[str, Any]]:
    """Rows of a bid and an ask, the best on top."""
    rows = max(len(book.bids), len(book.asks))
    sides = (("bid", book.bids), ("ask", book.asks))
    return [
        {
            name: {
                "price": number(levels[place].price),
                "amount": figure(levels[place].amount),
                "own": number(levels[place].own) if levels[place].own else "",
                "share": f"{levels[place].share:.0%}",
            }
            for name, levels in sides
            if place < len(levels)
        }
        for place in range(rows)
    ]


def _inventory(bot: SpreadBot) -> dict[str, str] | None:
    found = inventory(bot)
    if found is None:
        return None
    target = "" if found.target is None else f"{found.target:.0%}"
    return {"share": f"{found.share:.1%}", "width": f"{found.share:.0%}", "target": target}
