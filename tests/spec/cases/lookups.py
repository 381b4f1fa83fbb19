"""Orders that are asked for, one by one and in lists. They were placed at another time."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import uuid4

import pytest

from exchanges.errors import OrderNotFoundError
from exchanges.types import OrderRef, OrderReport, VenueOrderStatus
from tests.lab.orders import Order
from tests.lab.views import Lag
from tests.spec.bench import Bench, ref_to
from tests.spec.case import case
from tests.spec.compare import same_order

LAG_MS = 60_000


@case("S51", "finds an open order by the venue's id and by its client id alike")
async def _(bench: Bench) -> None:
    gateway, order = bench.gateway(), bench.ours("buy", bench.stand.amount, bench.ticks(-100))
    bench.ours("sell", bench.stand.amount, bench.ticks(100))

    by_client_id = await gateway.fetch_order(ref_to(order))

    same_order(by_client_id, order)
    assert await gateway.fetch_order(ref_to(order, by_client_id.venue_id)) == by_client_id


@case("S52", "finds a filled order by either id")
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(0))
    order = bench.ours("buy", bench.stand.amount, bench.ticks(0))

    await _found_ended(bench, order, VenueOrderStatus.FILLED)


@case("S53", "finds a cancelled order by either id, with what was filled of it")
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(0))
    order = bench.ours("buy", bench.stand.amount * 2, bench.ticks(0))
    bench.house.exchange.cancel(order)

    await _found_ended(bench, order, VenueOrderStatus.CANCELED)


async def _found_ended(bench: Bench, order: Order, status: VenueOrderStatus) -> None:
    gateway = bench.gateway()
    by_client_id = await gateway.fetch_order(ref_to(order))
    by_id = await gateway.fetch_order(ref_to(order, by_client_id.venue_id))

    for report in (by_client_id, by_id):
        assert report.status is status
        same_order(report, order)


@case("S54", "hears plainly that there never was an order of that client id")
async def _(bench: Bench) -> None:
    bench.ours("buy", bench.stand.amount, bench.ticks(-100))

    with pytest.raises(OrderNotFoundError):
        await bench.gateway().fetch_order(OrderRef(client_id=uuid4().hex, symbol=bench.stand.symbol))


@case("S55", "hears plainly that there is no order of that id")
async def _(bench: Bench) -> None:
    ref = OrderRef(client_id=uuid4().hex, symbol=bench.stand.symbol, venue_id=bench.stand.unknown_order)

    with pytest.raises(OrderNotFoundError):
        await bench.gateway().fetch_order(ref)


@case("S56", "finds an order later that the venue does not show yet")
async def _(bench: Bench) -> None:
    gateway, views = bench.gateway(), bench.house.dialect.views
    order = bench.ours("buy", bench.stand.amount, bench.ticks(-100))
    views.set_lag(Lag(orders_ms=LAG_MS))

    with pytest.raises(OrderNotFoundError):
        await gateway.fetch_order(ref_to(order))
    assert await gateway.fetch_open_orders([order.symbol]) == []

    views.clear()
    same_order(await gateway.fetch_order(ref_to(order)), order)


@case("S57", "lists the open orders of one market, and of that market only")
async def _(bench: Bench) -> None:
    mine = [bench.ours("buy", bench.stand.amount, bench.ticks(-100 * n)) for n in (1, 2)]
    _elsewhere(bench)

    reports = await bench.gateway().fetch_open_orders([bench.stand.symbol])

    _same_orders(reports, mine)


@case("S58", "lists the open orders of several markets")
async def _(bench: Bench) -> None:
    mine = [bench.ours("buy", bench.stand.amount, bench.ticks(-100)), _elsewhere(bench)]

    reports = await bench.gateway().fetch_open_orders([bench.stand.symbol, bench.stand.other_symbol])

    _same_orders(reports, mine)


@case("S59", "lists open orders over all pages")
async def _(bench: Bench) -> None:
    bench.change_rules(max_open_orders=10**6)
    count = 2 * bench.stand.open_orders_page + 3
    mine = [bench.ours("buy", bench.stand.amount, bench.ticks(-n)) for n in range(1, count + 1)]

    reports = await bench.gateway().fetch_open_orders([bench.stand.symbol])

    assert len(reports) == count
    _same_orders(reports, mine)


@case("S60", "lists no order that has ended among the open ones")
async def _(bench: Bench) -> None:
    bench.fill("buy", bench.stand.amount, bench.ticks(0))
    bench.house.exchange.cancel(bench.ours("buy", bench.stand.amount, bench.ticks(-100)))

    assert await bench.gateway().fetch_open_orders([bench.stand.symbol]) == []


def _elsewhere(bench: Bench) -> Order:
    return bench.ours("buy", bench.stand.other_amount, bench.stand.other_price, bench.stand.other_symbol)


def _same_orders(reports: Iterable[OrderReport], orders: Iterable[Order]) -> None:
    told = sorted(reports, key=lambda report: report.client_id or "")
    known = sorted(orders, key=lambda order: order.client_id)
    assert [report.client_id for report in told] == [order.client_id for order in known]
    for report, order in zip(told, known, strict=True):
        same_order(report, order)
