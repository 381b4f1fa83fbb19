"""What the desk was told, against what the venue knows: to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.errors import InvalidOrderError, Rule
from exchanges.types import Balance, Fee, OrderReport, TradeReport, VenueOrderStatus
from tests.lab.ledger import Holding
from tests.lab.orders import Fill, Order, State
from tests.spec.stands import Stand

ZERO = Decimal(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# An order that was cut off by its time in force is canceled in some venues' words.
STATUSES = {
    State.OPEN: {VenueOrderStatus.OPEN},
    State.FILLED: {VenueOrderStatus.FILLED},
    State.CANCELED: {VenueOrderStatus.CANCELED},
    State.EXPIRED: {VenueOrderStatus.EXPIRED, VenueOrderStatus.CANCELED},
}


def same_order(report: OrderReport, order: Order) -> None:
    assert report.status in STATUSES[order.state]
    assert (report.client_id, report.symbol, report.side.value) == (
        order.client_id,
        order.symbol,
        order.side.value,
    )
    assert (report.amount, report.price, report.filled) == (order.amount, order.price, order.filled)
    assert report.average == (order.cost / order.filled if order.filled else None)


def same_trades(trades: Iterable[TradeReport], fills: Iterable[Fill], stand: Stand) -> None:
    """Each fill once, oldest first, whatever the venue calls it."""
    told = list(trades)
    assert [_figures_told(trade) for trade in told] == [_figures(fill, stand) for fill in fills]
    assert len({trade.id for trade in told}) == len(told)


def _figures_told(trade: TradeReport) -> tuple[object, ...]:
    return (
        trade.symbol,
        trade.side.value,
        trade.price,
        trade.amount,
        trade.cost,
        trade.fees,
        trade.time,
    )


def _figures(fill: Fill, stand: Stand) -> tuple[object, ...]:
    return (
        fill.symbol,
        fill.side.value,
        fill.price,
        fill.amount,
        fill.cost,
        (Fee(currency=fill.fee_currency, amount=fill.fee),),
        EPOCH + timedelta(milliseconds=fill.time_ms - fill.time_ms % stand.time_step_ms),
    )


def same_balance(balance: Balance | None, holding: Holding) -> None:
    """The venue may leave out what there is nothing of."""
    told = (balance.free, balance.used) if balance is not None else (ZERO, ZERO)
    assert told == (holding.free, holding.used)


@contextmanager
def may_be_refused_by(rule: Rule) -> Iterator[None]:
    """By that rule and no other, or not at all."""
    try:
        yield
    except InvalidOrderError as error:
        if error.rule is not rule:
            raise
