"""Requests and rights in trouble, as an unmodified ccxt client meets them."""

from __future__ import annotations

import asyncio
import time
from uuid import uuid4

import aiohttp
import ccxt.async_support as ccxt
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.buying import SYMBOL, buy
from tests.lab.commands import Commands
from tests.lab.lab import Lab

ORDER = "/api/v3/order"
PING = "https://api.binance.com/api/v3/ping"
TIME = "https://api.binance.com/api/v3/time"


@pytest.mark.parametrize(
    ("kind", "error", "is_accepted"),
    [
        ("hang_before", ccxt.RequestTimeout, False),
        ("hang_after", ccxt.RequestTimeout, True),
        ("drop_before", ccxt.ExchangeNotAvailable, False),
        ("drop_after", ccxt.ExchangeNotAvailable, True),
        ("error_before", ccxt.BaseError, False),
        ("error_after", ccxt.BaseError, True),
        ("page_before", ccxt.NetworkError, False),
        ("page_after", ccxt.NetworkError, True),
        ("firewall", ccxt.ExchangeNotAvailable, False),
        ("rate_limited", ccxt.DDoSProtection, False),
        ("banned", ccxt.DDoSProtection, False),
        ("broken_off", ccxt.BaseError, True),
    ],
)
async def test_weather_says_truly_whether_the_order_was_accepted(
    lab: Lab, commands: Commands, client: ccxt.binance, kind: str, error: type[Exception], is_accepted: bool
) -> None:
    if kind.startswith("hang"):
        client.timeout = 300
    commands.set_weather(seed=1, rates={kind: 1}, method="POST", path=ORDER)
    with pytest.raises(error):
        await buy(client)
    assert len(lab.exchange.open_orders("trader")) == is_accepted
    (seen,) = lab.requests.select(method="POST", path=ORDER)
    assert (seen.fault, seen.took_effect) == (kind, is_accepted)


@pytest.mark.parametrize("kind", ["rate_limited", "banned"])
async def test_a_refusal_for_haste_says_when_to_come_back(
    lab: Lab, commands: Commands, lab_session: aiohttp.ClientSession, kind: str
) -> None:
    commands.set_weather(seed=1, rates={kind: 1}, retry_after=5)
    async with lab_session.get(PING) as response:
        assert response.status == {"rate_limited": 429, "banned": 418}[kind]
        seconds = response.headers["Retry-After"]
    assert 1 <= int(seconds) <= 5
    assert lab.requests.select(fault=kind)[0].detail == f"retry after {seconds} s"


async def test_a_late_request_takes_effect_after_the_client_gave_up(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    client.timeout = 150
    commands.add_fault(effect="delay", stage="before", seconds=0.4, method="POST", path=ORDER)
    with pytest.raises(ccxt.RequestTimeout):
        await buy(client)
    assert lab.exchange.open_orders("trader") == []
    await asyncio.sleep(0.4)
    assert len(lab.exchange.open_orders("trader")) == 1


async def test_a_late_request_beyond_its_window_is_refused(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    client.timeout = 150
    client.options["recvWindow"] = 200
    commands.add_fault(effect="delay", stage="before", seconds=0.4, method="POST", path=ORDER)
    with pytest.raises(ccxt.RequestTimeout):
        await buy(client)
    await asyncio.sleep(0.5)
    assert lab.exchange.open_orders("trader") == []


async def test_a_drip_within_the_timeout_is_only_slow(
    commands: Commands, lab_session: aiohttp.ClientSession
) -> None:
    commands.add_fault(effect="drip", seconds=0.3)
    started = time.monotonic()
    async with lab_session.get(TIME) as response:
        assert "serverTime" in await response.json()
    assert time.monotonic() - started >= 0.25


async def test_a_drip_slower_than_the_timeout_leaves_the_order_in_the_book(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    client.timeout = 200
    commands.add_fault(effect="drip", seconds=2, method="POST", path=ORDER)
    with pytest.raises(ccxt.RequestTimeout):
        await buy(client)
    assert len(lab.exchange.open_orders("trader")) == 1


async def test_a_truncated_answer_has_an_honest_length_and_no_end(
    commands: Commands, lab_session: aiohttp.ClientSession
) -> None:
    commands.add_fault(effect="truncate")
    async with lab_session.get(TIME) as response:
        text = await response.text()
    assert text.startswith("{")
    assert not text.endswith("}")


async def test_a_broken_off_answer_is_shorter_than_it_says(
    commands: Commands, lab_session: aiohttp.ClientSession
) -> None:
    commands.add_fault(effect="break_off")
    with pytest.raises(aiohttp.ClientPayloadError):
        await (await lab_session.get(TIME)).read()


async def test_an_order_delivered_twice_is_accepted_once(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    commands.add_fault(effect="duplicate", method="POST", path=ORDER)
    await buy(client)
    commands.add_fault(effect="duplicate_last", method="POST", path=ORDER)
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate"):
        await buy(client)
    assert len(lab.exchange.orders("trader")) == 2


async def test_an_order_that_was_filled_at_once_is_not_filled_again_by_its_second_delivery(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    commands.add_fault(effect="duplicate_last", method="POST", path=ORDER)
    with pytest.raises(ccxt.InvalidOrder, match="Duplicate"):
        await client.create_order(SYMBOL, "market", "sell", 0.001, None, {"clientOrderId": uuid4().hex})
    assert len(lab.exchange.orders("trader")) == 1


async def test_a_cancel_delivered_twice_is_of_an_unknown_order(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    order_id = await buy(client)
    commands.add_fault(effect="duplicate_last", method="DELETE", path=ORDER)
    with pytest.raises(ccxt.OrderNotFound, match="-2011"):
        await client.cancel_order(order_id, SYMBOL)
    assert lab.exchange.open_orders("trader") == []


async def test_a_nonsense_answer_says_in_the_record_what_was_bent(
    lab: Lab, commands: Commands, client: ccxt.binance, lab_session: aiohttp.ClientSession
) -> None:
    commands.set_weather(seed=4, rates={"nonsense": 1}, mutations=1)
    await (await lab_session.get(TIME)).read()
    (seen,) = lab.requests.select(fault="nonsense")
    assert seen.detail.partition(":")[0] in ("serverTime", "all")


async def test_maintenance_has_no_effect_until_it_ends(
    lab: Lab, commands: Commands, client: ccxt.binance
) -> None:
    commands.maintenance(on=True)
    for _ in range(2):
        with pytest.raises(ccxt.BaseError, match="-1016"):
            await buy(client)
    commands.maintenance(on=False)
    assert lab.exchange.orders("trader") == []
    await buy(client)


# --- Rights and rules


async def test_a_key_is_revoked_and_restored_in_mid_run(
    commands: Commands, client: ccxt.binance, trader: ApiKey
) -> None:
    commands.change_key(key=trader.key, is_revoked=True)
    with pytest.raises(ccxt.BaseError, match="-2015"):
        await client.fetch_balance()
    commands.change_key(key=trader.key, is_revoked=False)
    assert (await client.fetch_balance())["BTC"]["total"] == 1


async def test_an_account_that_may_not_trade_is_refused_until_it_may(
    commands: Commands, client: ccxt.binance
) -> None:
    commands.change_account(account="trader", can_trade=False)
    with pytest.raises(ccxt.BaseError, match="may not place"):
        await buy(client)
    commands.change_account(account="trader", can_trade=True)
    await buy(client)


async def test_a_market_closes_and_opens(commands: Commands, client: ccxt.binance) -> None:
    commands.change_market(symbol=SYMBOL, is_trading=False)
    with pytest.raises(ccxt.BaseError, match="Market is closed"):
        await buy(client)
    commands.change_market(symbol=SYMBOL, is_trading=True)
    await buy(client)


async def test_a_market_that_is_delisted_cancels_what_rests_and_is_unknown(
    commands: Commands, client: ccxt.binance, lab: Lab
) -> None:
    await buy(client)
    commands.delist_market(symbol=SYMBOL)
    with pytest.raises(ccxt.BaseError, match="Invalid symbol"):
        await buy(client)
    (order,) = lab.exchange.delisted[SYMBOL].orders_of("trader")
    assert not order.is_open
    assert lab.exchange.ledger.holding("trader", "USDT").used == 0


async def test_calm_ends_all_trouble(commands: Commands, client: ccxt.binance) -> None:
    commands.set_weather(seed=1, rates={"drop_after": 1})
    commands.set_lag(orders_ms=60_000, trades_ms=60_000, balances_ms=60_000)
    commands.race_cancels(probability=1)
    commands.empty_book(symbol=SYMBOL)
    commands.maintenance(on=True)
    commands.set_clock(offset_ms=90_000)
    commands.calm()
    order_id = await buy(client)
    assert (await client.fetch_order(order_id, SYMBOL))["status"] == "open"
    assert (await client.fetch_order_book(SYMBOL))["bids"]
    assert (await client.cancel_order(order_id, SYMBOL))["status"] == "canceled"
