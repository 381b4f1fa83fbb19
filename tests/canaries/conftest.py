"""A connection with canary secrets behind a proxy, a bot on it, and all that is logged meanwhile."""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator
from decimal import Decimal

import pytest
from django.contrib.auth.models import User
from django.test import Client

from bots.models import BotState, SpreadBot
from exchanges import services
from exchanges.models import ExchangeConnection
from exchanges.venues import door
from exchanges.venues import wire as wire_module
from tests.canaries import (
    API_KEY,
    API_SECRET,
    PASSWORD,
    USERNAME,
)
from tests.canaries.planted import SECRETS
from tests.lab.background import BackgroundLab, background_lab
from vault.redaction import RedactingHandler

SYMBOL = "BTC/USDT"


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundLab]:
    """The only account is reached through the proxy."""
    with background_lab(username=USERNAME, password=PASSWORD) as background:
        monkeypatch.setattr(wire_module, "build_connector", background.lab.connector)
        balances = {"USDT": Decimal(100_000), "BTC": Decimal(1)}
        background.call(
            lambda: background.lab.open_account("desk", key=API_KEY, secret=API_SECRET, balances=balances)
        )
        background.call(lambda: background.lab.gather_crowd(SYMBOL, Decimal(50_000)))
        yield background


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What the product's own handler writes when every logger there is says all it can."""
    (handler,) = [each for each in logging.root.handlers if isinstance(each, RedactingHandler)]
    written = io.StringIO()
    stream = handler.setStream(written)
    names = {"", "ccxt", "aiohttp.client", door.__name__, *logging.root.manager.loggerDict}
    loggers = [logging.getLogger(name) for name in names]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.DEBUG)
    yield written
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    handler.setStream(stream or io.StringIO())


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def client(boss: User) -> Client:
    browser = Client()
    browser.force_login(boss)
    return browser


@pytest.fixture
def connection(boss: User, lab: BackgroundLab) -> ExchangeConnection:
    return services.create_connection(
        actor=boss, owner=boss, name="Main", venue="binance", mode="live", proxy_url=lab.proxy.url,
        proxy_username=USERNAME, secrets=SECRETS,
    )  # fmt: skip


@pytest.fixture
def bot(connection: ExchangeConnection) -> SpreadBot:
    return SpreadBot.objects.create(
        name="Maker", connection=connection, symbol=SYMBOL, bid_spread_pct="0.01", ask_spread_pct="0.01",
        order_amount="0.01", state=BotState.RUNNING, cycle_seconds=1,
    )  # fmt: skip
