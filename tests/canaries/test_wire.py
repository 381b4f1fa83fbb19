"""Nothing that can happen on the way to a venue shows a secret: in no error, log, page or row."""

from __future__ import annotations

import asyncio
import gc
import io
import json
import logging
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from exchanges import services
from exchanges.errors import (
    CredentialsError,
    OutcomeUnknownError,
    ProxyAuthError,
    ProxyDownError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import ConnectionSpec, Credentials, Gateway
from exchanges.models import ExchangeConnection
from exchanges.selectors import connection_spec
from exchanges.types import OrderRequest, OrderType, Side, TimeInForce
from exchanges.venues import wire as wire_module
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire, build_connector
from tests.canaries import (
    API_KEY,
    API_SECRET,
    PASSWORD,
    WRONG_KEY,
    WRONG_PASSWORD,
    leaks,
)
from tests.canaries.planted import change_secret, rows, story
from tests.lab.background import BackgroundLab
from tests.lab.faults import Effect, Fault, Stage, drop_after_accept, hang_after_accept, server_error
from tests.lab.resolver import LabResolver
from tests.lab.wire import WireAnswer
from vault.secret import Secret

SYMBOL = "BTC/USDT"
pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.any_database,
    # A loop that ends while a request is given up leaves that one's TLS goodbye unsaid and its socket open.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


def test_a_test_through_the_proxy_shows_no_secret(
    connection: ExchangeConnection, boss: User, lab: BackgroundLab, logs: io.StringIO
) -> None:
    report = services.test_connection(connection=connection, actor=boss)
    assert report.ok, report.steps
    assert set(lab.proxy.targets) == {"api.binance.com:443"}
    assert "api.binance.com" in logs.getvalue()  # the loggers do speak
    assert leaks(repr(report) + logs.getvalue() + rows()) == []


@pytest.mark.parametrize(
    ("changed", "step"),
    [({"proxy_password": WRONG_PASSWORD}, "Proxy"), ({"api_key": WRONG_KEY}, "Key"),
     ({"api_secret": WRONG_KEY}, "Key")],
    ids=["proxy password", "key", "secret"],
)  # fmt: skip
def test_a_failed_test_shows_no_secret(
    client: Client, connection: ExchangeConnection, logs: io.StringIO, changed: dict[str, str], step: str
) -> None:
    change_secret(connection, **changed)
    act = reverse("admin:exchanges_exchangeconnection_act", args=[connection.pk, "test"])
    page = client.post(act, follow=True).content.decode()
    assert f"{step}: " in page
    assert leaks(page + logs.getvalue() + rows()) == []


async def ask(gateway: Gateway) -> None:
    await gateway.fetch_balances()


async def place(gateway: Gateway) -> None:
    await gateway.load_markets()
    gateway._client.timeout = 300  # type: ignore[attr-defined]  # ccxt's, in ms
    await gateway.place(
        OrderRequest(
            client_id="c" * 32, symbol=SYMBOL, side=Side.BUY, type=OrderType.LIMIT, amount=Decimal("0.01"),
            price=Decimal(40_000), post_only=False, time_in_force=TimeInForce.GTC,
        )
    )  # fmt: skip


def nobody_listens() -> str:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


def no_resolver(**options: Any) -> Any:
    class Nowhere(LabResolver):
        async def resolve(self, host: str, port: int = 0, family: Any = socket.AF_INET) -> Any:
            raise OSError(f"no such host {host}")

    return build_connector(resolver=Nowhere(0))


ORDER: dict[str, str] = {"method": "POST", "path": "/api/v3/order"}
WRONG_CREDENTIALS = Credentials(api_key=Secret(WRONG_KEY), api_secret=Secret(API_SECRET))
WRONG_SIGNATURE = Credentials(api_key=Secret(API_KEY), api_secret=Secret(WRONG_KEY))


@dataclass(frozen=True, kw_only=True)
class Mishap:
    """credentials, password, proxy_url: instead of the right ones; fault: the lab's; connector: ours."""

    expected: type[VenueError]
    act: Callable[[Gateway], Awaitable[None]] = ask
    credentials: Credentials | None = None
    password: str = PASSWORD
    proxy_url: Callable[[], str] | None = None
    fault: Callable[[], Fault] | None = None
    connector: Callable[..., Any] | None = None

    def changed(self, spec: ConnectionSpec) -> ConnectionSpec:
        assert spec.proxy is not None
        url = self.proxy_url() if self.proxy_url else spec.proxy.url
        proxy = (
            None
            if self.connector is no_resolver
            else replace(spec.proxy, url=url, password=Secret(self.password))
        )
        return replace(spec, proxy=proxy, credentials=self.credentials or spec.credentials)


MISHAPS = {
    "the proxy refuses the login": Mishap(expected=ProxyAuthError, password=WRONG_PASSWORD),
    "the proxy is gone": Mishap(expected=ProxyDownError, proxy_url=nobody_listens),
    "the key is unknown": Mishap(expected=CredentialsError, credentials=WRONG_CREDENTIALS),
    "the signature is wrong": Mishap(expected=CredentialsError, credentials=WRONG_SIGNATURE),
    "a key without a secret": Mishap(
        expected=CredentialsError, credentials=Credentials(api_key=Secret(API_KEY))
    ),
    "the answer does not come": Mishap(
        expected=OutcomeUnknownError, act=place, fault=lambda: hang_after_accept(**ORDER)
    ),
    "the connection breaks": Mishap(
        expected=OutcomeUnknownError, act=place, fault=lambda: drop_after_accept(**ORDER)
    ),
    "the venue is out of order": Mishap(expected=VenueDownError, fault=lambda: server_error(502)),
    "the venue repeats what it was sent": Mishap(
        expected=VenueError, fault=lambda: echo(API_KEY, API_SECRET, PASSWORD)
    ),
    "a stranger's certificate": Mishap(expected=VenueDownError, connector=build_connector),
    "no such host": Mishap(expected=VenueDownError, connector=no_resolver),
}  # fmt: skip


def echo(*secrets: str) -> Fault:
    body = json.dumps({"code": -9000, "msg": f"You sent {' and '.join(secrets)}"}).encode()
    answer = WireAnswer(status=400, headers={"Content-Type": "application/json"}, body=body)
    return Fault(effect=Effect.ANSWER, stage=Stage.BEFORE, answer=answer, path="/api/v3/account", times=None)


def error_of(spec: ConnectionSpec, act: Callable[[Gateway], Awaitable[None]]) -> VenueError:
    async def run() -> None:
        async with Wire() as wire:
            gateway = open_gateway(spec, wire=wire)
            try:
                await act(gateway)
            finally:
                await gateway.close()

    with pytest.raises(VenueError) as caught:
        asyncio.run(run())
    gc.collect()  # what the ended loop left is collected, and forgiven, in this test and in no other
    return caught.value


@pytest.mark.parametrize("mishap", MISHAPS.values(), ids=MISHAPS)
def test_no_failure_on_the_wire_shows_a_secret(
    connection: ExchangeConnection, lab: BackgroundLab, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch,
    mishap: Mishap,
) -> None:  # fmt: skip
    if mishap.connector:
        monkeypatch.setattr(wire_module, "build_connector", mishap.connector)
    if mishap.fault:
        fault = mishap.fault()
        lab.call(lambda: lab.lab.faults.add(fault))

    error = error_of(mishap.changed(connection_spec(connection)), mishap.act)

    assert isinstance(error, mishap.expected), error
    assert leaks(story(error)) == []
    logging.getLogger("bots").error("it failed", exc_info=error)
    assert "it failed" in logs.getvalue()
    assert leaks(logs.getvalue()) == []
