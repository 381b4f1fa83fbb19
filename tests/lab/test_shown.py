"""What a venue shows late or wrongly, and cancels that lose a race, as a ccxt client meets them."""

from __future__ import annotations

from decimal import Decimal

import ccxt.async_support as ccxt
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.buying import SYMBOL, buy
from tests.lab.commands import Commands
from tests.lab.crowd import Crowd
from tests.lab.lab import Lab
from tests.lab.orders import State

# --- Lags


async def test_an_order_is_not_visible_until_its_lag_has_passed(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    commands.set_lag(orders_ms=3000)
    order_id = await buy(client)
    with pytest.raises(ccxt.OrderNotFound, match="-2013"):
        await client.fetch_order(order_id, SYMBOL)
    assert await client.fetch_open_orders(SYMBOL) == []
    lab.clock.skip(3000)
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "open"
    assert [order["id"] for order in await client.fetch_open_orders(SYMBOL)] == [order_id]


async def test_a_cancelled_order_is_shown_open_for_a_while(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    order_id = await buy(client)
    lab.clock.skip(3000)
    commands.set_lag(orders_ms=3000)
    await client.cancel_order(order_id, SYMBOL)
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "open"
    assert len(await client.fetch_open_orders(SYMBOL)) == 1
    lab.clock.skip(3000)
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "canceled"
    assert await client.fetch_open_orders(SYMBOL) == []


async def test_an_order_is_filled_before_its_trade_and_its_balance_show(
    lab: Lab, commands: Commands, client: ccxt.binance, crowd: Crowd
) -> None:
    order_id = await buy(client)
    lab.clock.skip(3000)
    commands.set_lag(trades_ms=3000, balances_ms=2000)
    crowd.hit_bid(Decimal("0.01"))
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "closed"
    assert (await client.fetch_balance())["BTC"]["total"] == 1
    lab.clock.skip(2000)
    assert (await client.fetch_balance())["BTC"]["total"] == 1.00999
    assert await client.fetch_my_trades(SYMBOL) == []
    lab.clock.skip(1000)
    assert len(await client.fetch_my_trades(SYMBOL)) == 1


async def test_a_trade_and_its_balance_show_before_the_order_is_filled(
    lab: Lab, commands: Commands, client: ccxt.binance, crowd: Crowd
) -> None:
    order_id = await buy(client)
    lab.clock.skip(3000)
    commands.set_lag(orders_ms=3000)
    crowd.hit_bid(Decimal("0.01"))
    order = await client.fetch_order(order_id, SYMBOL)
    assert (order["status"], order["filled"]) == ("open", 0)
    assert len(await client.fetch_my_trades(SYMBOL)) == 1
    assert (await client.fetch_balance())["BTC"]["total"] == 1.00999


async def test_scattered_trades_show_out_of_order(
    lab: Lab, commands: Commands, client: ccxt.binance, crowd: Crowd
) -> None:
    commands.set_lag(trades_ms=6000, scatters_trades=True)
    await buy(client)
    for _ in range(10):
        crowd.hit_bid(Decimal("0.001"))
    lab.clock.skip(3000)
    ids = [int(trade["id"]) for trade in await client.fetch_my_trades(SYMBOL)]
    assert 0 < len(ids) < 10
    assert ids != list(range(1, len(ids) + 1))
    lab.clock.skip(3000)
    assert len(await client.fetch_my_trades(SYMBOL)) == 10


async def test_a_lag_of_one_key_is_not_anothers(
    commands: Commands, client: ccxt.binance, trader: ApiKey
) -> None:
    commands.set_lag(orders_ms=60_000)
    commands.set_lag(key=trader.key)
    order_id = await buy(client)
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "open"


async def test_setting_the_venues_clock_changes_no_lag(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    order_id = await buy(client)
    lab.clock.skip(200)
    commands.set_lag(orders_ms=100)
    commands.set_clock(offset_ms=-900)
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "open"


# --- Books


async def test_a_frozen_book_stands_still_until_it_is_restored(
    commands: Commands, client: ccxt.binance, crowd: Crowd
) -> None:
    before = await client.fetch_order_book(SYMBOL)
    commands.freeze_book(symbol=SYMBOL)
    crowd.move_price(Decimal(40_000))
    frozen = await client.fetch_order_book(SYMBOL)
    assert (frozen["bids"], frozen["asks"], frozen["nonce"]) == (
        before["bids"],
        before["asks"],
        before["nonce"],
    )
    commands.restore_book(symbol=SYMBOL)
    assert (await client.fetch_order_book(SYMBOL))["bids"][0][0] < 40_000


@pytest.mark.parametrize(
    ("side", "bids", "asks"), [(None, False, False), ("bids", False, True), ("asks", True, False)]
)
async def test_a_book_is_shown_without_one_side_or_both(
    commands: Commands, client: ccxt.binance, side: str | None, bids: bool, asks: bool
) -> None:
    commands.empty_book(symbol=SYMBOL, side=side)
    book = await client.fetch_order_book(SYMBOL)
    assert (bool(book["bids"]), bool(book["asks"])) == (bids, asks)


async def test_a_crossed_book_has_its_best_bid_above_its_best_ask(
    commands: Commands, client: ccxt.binance
) -> None:
    commands.cross_book(symbol=SYMBOL)
    book = await client.fetch_order_book(SYMBOL)
    assert book["bids"][0][0] > book["asks"][0][0]


# --- Races


async def test_a_cancel_that_lost_the_race_finds_no_order(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    order_id = await buy(client, price=49_900)  # behind the crowd's best bids
    commands.race_cancels(probability=1, whole=1)
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        await client.cancel_order(order_id, SYMBOL)
    (order,) = lab.exchange.orders("trader")
    assert (order.state, order.filled) == (State.FILLED, Decimal("0.01"))


async def test_a_cancel_may_come_after_a_fill_in_part(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    order_id = await buy(client)
    commands.race_cancels(probability=1, whole=0)
    answer = await client.cancel_order(order_id, SYMBOL)
    assert (answer["status"], answer["filled"]) == ("canceled", 0.005)


async def test_races_end_when_their_probability_is_zero(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    commands.race_cancels(probability=1, whole=1)
    commands.race_cancels(probability=0)
    assert (await client.cancel_order(await buy(client), SYMBOL))["filled"] == 0
