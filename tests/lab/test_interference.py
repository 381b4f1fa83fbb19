"""Streams in trouble, as unmodified ccxt.pro clients meet them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import aiohttp
import ccxt
import ccxt.pro as ccxtpro
import pytest
import pytest_asyncio

from tests.lab.commands import Commands
from tests.lab.crowd import Crowd
from tests.lab.lab import Lab

SYMBOL = "BTC/USDT"
PATIENCE_SECONDS = 10


@pytest.fixture(params=["binance", "okx"])
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def crowd(lab: Lab, venue: str) -> Crowd:
    return lab.house(venue).gather_crowd(SYMBOL, Decimal(50_000))


@pytest.fixture
def commands(lab: Lab, venue: str, crowd: Crowd) -> Commands:
    return Commands(lab, venue)


@pytest_asyncio.fixture
async def listener(lab_session: aiohttp.ClientSession, venue: str, crowd: Crowd) -> AsyncIterator[Any]:
    """It has heard a book, and goes on listening."""
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    client = getattr(ccxtpro, venue)({"session": lab_session, "enableRateLimit": False, "options": options})
    await client.load_markets()
    await heard(client)
    yield client
    await client.close()


async def heard(client: Any) -> Any:
    return await asyncio.wait_for(client.watch_order_book(SYMBOL), PATIENCE_SECONDS)


async def heard_after(client: Any, crowd: Crowd) -> Any:
    """The book that is told when the crowd has moved."""
    following = asyncio.ensure_future(heard(client))
    await asyncio.sleep(0.1)
    crowd.quote()
    return await following


async def test_a_change_that_is_lost_is_noticed_by_the_next_one(
    listener: Any, commands: Commands, crowd: Crowd
) -> None:
    commands.lose_stream_texts(count=1)
    crowd.quote()
    await asyncio.sleep(0.1)

    with pytest.raises((ccxt.InvalidNonce, ccxt.ChecksumError)):
        await heard_after(listener, crowd)


async def test_a_silent_stream_tells_nothing_until_it_speaks_again(
    listener: Any, commands: Commands, crowd: Crowd
) -> None:
    commands.silence_streams(on=True)
    listening = asyncio.ensure_future(listener.watch_order_book(SYMBOL))
    await asyncio.sleep(0.1)
    crowd.quote()
    await asyncio.sleep(0.2)
    assert not listening.done()

    commands.calm()
    crowd.quote()
    with pytest.raises((ccxt.InvalidNonce, ccxt.ChecksumError)):  # it has missed something
        await asyncio.wait_for(listening, PATIENCE_SECONDS)


async def test_a_connection_that_is_cut_is_made_anew(
    listener: Any, commands: Commands, crowd: Crowd, lab: Lab, venue: str
) -> None:
    listening = asyncio.ensure_future(heard(listener))
    await asyncio.sleep(0.1)

    commands.cut_streams()
    with pytest.raises(ccxt.NetworkError):
        await listening

    await heard(listener)
    book = await heard_after(listener, crowd)
    best = lab.house(venue).exchange.market(SYMBOL).book.bids.best_price
    assert Decimal(str(book["bids"][0][0])) == best
