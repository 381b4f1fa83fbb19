"""What becomes of bots when their venue changes a market, or delists one, while they run."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from bots.engine import observe, takeover
from bots.engine.sheet import QuotingSheet
from bots.models import Decision, Order
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection, Market
from exchanges.services import save_markets
from exchanges.venues import market_lists
from tests.bots.engine.conftest import Desk, make_bot
from tests.bots.engine.house_desk import TRADER, HouseDesk, house_desk, open_connection
from tests.lab.lab import Lab
from tests.lab.orders import Kind, Side, Ticket
from tests.lab.trouble import TroubleCommands

D = Decimal
OTHER = "ETH/USDT"


# --- At a fake venue


async def test_a_changed_market_is_there_in_the_next_round_and_written_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = []

    def save(*, venue: str, markets: Any) -> int:
        written.append(markets)
        return save_markets(venue=venue, markets=markets)

    monkeypatch.setattr(takeover, "save_markets", save)
    await desk.rounds(2)
    desk.venue.markets["BTC/USDT"] = replace(desk.venue.markets["BTC/USDT"], price_step=D("0.5"))
    await desk.rounds(3)

    assert desk.account.markets["BTC/USDT"].price_step == D("0.5")
    assert len(written) == 2
    assert (await desk.do(Market.objects.get, symbol="BTC/USDT")).price_step == D("0.5")


async def test_in_a_closed_market_nothing_rests_and_the_reason_is_shown_until_it_opens(desk: Desk) -> None:
    await desk.rounds(2)
    assert len(desk.venue.resting()) == 2
    open_market = desk.venue.markets["BTC/USDT"]

    desk.venue.markets["BTC/USDT"] = replace(open_market, active=False)
    await desk.rounds(2)
    decision = await desk.do(Decision.objects.get)
    assert desk.venue.resting() == []
    assert {row["rule"] for row in decision.refusals} == {"market_closed"}

    desk.venue.markets["BTC/USDT"] = open_market
    await desk.rounds(2)
    assert len(desk.venue.resting()) == 2


# --- At the lab's Binance


@pytest.fixture
def lab_connection(transactional_db: None, lab: Lab) -> ExchangeConnection:
    return open_connection(lab.house(), "BTC/USDT")


@pytest_asyncio.fixture
async def lab_desk(
    lab: Lab, lab_connection: ExchangeConnection, database: DatabaseThread, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[HouseDesk]:
    monkeypatch.setattr(market_lists, "DOUBTED_LIFETIME_SECONDS", 0.0)
    monkeypatch.setattr(observe, "GRACE", timedelta(0))
    async with house_desk(lab, lab.house(), lab_connection, database, monkeypatch) as desk:
        yield desk


async def until_renewed(desk: HouseDesk) -> None:
    renewal = desk.wire.market_lists._lists["binance"].renewal
    if renewal:
        await renewal


async def rounds(desk: HouseDesk, number: int) -> None:
    for _ in range(number):
        for sheet in desk.duty.sheets.values():
            assert isinstance(sheet, QuotingSheet)
            sheet.hold.until = 0.0  # the wait after a refusal
        await desk.rounds()
        await until_renewed(desk)


async def test_a_bot_whose_orders_are_refused_for_a_new_lot_size_learns_it_and_goes_on(
    lab: Lab, lab_desk: HouseDesk
) -> None:
    await lab_desk.office.feeds.feed("binance", None).load_markets()
    TroubleCommands(lab).change_market(symbol="BTC/USDT", amount_step="0.004")

    await rounds(lab_desk, 4)

    resting = lab.exchange.open_orders(TRADER)
    assert [order.amount for order in resting] == [D("0.008"), D("0.008")]
    assert (await lab_desk.states()).count("rejected") == 2
    row = await lab_desk.database.run(Market.objects.get, venue="binance", symbol="BTC/USDT")
    assert row.amount_step == D("0.004")
    await lab_desk.books_agree()


async def test_a_bot_whose_market_is_delisted_stands_aside_and_the_others_of_its_connection_go_on(
    lab: Lab, lab_desk: HouseDesk
) -> None:
    await lab_desk.database.run(make_bot, lab_desk.connection, "Second", symbol=OTHER, order_amount=D("0.1"))
    open_other_market(lab)
    await rounds(lab_desk, 2)
    assert len(lab.exchange.open_orders(TRADER)) == 4

    TroubleCommands(lab).delist_market(symbol=OTHER)
    await rounds(lab_desk, 8)

    assert {order.symbol for order in lab.exchange.open_orders(TRADER)} == {"BTC/USDT"}
    assert await states_of(lab_desk, OTHER) == {"canceled"}
    assert await states_of(lab_desk, "BTC/USDT") == {"open"}
    assert not (await lab_desk.database.run(Market.objects.get, venue="binance", symbol=OTHER)).active
    assert lab_desk.duty._patience.failures == 0


def open_other_market(lab: Lab) -> None:
    """Others' orders at 1,990 and 2,010; the trader has 10 ETH."""
    lab.exchange.ledger.deposit(TRADER, "ETH", D(10))
    lab.exchange.ledger.deposit("crowd", "ETH", D(1000))
    for side, price in ((Side.BUY, "1990"), (Side.SELL, "2010")):
        ticket = Ticket(
            account="crowd", symbol=OTHER, side=side, kind=Kind.LIMIT, amount=D(5), price=D(price)
        )
        lab.exchange.place(ticket)


async def states_of(desk: HouseDesk, symbol: str) -> set[str]:
    rows = Order.objects.filter(symbol=symbol)
    return await desk.database.run(lambda: set(rows.values_list("state", flat=True)))
