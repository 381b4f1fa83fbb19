"""A scalper's cycle: its open positions first, then where it may open others, then what it says of both."""

from __future__ import annotations

from collections.abc import Sequence

from bots.engine import ledger, submit, trips
from bots.engine.account import Account
from bots.engine.clock import uptime, utc_now
from bots.engine.funds import Funds
from bots.engine.opening import Opened, open_positions
from bots.engine.record import mark, record
from bots.engine.scalping_sheet import ScalpingSheet
from bots.engine.tending import Tended, tell_trouble, tend
from bots.lifecycle import OrderState
from bots.models import BotState, Position, RoundTrip, Severity
from bots.strategies.base import Decision
from exchanges.errors import OF_THE_CONNECTION, VenueError

SHOWN = 5  # sentences of a decision
KEEP_PLACE_SECONDS = 300.0


async def scalp(account: Account, sheet: ScalpingSheet, funds: Funds) -> None:
    """Raises VenueError where the connection cannot be used; what concerns only this bot is its decision."""
    await _cancel_what_turned_up(account, sheet)
    before = account.trips_of(sheet.bot.pk)
    tended = await _tend_each(account, sheet, before, funds)
    opened = await open_positions(account, sheet, funds) if sheet.is_running else Opened()
    tended |= await _tend_each(account, sheet, _filled_at_once(account, sheet, before), funds)
    sheet.reasons |= opened.reasons
    decision = Decision(
        reason=_reason(sheet, list(tended.values())),
        quotes=(*(quote for each in tended.values() for quote in each.quotes), *opened.quotes),
    )
    refusals = [refusal for each in tended.values() for refusal in each.refusals] + opened.refusals
    await record(account, sheet, decision, refusals, _marked(account, sheet, tended))
    await _keep_place(account, sheet)
    await _tell_of_the_scan(account, sheet)


async def _cancel_what_turned_up(account: Account, sheet: ScalpingSheet) -> None:
    """The orders of round trips that have ended: the venue had denied them. A trip of which more turns out to
    have filled is at work again."""
    resting = [order for order in account.orders_of(sheet.bot.pk) if order.state == OrderState.OPEN]
    late = [order for order in resting if order.round_trip_id not in account.trips]
    await submit.cancel(account, [order for order in late if order.cancel_requested_at is None])


async def _tend_alone(account: Account, sheet: ScalpingSheet, trip: RoundTrip, funds: Funds) -> Tended:
    """What is wrong with one market is that market's: the other positions do not wait for it."""
    try:
        return await tend(account, sheet, trip, funds)
    except OF_THE_CONNECTION:
        raise
    except VenueError as error:
        await tell_trouble(account, sheet, trip, "stood_aside", f"{trip.symbol}: {error.sentence}")
        return Tended(reason=f"{trip.symbol}: {error.sentence}")


async def _tend_each(
    account: Account, sheet: ScalpingSheet, known: Sequence[RoundTrip], funds: Funds
) -> dict[str, Tended]:
    """By symbol."""
    tended = {}
    for each in known:
        trip = account.trips.get(each.pk)  # what was done for another may have counted trades of this one
        if trip is not None:
            tended[trip.symbol] = await _tend_alone(account, sheet, trip, funds)
    return tended


def _filled_at_once(
    account: Account, sheet: ScalpingSheet, before: Sequence[RoundTrip]
) -> Sequence[RoundTrip]:
    """Of those that were opened just now: their exits do not wait for the next look at the account, which
    the venue may refuse."""
    known = {trip.pk for trip in before}
    return [trip for trip in account.trips_of(sheet.bot.pk) if trip.pk not in known and trip.entered]


def _marked(account: Account, sheet: ScalpingSheet, tended: dict[str, Tended]) -> list[Position]:
    return [
        mark(account.position(sheet.bot.pk, symbol), each.mid, utc_now()) for symbol, each in tended.items()
    ]


async def _keep_place(account: Account, sheet: ScalpingSheet) -> None:
    """Where a scan of many markets is, now and then: the next worker goes on there."""
    if not sheet.scan_place or uptime() - sheet.place_kept_at < KEEP_PLACE_SECONDS:
        return
    sheet.place_kept_at = uptime()
    event = account.event("scanning", f"{_sentence(sheet)}.", at=utc_now(), bot_id=sheet.bot.pk)
    await account.database.run(trips.keep_place, account.lease, sheet.bot.pk, sheet.scan_place, event)


async def _tell_of_the_scan(account: Account, sheet: ScalpingSheet) -> None:
    trouble, sheet.scan_trouble = sheet.scan_trouble, ""
    if trouble:
        text = f"The scan of markets failed, and is tried again; open positions are looked after. {trouble}"
        event = account.event("scan_failed", text, at=utc_now(), bot_id=sheet.bot.pk, severity=Severity.ERROR)
        await account.database.run(ledger.save_event, event)


def _sentence(sheet: ScalpingSheet) -> str:
    return f"{sheet.scan_sentence[:1].upper()}{sheet.scan_sentence[1:]}"


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
    said = [f"{_sentence(sheet).rstrip('.')}."] if sheet.scan_sentence else ["It begins to look at markets."]
    if sheet.unknown:
        said.append(f"Not there: {', '.join(sheet.unknown[:SHOWN])}.")
    if len(sheet.watched) == 1 and sheet.watched[0] in sheet.reasons:
        reason = sheet.reasons[sheet.watched[0]]
        said.append(f"{sheet.watched[0]}: {reason.rstrip('.')}.")
    return said
