"""A crowd, the commands and an unmodified ccxt client, for tests of the lab itself."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import aiohttp
import ccxt.async_support as ccxt
import pytest
import pytest_asyncio

from tests.lab.accounts import ApiKey
from tests.lab.commands import Commands
from tests.lab.crowd import Crowd
from tests.lab.lab import Lab

SYMBOL = "BTC/USDT"


@pytest.fixture
def crowd(lab: Lab) -> Crowd:
    return lab.gather_crowd(SYMBOL, Decimal(50_000))


@pytest.fixture
def commands(lab: Lab, crowd: Crowd) -> Commands:
    return Commands(lab)


@pytest_asyncio.fixture
async def client(
    lab_session: aiohttp.ClientSession, trader: ApiKey, crowd: Crowd
) -> AsyncIterator[ccxt.binance]:
    options = {"fetchMarkets": {"types": ["spot"]}, "fetchCurrencies": False, "fetchMargins": False}
    binance = ccxt.binance(
        {
            "apiKey": trader.key,
            "secret": trader.secret,
            "session": lab_session,
            "enableRateLimit": False,
            "timeout": 5000,
            "options": options,
        }
    )
    await binance.load_markets()
    yield binance
    await binance.close()
