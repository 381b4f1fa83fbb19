"""The same duty with an unmodified ccxt client at the lab's Binance: lost answers on a real wire."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import pytest
import pytest_asyncio

from bots.engine.board import Board, read_notice
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.pulse import Pulse
from bots.engine.takeover import Office
from bots.models import Bot, BotState, Order, Position, Trade
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.venues import wire as wire_module
from exchanges.venues.registry import open_market_data
from exchanges.venues.wire import Wire
from tests.bots.engine.conftest import make_bot, make_connection, take_lease
from tests.lab.accounts import ApiKey
from tests.lab.faults import Stage, drop_after_accept, server_error
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Side, Ticket
from vault.secret import Secret

D = Decimal
ORDER = "/api/v3/order"


class LabDesk:
    """A bot that quotes 0.01 BTC at 1 % around 40,000 for the lab's trader."""

    def __init__(self, lab: Lab, connection: ExchangeConnection, database: DatabaseThread) -> None:
        self.lab, self.connection, self.database, self.wire = lab, connection, database, Wire()
        feeds = Feeds(lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=self.wire))
        self.office = Office(wire=self.wire, feeds=feeds, database=database)

    async def open(self) -> None:
        lease = await self.database.run(take_lease, self.connection)
        self.duty = Duty(lease=lease, office=self.office, board=Board(), pulse=Pulse())

    async def rounds(self, number: int = 1) -> None:
        for _ in range(number):
            self.duty.board.post(await self.database.run(read_notice, [self.connection.pk]))
            self.duty.wake()
            await self.duty._guarded_round()

    async def close(self) -> None:
        await self.duty._close()
        await self.office.feeds.close()
        await self.wire.close()

    def trade(self, side: Side, amount: str, price: str, account: str = "crowd") -> None:
        """Somebody else's limit order; nobody trades with an order of his own."""
        self.lab.exchange.place(
            Ticket(
                account=account,
                symbol="BTC/USDT",
                side=side,
                kind=Kind.LIMIT,
                amount=D(amount),
                price=D(price),
            )
        )

    async def books_agree(self) -> None:
        """Every order, trade and balance of ours is the lab's."""
        orders = await self.database.run(lambda: list(Order.objects.all()))
        theirs = {order.client_id: order for order in self.lab.exchange.orders("trader")}
        assert {order.client_id for order in orders if order.venue_id} == set(theirs)
        trades = await self.database.run(lambda: list(Trade.objects.all()))
        fills = self.lab.exchange.fills("trader")
        assert sorted(trade.amount for trade in trades) == sorted(fill.amount for fill in fills)
        bought = sum((t.amount if t.side == "buy" else -t.amount for t in trades), D(0))
        positions = await self.database.run(lambda: list(Position.objects.all()))
        assert sum((p.amount + p.fees_base for p in positions), D(0)) == bought


@pytest.fixture
def lab_connection(transactional_db: None, trader: ApiKey) -> ExchangeConnection:
    connection = make_connection(api_key=Secret(trader.key), api_secret=Secret(trader.secret))
    make_bot(connection, order_amount=D("0.01"), requote_tolerance_pct=D("0.005"))
    return connection


@pytest_asyncio.fixture
async def lab_desk(
    lab: Lab, lab_connection: ExchangeConnection, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[LabDesk]:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    for name in ("crowd", "passer-by"):
        lab.exchange.open_account(name)
        for currency in ("BTC", "USDT"):
            lab.exchange.ledger.deposit(name, currency, D(10_000_000))
    desk = LabDesk(lab, lab_connection, database)
    desk.trade(Side.BUY, "5", "39990")
    desk.trade(Side.SELL, "5", "40010")
    await desk.open()
    yield desk
    await desk.close()


def creates(lab: Lab) -> int:
    return len(lab.requests.select(method="POST", path=ORDER))


async def test_an_order_whose_answer_is_dropped_is_adopted(lab: Lab, lab_desk: LabDesk) -> None:
    lab.faults.add(drop_after_accept(method="POST", path=ORDER))
    await lab_desk.rounds(4)
    assert creates(lab) == 2
    assert len(lab.exchange.open_orders("trader")) == 2
    await lab_desk.books_agree()


async def test_lookups_that_fail_for_a_while_lose_nothing(lab: Lab, lab_desk: LabDesk) -> None:
    lab.faults.add(server_error(502, stage=Stage.AFTER, method="POST", path=ORDER))
    await lab_desk.rounds()
    fault = server_error(502, method="GET", path="/api/v3/openOrders")
    fault.times = 4
    lab.faults.add(fault)
    await lab_desk.rounds(6)
    assert creates(lab) == 2
    assert len(lab.exchange.open_orders("trader")) == 2
    await lab_desk.books_agree()


async def test_a_worker_that_dies_before_an_answer_is_succeeded_by_one_that_adopts(
    lab: Lab, lab_desk: LabDesk
) -> None:
    await lab_desk.rounds()
    await lab_desk.database.run(Order.objects.update, state="intended", venue_id="")
    lab_desk.trade(Side.SELL, "0.004", "39600")
    await lab_desk.duty._close()
    await lab_desk.open()
    await lab_desk.rounds(2)
    assert creates(lab) == 2
    await lab_desk.books_agree()


async def test_a_bot_that_is_filled_and_stopped_has_the_labs_books(lab: Lab, lab_desk: LabDesk) -> None:
    await lab_desk.rounds()
    lab_desk.trade(Side.SELL, "5.006", "39600", "passer-by")  # all bids above, and six tenths of ours
    await lab_desk.rounds(2)
    lab.faults.add(drop_after_accept(method="DELETE", path=ORDER))
    await lab_desk.database.run(Bot.objects.update, state=BotState.STOPPING)
    await lab_desk.rounds(4)
    assert (await lab_desk.database.run(Bot.objects.get)).state == BotState.STOPPED
    assert lab.exchange.open_orders("trader") == []
    assert [fill.amount for fill in lab.exchange.fills("trader")] == [D("0.006")]
    await lab_desk.books_agree()


def sockets() -> int:
    """Open ones of this process: ours, and the lab's ends of them."""
    ends = 0
    for descriptor in Path("/proc/self/fd").iterdir():
        with suppress(FileNotFoundError):  # the folder's own, which is closed by now
            ends += str(descriptor.readlink()).startswith("socket:")
    return ends


async def test_a_connection_that_fails_and_is_opened_anew_leaks_no_socket(
    lab: Lab, lab_desk: LabDesk
) -> None:
    await lab_desk.rounds(2)
    before = sockets()
    for _ in range(8):
        lab.faults.add(drop_after_accept(method="GET", path="/api/v3/openOrders"))
        await lab_desk.rounds()
        await lab_desk.duty._close()
        await lab_desk.rounds()
    assert len(lab.exchange.open_orders("trader")) == 2
    assert sockets() <= before + 2
