"""A paper account around a feed whose book the venue tells: it trades against the market as it is now."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.engine.feed import Feed
from database.thread import DatabaseThread
from exchanges.gateway import ConnectionSpec, Credentials
from exchanges.types import Side
from exchanges.venues import wire as wire_module
from exchanges.venues.paper import PaperGateway
from exchanges.venues.registry import open_market_data
from tests.exchanges.venues.paper_world import in_database, order, saved_connection
from tests.exchanges.venues.streams_desk import StreamsDesk, streams_desk, until
from tests.lab.lab import Lab

pytestmark = pytest.mark.django_db(transaction=True)
SYMBOL = "BTC/USDT"


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StreamsDesk]:
    async with Lab() as lab:
        monkeypatch.setattr(wire_module, "build_connector", lab.connector)
        async with streams_desk(lab, "binance") as desk:
            yield desk


@pytest_asyncio.fixture
async def feed(desk: StreamsDesk) -> AsyncIterator[Feed]:
    feed = Feed(open_market_data("binance", proxy=None, wire=desk.wire), stream=desk.stream)
    feed.follow(SYMBOL)
    await until(desk.is_true)
    yield feed
    await feed.close()


@pytest_asyncio.fixture
async def paper(transactional_db: None, feed: Feed) -> AsyncIterator[PaperGateway]:
    connection = await in_database(lambda: saved_connection(USDT="10000", BTC="1"))
    spec = ConnectionSpec(
        id=str(connection.pk), name="paper", venue="binance", is_paper=True, credentials=Credentials()
    )
    database = DatabaseThread()
    yield PaperGateway(spec, market_data=feed, database=database)
    database.close()


async def test_it_buys_at_the_prices_of_the_book_that_was_told_last(
    desk: StreamsDesk, paper: PaperGateway
) -> None:
    await paper.fetch_book(SYMBOL)
    desk.crowd.move_price(Decimal(48_000))
    await until(desk.is_true)
    best = desk.house.exchange.market(SYMBOL).book.asks.levels()[0]
    amount = best[1] / 2

    report = await paper.place(order(Side.BUY, str(amount.quantize(Decimal("0.00001"))), symbol=SYMBOL))

    assert (report.filled, report.average) == (report.amount, best[0])


async def test_a_resting_order_fills_from_the_tape_and_once(desk: StreamsDesk, paper: PaperGateway) -> None:
    report = await paper.place(order(Side.BUY, "0.01", "49960", symbol=SYMBOL))
    assert report.filled == 0
    desk.crowd.hit_bid(Decimal("0.02"))
    await until(desk.is_true)

    for _ in range(3):
        open_orders = await paper.fetch_open_orders([SYMBOL])
    trades = await paper.fetch_trades(SYMBOL, since=report.time)  # type: ignore[arg-type]

    assert open_orders == []
    assert sum(trade.amount for trade in trades) == Decimal("0.01")
    assert {trade.price for trade in trades} == {Decimal(49_960)}
