"""Clients that trade through every weather at once, and books that agree afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import random
from decimal import Decimal
from functools import partial
from uuid import uuid4

import aiohttp
import ccxt.async_support as ccxt
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.commands import Commands
from tests.lab.journal import Event
from tests.lab.lab import Lab
from tests.lab.tally import tally
from tests.lab.weather import KINDS

SYMBOL = "BTC/USDT"


def open_clients(lab: Lab, session: aiohttp.ClientSession, count: int) -> list[ccxt.binance]:
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    clients = []
    for number in range(count):
        key = lab.open_account(
            f"trader {number}",
            key=f"{number}" * 64,
            secret="s" * 64,
            balances={"USDT": Decimal(10_000), "BTC": Decimal(1)},
        )
        settings = {"apiKey": key.key, "secret": key.secret, "session": session, "options": options}
        clients.append(ccxt.binance({**settings, "enableRateLimit": False, "timeout": 250}))
    return clients


async def trade(client: ccxt.binance, chance: random.Random, count: int) -> set[str]:
    """Whatever fails, the next thing is tried; the client ids that were ever sent."""
    sent = set()
    for _ in range(count):
        client_id = uuid4().hex
        sent.add(client_id)
        params = {"clientOrderId": client_id}
        side, price = chance.choice((("buy", 49_970), ("sell", 50_030), ("buy", 50_060), ("sell", 49_940)))
        for call in (
            partial(client.create_order, SYMBOL, "limit", side, 0.001, price, params),
            partial(client.fetch_order, "", SYMBOL, params),
            partial(client.cancel_order, "", SYMBOL, params),
        ):
            with contextlib.suppress(ccxt.BaseError):
                await call()
    return sent


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"nonsense"}))
async def test_balances_are_conserved_in_every_weather(
    lab: Lab, lab_session: aiohttp.ClientSession, kind: str
) -> None:
    crowd = lab.gather_crowd(SYMBOL, Decimal(50_000))
    commands = Commands(lab)
    (client,) = open_clients(lab, lab_session, 1)
    await client.load_markets()
    commands.set_weather(seed=2, rates={kind: 0.5}, late_seconds=0.3, drip_seconds=0.4, retry_after=1)
    commands.race_cancels(probability=0.5)
    sent = await trade(client, random.Random(2), 5)
    crowd.step(5)
    await asyncio.sleep(0.3)
    await client.close()
    assert {seen.fault for seen in lab.requests.select(struck=True)} == {kind}
    assert lab.conserves_balances()
    assert {order.client_id for order in lab.exchange.orders("trader 0")} <= sent


async def test_ten_clients_in_a_storm_leave_books_that_agree(
    lab: Lab, lab_session: aiohttp.ClientSession
) -> None:
    commands = Commands(lab)
    lab.gather_crowd(SYMBOL, Decimal(50_000))
    clients = open_clients(lab, lab_session, 10)
    for client in clients:
        await client.load_markets()
    lab.house().start_crowd(SYMBOL, 0.05)
    commands.set_lag(orders_ms=200, trades_ms=300, balances_ms=100)
    commands.race_cancels(probability=0.3)
    commands.set_weather(
        seed=3, rates=dict.fromkeys(set(KINDS) - {"nonsense"}, 0.02), late_seconds=0.5, drip_seconds=0.5
    )
    sent = await asyncio.gather(
        *(trade(client, random.Random(number), 10) for number, client in enumerate(clients))
    )
    await asyncio.sleep(0.5)
    await lab.house().stop_crowd(SYMBOL)
    for number, client in enumerate(clients):
        await client.close()
        entries = lab.exchange.journal.entries(account=f"trader {number}")
        counted = tally(entries)
        assert counted.duplicates == {}
        assert {entry.client_id for entry in entries} <= sent[number]
        bought = sum(
            (fill.amount if fill.side == "buy" else -fill.amount)
            for fill in lab.exchange.fills(f"trader {number}")
        )
        assert counted.position.get(SYMBOL, Decimal(0)) == bought
    assert lab.exchange.journal.entries(event=Event.FILLED)
    assert lab.conserves_balances()


async def test_the_record_tells_an_accepted_order_from_a_lost_one(
    lab: Lab, lab_session: aiohttp.ClientSession, trader: ApiKey
) -> None:
    """Every order that was accepted has a request that took effect, and the other way round."""
    lab.gather_crowd(SYMBOL, Decimal(50_000))
    commands = Commands(lab)
    (client,) = open_clients(lab, lab_session, 1)
    await client.load_markets()
    commands.set_weather(seed=5, rates={"drop_before": 0.3, "drop_after": 0.3, "page_after": 0.2})
    sent = await trade(client, random.Random(5), 20)
    await client.close()
    effective = [seen for seen in lab.requests.select(method="POST") if seen.took_effect]
    accepted = {order.client_id for order in lab.exchange.orders("trader 0")}
    assert {name for name in sent if any(name in seen.query + seen.body for seen in effective)} == accepted
    assert 0 < len(accepted) < len(sent)
