"""What a cycle leaves behind for people: its decision, and at which prices its positions are valued."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from bots.accounting import total_profit
from bots.engine import ledger
from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.engine.limits import Refusal
from bots.engine.sheet import Sheet
from bots.models import Decision as DecisionRow
from bots.models import Position
from bots.strategies.base import Decision, Quote
from vault.redaction import redact

MARK_EVERY_SECONDS = 10.0
WORDS = 2  # of what is written, the first ones: the reason and the price that it was measured by


def unforeseen(error: BaseException) -> str:
    """What people read of an error that nobody expected; the log has the rest."""
    return f"Internal error ({type(error).__name__}): {redact(str(error))}"


def mark(position: Position, price: Decimal | None, now: datetime) -> Position:
    """The position valued at this price (None: the last one), and its profit as the UTC day began."""
    price = position.mark_price if price is None else price
    position.mark_price, position.marked_at = price, now
    if price is not None and position.day != now.date():
        position.day = now.date()
        position.day_start_profit = total_profit(position.holding, price)
    return position


async def record(
    account: Account,
    sheet: Sheet,
    decision: Decision,
    refusals: Iterable[Refusal],
    positions: Iterable[Position],
) -> None:
    """Nothing changed, nothing written; but a mark is not left to age: `keep_marks` writes it.

    What a moving price changes of the words alone is written by the clock, not at each of its moves.
    decision.quotes: the allowed ones.
    """
    row = DecisionRow(
        bot_id=sheet.bot.pk,
        reason=decision.reason,
        reference_price=decision.reference_price,
        quotes=[_quote_row(quote) for quote in decision.quotes],
        refusals=[_refusal_row(refusal) for refusal in refusals],
        at=utc_now(),
    )
    positions = list(positions)
    days = (position.day for position in positions)
    written = (row.reason, row.reference_price, row.quotes, row.refusals, *days)
    is_talk = sheet.is_nudged and written[WORDS:] == sheet.written[WORDS:]
    if written != sheet.written and not is_talk:
        await account.database.run(ledger.save_decision, account.lease, row, positions)
        sheet.written, sheet.marked_at, sheet.marks = written, uptime(), ()
    elif uptime() - sheet.marked_at >= MARK_EVERY_SECONDS:
        sheet.marks = positions


async def keep_marks(account: Account, sheets: Iterable[Sheet]) -> None:
    """Of the bots whose cycle was in this round, in one transaction."""
    marked = [sheet for sheet in sheets if sheet.marks]
    if not marked:
        return
    positions = [position for sheet in marked for position in sheet.marks]
    await account.database.run(ledger.save_marks, account.lease, positions, at=utc_now())
    for sheet in marked:
        sheet.marks, sheet.marked_at = (), uptime()


def _quote_row(quote: Quote) -> dict[str, str]:
    where = {"symbol": quote.symbol} if quote.symbol else {}
    return where | {
        "side": quote.side,
        "price": f"{quote.price:f}",
        "amount": f"{quote.amount:f}",
        "level": quote.level,
    }


def _refusal_row(refusal: Refusal) -> dict[str, str]:
    return _quote_row(refusal.quote) | {"rule": refusal.rule, "sentence": refusal.sentence}
