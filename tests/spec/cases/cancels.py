"""Orders on their way out."""

from __future__ import annotations

from uuid import uuid4

import pytest

from exchanges.errors import OrderNotFoundError
from exchanges.types import OrderRef, Side, VenueOrderStatus
from exchanges.venues.ccxt_venue import CcxtGateway
from tests.lab.orders import Order, State
from tests.lab.races import Odds
from tests.spec.bench import Bench, ref_of
from tests.spec.case import Need, case
from tests.spec.compare import same_balance, same_order


async def _resting(bench: Bench, gateway: CcxtGateway, ticks: int = -100) -> tuple[Order, OrderRef]:
    """An order of ours as the venue has it, and its names."""
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(ticks))
    report = await bench.place(gateway, request)
    return bench.taken_in(request), ref_of(request, report.venue_id)


@case("S42", "cancels an order by the venue's id and hears how it ended", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    order, ref = await _resting(bench, gateway)

    told = await gateway.cancel(ref)

    assert order.state is State.CANCELED
    assert told is None or told.status is VenueOrderStatus.CANCELED
    same_order(await bench.ended(gateway, ref), order)


@case("S43", "has the money back that a cancelled order held", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    _order, ref = await _resting(bench, gateway)

    await gateway.cancel(ref)
    await bench.ended(gateway, ref)

    quote = bench.rules.quote
    assert bench.holding(quote).used == 0
    same_balance((await gateway.fetch_balances()).get(quote), bench.holding(quote))


@case("S44", "cancels an order of which it knows the client id only", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    order, ref = await _resting(bench, gateway)

    await gateway.cancel(OrderRef(client_id=ref.client_id, symbol=ref.symbol))

    assert order.state is State.CANCELED


@case("S45", "cancels that order and no other of the account", Need.TRADING)
async def _(bench: Bench) -> None:
    foreign = [bench.ours("sell", bench.stand.amount, bench.ticks(100)), _elsewhere(bench)]
    gateway = bench.gateway()
    other, _ref = await _resting(bench, gateway, -200)
    _order, ref = await _resting(bench, gateway)

    await gateway.cancel(ref)

    assert {order.id for order in bench.open_orders()} == {order.id for order in [*foreign, other]}


def _elsewhere(bench: Bench) -> Order:
    return bench.ours("buy", bench.stand.other_amount, bench.stand.other_price, bench.stand.other_symbol)


@case("S46", "keeps the filled part of an order that it cancels", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    order, ref = await _resting(bench, gateway)
    part = bench.part_of(order)
    bench.passer_by("sell", part, order.limit_price)

    await gateway.cancel(ref)
    report = await bench.ended(gateway, ref)

    assert (report.status, report.filled) == (VenueOrderStatus.CANCELED, part)
    assert len(await gateway.fetch_trades(ref.symbol, since=bench.long_ago())) == 1


@case("S47", "learns that an order was filled when it comes to cancel it", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    order, ref = await _resting(bench, gateway)
    bench.passer_by("sell", order.amount, order.limit_price)

    with pytest.raises(OrderNotFoundError):
        await gateway.cancel(ref)

    assert (await bench.ended(gateway, ref)).status is VenueOrderStatus.FILLED


@case("S48", "learns that an order was cancelled before", Need.TRADING, Need.CANCELS_END)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    _order, ref = await _resting(bench, gateway)
    await gateway.cancel(ref)
    await bench.ended(gateway, ref)

    with pytest.raises(OrderNotFoundError):
        await gateway.cancel(ref)


@case("S49", "learns that there is no such order to cancel", Need.TRADING)
async def _(bench: Bench) -> None:
    ref = OrderRef(client_id=uuid4().hex, symbol=bench.stand.symbol, venue_id=bench.stand.unknown_order)

    with pytest.raises(OrderNotFoundError):
        await bench.gateway().cancel(ref)


@case("S50", "believes a fill that comes in the moment of its cancel", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    order, ref = await _resting(bench, gateway)
    bench.house.dialect.races.set(Odds(probability=1.0, whole=1.0))

    try:
        told = await gateway.cancel(ref)
    except OrderNotFoundError:
        told = None

    assert order.state is State.FILLED
    assert told is None or told.filled == order.amount
    assert (await bench.ended(gateway, ref)).status is VenueOrderStatus.FILLED
