"""Pytest fixtures around a lab in the test's own loop; loaded by tests/conftest.py."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import aiohttp
import pytest
import pytest_asyncio

from tests.lab.accounts import ApiKey
from tests.lab.lab import Lab

API_KEY = "LabKey" + "k" * 58
API_SECRET = "LabSecret" + "s" * 55


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Lab() as lab:
        yield lab
        assert lab.conserves_balances()


@pytest.fixture
def trader(lab: Lab) -> ApiKey:
    """An account with 10,000 USDT and 1 BTC, and a key that may trade."""
    balances = {"USDT": Decimal(10_000), "BTC": Decimal(1)}
    return lab.open_account("trader", key=API_KEY, secret=API_SECRET, balances=balances)


@pytest_asyncio.fixture
async def lab_session(lab: Lab) -> AsyncIterator[aiohttp.ClientSession]:
    """For ccxt's constructor, `{"session": lab_session}`: production URLs lead to the lab through it."""
    async with aiohttp.ClientSession(connector=lab.connector()) as session:
        yield session
