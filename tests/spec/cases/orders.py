"""Orders on their way in."""

from __future__ import annotations

import pytest

from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    OutcomeUnknownError,
    Rule,
    VenueError,
)
from exchanges.types import OrderRequest, OrderType, Side, TimeInForce, VenueOrderStatus
from exchanges.venues.ccxt_venue import CcxtGateway
from tests.lab.orders import Kind, State
from tests.spec.bench import Bench
from tests.spec.case import Need, case
from tests.spec.compare import may_be_refused_by, same_order

CUT_OFF = (VenueOrderStatus.EXPIRED, VenueOrderStatus.CANCELED)


async def _refused(bench: Bench, gateway: CcxtGateway, request: OrderRequest, broken: Rule) -> None:
    """By that rule, as far as the venue tells, and nothing of it is left there."""
    with pytest.raises(InvalidOrderError) as caught:
        await gateway.place(request)

    assert caught.value.rule is bench.stand.rule(broken)
    assert bench.order(request) is None


async def _not_sent(bench: Bench, request: OrderRequest) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.requests.clear()

    with pytest.raises(InvalidOrderError, match="not sent"):
        await gateway.place(request)

    assert bench.requests.select() == []


@case("S24", "places a limit order that rests under its client id", Need.TRADING)
async def _(bench: Bench) -> None:
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(-100))

    report = await bench.place(bench.gateway(), request)

    order = bench.taken_in(request)
    assert (order.state, order.side.value, order.ticket.kind) == (State.OPEN, "buy", Kind.LIMIT)
    assert (order.amount, order.price) == (request.amount, request.price)
    assert report.client_id == request.client_id
    same_order(report, order)


@case("S25", "sends prices and amounts with every digit that the market allows", Need.TRADING)
async def _(bench: Bench) -> None:
    amount = bench.stand.amount + bench.rules.amount_step * 7
    request = bench.request(Side.SELL, amount, bench.ticks(1003))

    await bench.place(bench.gateway(), request)

    order = bench.taken_in(request)
    assert (order.amount, order.price) == (amount, bench.ticks(1003))


@case("S26", "sends a post-only order as such, or not at all where there is no such thing", Need.TRADING)
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(1))
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(0), post_only=True)
    if Need.POST_ONLY in bench.stand.lacks:
        await _not_sent(bench, request)
        return

    report = await bench.place(bench.gateway(), request)

    assert bench.taken_in(request).ticket.kind is Kind.POST_ONLY
    assert report.status is VenueOrderStatus.OPEN


@case("S27", "takes nothing with a post-only order that would cross", Need.TRADING, Need.POST_ONLY)
async def _(bench: Bench) -> None:
    """Some venues refuse it, some take it in and cancel it at once."""
    bench.crowd("sell", bench.stand.amount, bench.ticks(0))
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(0), post_only=True)

    with may_be_refused_by(Rule.POST_ONLY):
        report = await bench.place(bench.gateway(), request)
        assert report.filled == 0
        assert report.status in (*CUT_OFF, VenueOrderStatus.REJECTED)

    assert bench.fills() == []
    assert bench.open_orders() == []


@case("S28", "takes what there is with an immediate-or-cancel order", Need.TRADING, Need.IOC)
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(0))
    request = bench.request(Side.BUY, bench.stand.amount * 3, bench.ticks(0), time_in_force=TimeInForce.IOC)

    report = await bench.place(bench.gateway(), request)

    assert report.status in CUT_OFF
    assert report.filled == bench.stand.amount
    assert bench.open_orders() == []


@case("S29", "leaves nothing of an immediate-or-cancel order that finds nothing", Need.TRADING, Need.IOC)
async def _(bench: Bench) -> None:
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(0), time_in_force=TimeInForce.IOC)

    report = await bench.place(bench.gateway(), request)

    assert report.status in CUT_OFF
    assert report.filled == 0
    assert bench.open_orders() == []


@case("S30", "sells at the market", Need.TRADING, Need.MARKET_ORDERS)
async def _(bench: Bench) -> None:
    bench.crowd("buy", bench.stand.amount * 2, bench.ticks(0))
    request = bench.request(Side.SELL, bench.stand.amount, None)

    report = await bench.place(bench.gateway(), request)

    assert (report.type, report.status) == (OrderType.MARKET, VenueOrderStatus.FILLED)
    assert (report.filled, report.average) == (bench.stand.amount, bench.ticks(0))
    (fill,) = bench.fills()
    assert (fill.side.value, fill.amount) == ("sell", bench.stand.amount)


@case("S31", "takes the book's better price for a limit order that crosses", Need.TRADING)
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(-5))
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(5))

    report = await bench.place(bench.gateway(), request)

    assert (report.status, report.average) == (VenueOrderStatus.FILLED, bench.ticks(-5))
    same_order(report, bench.taken_in(request))


@case("S32", "knows the average over several levels", Need.TRADING)
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(0))
    bench.crowd("sell", bench.stand.amount * 3, bench.ticks(4))
    request = bench.request(Side.BUY, bench.stand.amount * 4, bench.ticks(4))

    report = await bench.place(bench.gateway(), request)

    assert (report.status, report.filled) == (VenueOrderStatus.FILLED, bench.stand.amount * 4)
    assert report.average == bench.ticks(3)


@case("S33", "owns the filled part of an order of which the rest still rests", Need.TRADING)
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(0))
    request = bench.request(Side.BUY, bench.stand.amount * 3, bench.ticks(0))

    report = await bench.place(bench.gateway(), request)

    assert (report.status, report.filled) == (VenueOrderStatus.OPEN, bench.stand.amount)
    same_order(report, bench.taken_in(request))


@case("S34", "places one order for a client id that is sent twice", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway, request = bench.gateway(), bench.request(Side.BUY, bench.stand.amount, bench.ticks(-100))
    first = await bench.place(gateway, request)

    if bench.stand.returns_first:
        assert (await bench.place(gateway, request)).venue_id == first.venue_id
    else:
        with pytest.raises(InvalidOrderError) as caught:
            await gateway.place(request)
        assert caught.value.rule is Rule.DUPLICATE

    assert len(bench.orders()) == 1


@case("S35", "sends no order whose price is off the tick", Need.TRADING)
async def _(bench: Bench) -> None:
    price = bench.ticks(-100) + bench.rules.price_step / 2

    await _not_sent(bench, bench.request(Side.BUY, bench.stand.amount, price))


@case("S36", "sends no order whose amount is off the step", Need.TRADING)
async def _(bench: Bench) -> None:
    amount = bench.stand.amount + bench.rules.amount_step / 2

    await _not_sent(bench, bench.request(Side.BUY, amount, bench.ticks(-100)))


@case("S37", "is told of an order below the smallest cost", Need.TRADING, Need.MIN_COST)
async def _(bench: Bench) -> None:
    bench.change_rules(min_cost=bench.stand.amount * bench.stand.price * 2)
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(0))

    await _refused(bench, bench.gateway(), request, Rule.MIN_COST)


@case("S38", "is told of an order below the smallest amount", Need.TRADING, Need.MIN_AMOUNT)
async def _(bench: Bench) -> None:
    bench.change_rules(min_amount=bench.stand.amount * 2)
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(0))

    await _refused(bench, bench.gateway(), request, Rule.MIN_AMOUNT)


@case("S39", "is told of an order beyond the balance", Need.TRADING)
async def _(bench: Bench) -> None:
    base = bench.rules.base
    bench.leave_only(base, bench.stand.amount)
    request = bench.request(Side.SELL, bench.stand.amount * 2, bench.ticks(100))

    with pytest.raises(InsufficientFundsError):
        await bench.gateway().place(request)

    assert bench.order(request) is None
    assert bench.holding(base).free == bench.stand.amount


@case("S40", "is told of more open orders than the market allows", Need.TRADING, Need.ORDER_CAP)
async def _(bench: Bench) -> None:
    bench.change_rules(max_open_orders=2)
    for step in (1, 2):
        bench.ours("buy", bench.stand.amount, bench.ticks(-100 * step))
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(-50))

    await _refused(bench, bench.gateway(), request, Rule.MAX_OPEN_ORDERS)


@case("S41", "is told that a market has closed meanwhile, and is left in no doubt", Need.TRADING)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.change_rules(is_trading=False)
    request = bench.request(Side.BUY, bench.stand.amount, bench.ticks(-100))

    with pytest.raises(VenueError) as caught:
        await gateway.place(request)

    assert not isinstance(caught.value, OutcomeUnknownError)
    assert bench.order(request) is None
