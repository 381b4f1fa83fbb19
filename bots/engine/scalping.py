"""A scalper's cycle: its open positions first, then where it may open others, then what it says of both."""

from __future__ import annotations

from collections.abc import Sequence

from bots.engine.account import Account
from bots.engine.clock import utc_now
from bots.engine.funds import Funds
from bots.engine.opening import Opened, open_positions
from bots.engine.record import mark, record
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.tending import Tended, tend
from bots.models import BotState, Position
from bots.strategies.base import Decision

SHOWN = 5  # sentences of a decision


async def scalp(account: Account, sheet: ScalpingSheet, funds: Funds) -> None:
    """Raises VenueError where the connection cannot be used; what concerns only this bot is its decision."""
    sheet.raise_scan_error()
    tended = {}
    for trip in account.trips_of(sheet.bot.pk):
        tended[trip.symbol] = await tend(account, sheet, trip, funds)
    opened = await open_positions(account, sheet, funds) if sheet.is_running else Opened()
    sheet.reasons |= opened.reasons
    decision = Decision(
        reason=_reason(sheet, list(tended.values())),
        quotes=(*(quote for each in tended.values() for quote in each.quotes), *opened.quotes),
    )
    refusals = [refusal for each in tended.values() for refusal in each.refusals] + opened.refusals
    await record(account, sheet, decision, refusals, _marked(account, sheet, tended))


def _marked(account: Account, sheet: ScalpingSheet, tended: dict[str, Tended]) -> list[Position]:
    return [
        mark(account.position(sheet.bot.pk, symbol), each.mid, utc_now()) for symbol, each in tended.items()
    ]


def _reason(sheet: ScalpingSheet, tended: Sequence[Tended]) -> str:
    said = [each.reason for each in tended[:SHOWN]]
    if len(tended) > SHOWN:
        said.append(f"{len(tended) - SHOWN} more positions are open.")
    if sheet.bot.state == BotState.PAUSED:
        said.append("Paused: it closes what is open, and opens nothing.")
    elif sheet.is_running:
        said += _search(sheet)
    return " ".join(said) or "It holds nothing."


def _search(sheet: ScalpingSheet) -> list[str]:
    """Where it looks for an entry, and what it found where it looks at one market only."""
    sentence = sheet.scan_sentence
    said = [f"{sentence[:1].upper()}{sentence[1:]}."] if sentence else ["It begins to look at its markets."]
    if sheet.unknown:
        said.append(f"Not there: {', '.join(sheet.unknown[:SHOWN])}.")
    if len(sheet.watched) == 1 and sheet.watched[0] in sheet.reasons:
        reason = sheet.reasons[sheet.watched[0]]
        said.append(f"{sheet.watched[0]}: {reason.rstrip('.')}.")
    return said
