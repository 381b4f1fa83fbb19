"""The last step of a cycle: intents are committed, then requests leave; cancels go by id.

An answer that does not come makes an order `unknown`, never a second request. `observe` looks it up.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bots.engine import ledger
from bots.engine.account import Account, ref_of
from bots.engine.clock import utc_now
from bots.engine.testimony import check_report
from bots.lifecycle import OrderState, advance, apply_report
from bots.models import Bot, BotEvent, Order, RoundTrip, Severity
from bots.models.order import new_client_id
from bots.strategies.base import Quote
from exchanges.errors import (
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    Rule,
    VenueError,
)
from exchanges.gateway import NotLicensedError
from exchanges.types import OrderReport, OrderRequest, OrderType, Side, TimeInForce

# After these the venue may have done what was asked; after any other error it certainly has not.
MAY_BE_DONE = (OutcomeUnknownError, MalformedAnswerError)

Answer = TypeVar("Answer")


@dataclass(frozen=True, kw_only=True)
class Placed:
    """refusals: those that the operator should hear of."""

    orders: Sequence[Order] = ()
    refusals: Sequence[VenueError] = ()


async def place(
    account: Account, bot: Bot, symbol: str, quotes: Sequence[Quote], *, trip: RoundTrip | None = None
) -> Placed:
    """Places each quote as one order; trip: the round trip that they open, where it is not saved yet, or
    close.

    Raises LeaseLostError, NotLicensedError or BotNotRunningError when the right to act has ended; nothing
    was sent then.
    """
    if not quotes:
        return Placed()
    orders = [_intend(account, bot, symbol, quote) for quote in quotes]
    account.lease.check()
    await account.database.run(ledger.save_intents, account.lease, bot, orders, trip=trip)
    account.hold(orders)
    if trip is not None:
        account.trips.setdefault(trip.pk, trip)
    sent_at = utc_now()
    answers = await _all(account.gateway.place(_request(order)) for order in orders)
    for order in orders:
        order.submitted_at = sent_at
    failures = [_placed(account, order, answer) for order, answer in zip(orders, answers, strict=True)]
    await _save(account, orders, _unknown_events(account, orders, "placed"))
    _raise_if_unlicensed(answers)
    return Placed(orders=orders, refusals=[failure for failure in failures if failure])


def _intend(account: Account, bot: Bot, symbol: str, quote: Quote) -> Order:
    return Order(
        client_id=new_client_id(),
        connection_id=account.lease.connection_id,
        bot_id=bot.pk,
        fence=account.lease.fence,
        symbol=symbol,
        side=quote.side,
        type=quote.type,
        time_in_force=TimeInForce.GTC,
        post_only=quote.post_only,
        price=quote.price if quote.type is OrderType.LIMIT else None,
        amount=quote.amount,
        level=quote.level,
        created_at=utc_now(),
    )


def _request(order: Order) -> OrderRequest:
    return OrderRequest(
        client_id=order.client_id,
        symbol=order.symbol,
        side=Side(order.side),
        type=OrderType(order.type),
        amount=order.amount,
        price=order.price,
        post_only=order.post_only,
        time_in_force=TimeInForce(order.time_in_force),
    )


def _placed(account: Account, order: Order, answer: OrderReport | BaseException) -> VenueError | None:
    """Writes what the answer to a create means; the refusal that counts against the bot, if it is one."""
    answer = _believed(account, order, answer)
    facts = ledger.facts_of(order)
    now = utc_now()
    if isinstance(answer, NotLicensedError):
        order.submitted_at = None
        order.reason = "not sent: the lease had run out"
        ledger.write_facts(order, advance(facts, OrderState.NEVER_PLACED), at=now)
        return None
    submitted = advance(facts, OrderState.SUBMITTED)
    if isinstance(answer, OrderReport):
        ledger.write_facts(order, apply_report(submitted, answer), at=now)
        return None
    if not isinstance(answer, VenueError):
        raise answer
    order.reason = answer.sentence
    if isinstance(answer, MAY_BE_DONE) or _breaks(answer, Rule.DUPLICATE):
        # A duplicate of a client id that is sent once: somebody on the way repeated it, and it is there.
        ledger.write_facts(order, advance(submitted, OrderState.UNKNOWN), at=now)
        return None
    ledger.write_facts(order, advance(submitted, OrderState.REJECTED), at=now)
    # A post-only order that would have crossed: the market moved meanwhile, nobody did wrong.
    return None if _breaks(answer, Rule.POST_ONLY) else answer


def _believed(account: Account, order: Order, answer: Answer) -> Answer | MalformedAnswerError:
    """The answer, or what is wrong with it where it contradicts the order."""
    if isinstance(answer, OrderReport):
        try:
            check_report(account, order, answer)
        except MalformedAnswerError as error:
            return error
    return answer


def _breaks(error: VenueError, rule: Rule) -> bool:
    return isinstance(error, InvalidOrderError) and error.rule is rule


async def cancel(account: Account, orders: Collection[Order]) -> None:
    """Asks for each order's cancel by id, and for how it ended.

    Afterwards an order is canceled, or filled, or still open with its cancel requested, or unknown.
    """
    if not orders:
        return
    account.lease.check()
    now = utc_now()
    for order in orders:
        order.cancel_requested_at = now
    answers = await _all(account.gateway.cancel(ref_of(order)) for order in orders)
    to_ask = [
        order
        for order, answer in zip(orders, answers, strict=True)
        if _canceled(order, _believed(account, order, answer))
    ]
    reports = await _all(account.gateway.fetch_order(ref_of(order)) for order in to_ask)
    for order, answer in zip(to_ask, reports, strict=True):
        report = _believed(account, order, answer)
        if isinstance(report, OrderReport):
            _apply(order, report)
    await _save(account, orders, _unknown_events(account, orders, "canceled"))
    _raise_if_unlicensed(answers)


def _canceled(order: Order, answer: OrderReport | BaseException | None) -> bool:
    """Writes what the answer to a cancel means; True where the order must be asked for."""
    if isinstance(answer, OrderReport):
        _apply(order, answer)
        return False
    if answer is None or isinstance(answer, OrderNotFoundError):
        return True
    if not isinstance(answer, (VenueError, NotLicensedError)):
        raise answer
    order.reason = str(answer)
    if isinstance(answer, MAY_BE_DONE):
        ledger.write_facts(order, advance(ledger.facts_of(order), OrderState.UNKNOWN), at=utc_now())
    else:
        order.cancel_requested_at = None
    return False


def _apply(order: Order, report: OrderReport) -> None:
    ledger.write_facts(order, apply_report(ledger.facts_of(order), report), at=utc_now())


async def _all(requests: Iterable[Awaitable[Answer]]) -> list[Answer | BaseException]:
    """All answers, errors among them; a cancellation of the caller cancels them all."""
    results: list[Any] = await asyncio.gather(*requests, return_exceptions=True)
    return results


async def _save(account: Account, orders: Collection[Order], events: Collection[BotEvent]) -> None:
    await account.database.run(ledger.save_orders, account.lease, orders, events=events)
    account.hold(orders)


def _unknown_events(account: Account, orders: Iterable[Order], done: str) -> list[BotEvent]:
    return [
        account.event(
            "order_unknown",
            f"{order}: it is not known whether it was {done} ({order.reason}). "
            "It is looked up, not sent again.",
            at=utc_now(),
            order=order,
            severity=Severity.WARNING,
        )
        for order in orders
        if order.state == OrderState.UNKNOWN
    ]


def _raise_if_unlicensed(answers: Iterable[object]) -> None:
    for answer in answers:
        if isinstance(answer, NotLicensedError):
            raise answer
