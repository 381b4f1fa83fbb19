"""Deposits, withdrawals and fills at the lab's Binance, through an unmodified ccxt client."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from decimal import Decimal

import pytest
import pytest_asyncio

from bots.engine import balances
from bots.models import Bot, BotEvent, BotState, Order, Trade
from database.thread import DatabaseThread
from exchanges.models import Balance, BalanceBaseline, BalanceSnapshot, UnexplainedChange
from tests.bots.engine.house_desk import HouseDesk, house_desk, open_connection
from tests.bots.engine.lab_books import long_lease
from tests.lab.commands import Commands
from tests.lab.lab import Lab
from tests.lab.orders import Side

D = Decimal


@pytest.fixture
def pass_time(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Moves the clock by which a difference persists."""
    passed = [0.0]
    monkeypatch.setattr(balances, "uptime", lambda: passed[0])

    def by(seconds: float) -> None:
        passed[0] += seconds

    return by


@pytest_asyncio.fixture
async def desk(
    transactional_db: None, lab: Lab, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    """Its lease outlasts the test: there is no keeper here that renews it."""
    connection = await database.run(open_connection, lab.house(), "BTC/USDT")
    async with house_desk(lab, lab.house(), connection, database, monkeypatch) as desk:
        desk.duty.lease = await database.run(long_lease, connection)
        yield desk


async def rounds(desk: HouseDesk, pass_time: Callable[[float], None], number: int) -> None:
    for _ in range(number):
        pass_time(15.0)
        await desk.rounds()


async def told(desk: HouseDesk) -> list[tuple[str, Decimal]]:
    changes = UnexplainedChange.objects.order_by("pk").values_list("currency", "amount")
    return await desk.database.run(lambda: list(changes))


async def explained_totals(desk: HouseDesk) -> dict[str, Decimal]:
    book = await desk.database.run(BalanceBaseline.objects.get)
    return {name: D(total) for name, total in book.totals.items()}


def totals_at(lab: Lab) -> dict[str, Decimal]:
    held = lab.exchange.ledger.holdings("trader")
    return {name: each.free + each.used for name, each in held.items() if each.free + each.used}


async def test_fills_and_their_fees_are_explained_and_what_people_move_is_told(
    lab: Lab, desk: HouseDesk, pass_time: Callable[[float], None]
) -> None:
    commands = Commands(lab)
    await rounds(desk, pass_time, 4)
    assert await explained_totals(desk) == totals_at(lab)
    desk.trade(Side.SELL, "5.006", "39600", "passer-by")  # all bids above, and six tenths of ours
    await rounds(desk, pass_time, 12)
    assert await desk.database.run(Trade.objects.count) == 1
    assert await told(desk) == []
    assert await explained_totals(desk) == totals_at(lab)
    commands.fund(account="trader", currency="USDT", amount="500")
    await rounds(desk, pass_time, 12)
    commands.withdraw(account="trader", currency="BTC", amount="0.25")
    await rounds(desk, pass_time, 12)
    assert await told(desk) == [("USDT", D(500)), ("BTC", D("-0.25"))]
    assert await explained_totals(desk) == totals_at(lab)


async def test_an_order_that_rests_and_is_cancelled_moves_nothing(
    lab: Lab, desk: HouseDesk, pass_time: Callable[[float], None]
) -> None:
    await rounds(desk, pass_time, 4)
    await desk.database.run(Bot.objects.update, state=BotState.PAUSED)
    await rounds(desk, pass_time, 12)
    assert await desk.database.run(Order.objects.filter(state="canceled").count) == 2
    assert await told(desk) == []


async def test_the_hours_snapshot_is_valued_at_the_labs_prices(
    lab: Lab, desk: HouseDesk, pass_time: Callable[[float], None]
) -> None:
    await rounds(desk, pass_time, 2)
    snapshot = await desk.database.run(BalanceSnapshot.objects.get)
    assert snapshot.balance_usdt == D(10_000) + 1 * D(40_000)
    rows = await desk.database.run(lambda: list(Balance.objects.values_list("currency", flat=True)))
    assert {line.currency for line in snapshot.valuation.lines} == set(rows)


async def test_a_deposit_is_no_profit(lab: Lab, desk: HouseDesk, pass_time: Callable[[float], None]) -> None:
    await rounds(desk, pass_time, 4)
    Commands(lab).fund(account="trader", currency="USDT", amount="500")
    await rounds(desk, pass_time, 12)
    event = await desk.database.run(BotEvent.objects.get, kind="balance_unexplained")
    assert event.text.endswith("a deposit? It is not counted as profit.")
    assert await desk.database.run(Trade.objects.count) == 0
