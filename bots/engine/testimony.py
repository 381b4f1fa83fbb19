"""What a venue says of an order of ours, held against what we know of it ourselves.

We know what we sent: the market, the side, the amount. An answer that contradicts it is no news but a broken
answer: nothing of it is booked, and the venue is asked again.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bots.engine.account import Account
from bots.models import Order
from exchanges.errors import MalformedAnswerError
from exchanges.types import ZERO, OrderReport, TradeReport

# No clock is that wrong, and no order that old is still asked for.
CLOCK_SLACK = timedelta(days=7)


def check_report(account: Account, order: Order, report: OrderReport) -> None:
    """Raises MalformedAnswerError where the report cannot be of this order."""
    found = _contradiction(order, report)
    if not found and not order.venue_id:
        namesake = account.by_venue_id(report.symbol, report.venue_id)
        found = "it has the number of another order" if namesake not in (None, order) else ""
    if found:
        raise _malformed(account, order, found)


def check_fills(account: Account, fills: Sequence[tuple[Order, TradeReport]], now: datetime) -> None:
    """Raises MalformedAnswerError where one of the trades cannot be of its order."""
    for order, report in fills:
        if report.side != order.side:
            raise _malformed(account, order, f"it traded as a {report.side} order")
        if not ZERO < report.amount <= order.amount:
            raise _malformed(account, order, f"a single trade of it was {report.amount:f}")
        if min(report.price, report.cost) <= 0:
            raise _malformed(account, order, f"it traded at {report.price:f} for {report.cost:f}")
        if not order.created_at - CLOCK_SLACK <= report.time <= now + CLOCK_SLACK:
            raise _malformed(account, order, f"it traded at {report.time:%Y-%m-%d %H:%M}")


def _contradiction(order: Order, report: OrderReport) -> str:
    if report.symbol != order.symbol:
        return f"it is an order in {report.symbol}"
    if report.side != order.side:
        return f"it is a {report.side} order"
    if report.amount != order.amount:
        return f"its amount is {report.amount:f}"
    if not ZERO <= report.filled <= order.amount:
        return f"{report.filled:f} of it is filled"
    if report.average is not None and report.average <= 0:
        return f"it filled at {report.average:f}"
    if order.venue_id and report.venue_id != order.venue_id:
        return "it has another number than before"
    return ""


def _malformed(account: Account, order: Order, what: str) -> MalformedAnswerError:
    return MalformedAnswerError(
        f"{account.name} says of {order} that {what}, which contradicts what was sent. Nothing of this is "
        "booked; it is asked again.",
        connection=account.name,
    )
