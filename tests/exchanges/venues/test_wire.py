"""What clients share, the way out through a proxy, and that no secret is ever written down."""

from __future__ import annotations

import asyncio
import base64
import logging
import socket
import traceback

import pytest

from exchanges.errors import (
    CredentialsError,
    OutcomeUnknownError,
    ProxyAuthError,
    ProxyDownError,
    VenueDownError,
    VenueError,
)
from exchanges.gateway import Proxy
from exchanges.venues import wire as wire_module
from exchanges.venues.wire import Wire, build_connector
from tests.exchanges.venues.conftest import KEY, SECRET, SYMBOL, Lab, OpenGateway, buy
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.faults import hang_after_accept, server_error
from tests.lab.resolver import LabResolver
from vault.secret import Secret

PASSWORD = "p@ss:w/rd%#1-canary"
LOGIN = base64.b64encode(f"desk:{PASSWORD}".encode()).decode()
CANARIES = (KEY, SECRET, PASSWORD, LOGIN, "p%40ss%3Aw%2Frd%25%231-canary")


def through(proxy: ConnectProxy, password: str = PASSWORD) -> Proxy:
    return Proxy(url=proxy.url, username="desk", password=Secret(password))


async def test_every_request_goes_through_the_proxy_with_its_raw_password(
    lab: Lab, open_binance: OpenGateway
) -> None:
    async with ConnectProxy(lab.server.port, "desk", PASSWORD) as proxy:
        gateway = open_binance(proxy=through(proxy))
        await gateway.fetch_balances()
        await gateway.place(buy("0.5", "40000"))
        await gateway.close()

    assert set(proxy.targets) == {"api.binance.com:443"}
    assert len(lab.server.requests.select()) == 3


async def test_a_proxy_that_refuses_the_login_is_never_bypassed(lab: Lab, open_binance: OpenGateway) -> None:
    async with ConnectProxy(lab.server.port, "desk", PASSWORD) as proxy:
        with pytest.raises(ProxyAuthError, match="407"):
            await open_binance(proxy=through(proxy, "stale-password")).fetch_time()

    assert lab.server.requests.select() == []


async def test_a_proxy_that_is_gone_is_named_and_never_bypassed(lab: Lab, open_binance: OpenGateway) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    gone = Proxy(url=f"http://127.0.0.1:{port}", username="desk", password=Secret(PASSWORD))

    with pytest.raises(ProxyDownError, match="proxy"):
        await open_binance(proxy=gone).fetch_time()

    assert lab.server.requests.select() == []


async def test_in_production_a_certificate_that_nobody_trusts_stops_everything(
    lab: Lab, open_binance: OpenGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolver = LabResolver(lab.server.port)
    monkeypatch.setattr(wire_module, "build_connector", lambda: build_connector(resolver=resolver))

    with pytest.raises(VenueDownError, match="certificate"):
        await open_binance().fetch_time()

    assert lab.server.requests.select() == []


async def test_the_environments_proxies_are_not_used(
    lab: Lab, open_binance: OpenGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")

    await open_binance().fetch_time()

    assert len(lab.server.requests.select(path="/api/v3/time")) == 1


async def test_a_colon_in_the_proxys_user_name_is_named(lab: Lab, open_binance: OpenGateway) -> None:
    with pytest.raises(ProxyAuthError, match="colon"):
        await open_binance(proxy=Proxy(url="http://127.0.0.1:1", username="desk:1")).fetch_time()


async def test_a_secret_that_the_vault_cannot_open_is_the_connections_error(
    lab: Lab, open_binance: OpenGateway
) -> None:
    lost = Secret.from_sealed("enc1:00000000:lost")

    with pytest.raises(CredentialsError, match="00000000"):
        await open_binance(proxy=Proxy(url="http://127.0.0.1:1", password=lost)).fetch_time()


async def test_connections_on_one_way_out_share_a_session(wire: Wire, open_binance: OpenGateway) -> None:
    assert open_binance()._client.session is open_binance()._client.session


async def test_proxies_that_differ_in_the_password_only_are_two_ways(wire: Wire) -> None:
    first, second = (Proxy(url="http://127.0.0.1:1", password=Secret(word)) for word in ("one", "two"))

    assert wire.session(first) is not wire.session(second)
    assert wire.session(first) is not wire.session(None)


async def test_a_caller_that_gives_up_loading_markets_does_not_fail_the_others(
    lab: Lab, open_binance: OpenGateway
) -> None:
    first, second = open_binance(), open_binance()
    hasty = asyncio.create_task(first.load_markets())
    patient = asyncio.create_task(second.load_markets())
    await asyncio.sleep(0)
    hasty.cancel()

    assert SYMBOL in await patient


async def test_an_order_whose_answer_does_not_come_in_time_is_unknown(
    lab: Lab, open_binance: OpenGateway
) -> None:
    gateway, request = open_binance(), buy("0.5", "40000")
    await gateway.load_markets()
    gateway._client.timeout = 300
    lab.server.faults.add(hang_after_accept(method="POST", path="/api/v3/order"))

    with pytest.raises(OutcomeUnknownError, match="in time"):
        await gateway.place(request)

    assert [order.client_id for order in lab.exchange.open_orders("desk")] == [request.client_id]


async def failures(lab: Lab, open_binance: OpenGateway) -> list[VenueError]:
    """One of each kind: the proxy's, the key's, the signature's and the venue's."""
    found: list[VenueError] = []

    async def fails(kind: type[VenueError], gateway: object) -> None:
        try:
            await gateway.place(buy("0.5", "40000"))  # type: ignore[attr-defined]
        except kind as error:
            found.append(error)

    async with ConnectProxy(lab.server.port, "desk", "another") as proxy:
        await fails(ProxyAuthError, open_binance(proxy=through(proxy)))
    unused = Proxy(url="http://127.0.0.1:1", username="desk", password=Secret(PASSWORD))
    await fails(ProxyDownError, open_binance(proxy=unused))
    await fails(CredentialsError, open_binance(secret="WrongSecretOfTheDesk"))
    lab.server.faults.add(server_error(502, method="POST", path="/api/v3/order"))
    await fails(OutcomeUnknownError, open_binance())
    lab.dialect.keys[KEY].is_revoked = True
    await fails(CredentialsError, open_binance())
    return found


async def test_no_secret_is_in_an_exception_a_traceback_or_a_log(
    lab: Lab, open_binance: OpenGateway, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    found = await failures(lab, open_binance)

    assert len(found) == 5
    written = [caplog.text, *(repr(error) + error.text for error in found)]
    written += ["".join(traceback.format_exception(error)) for error in found]
    assert [canary for canary in CANARIES for text in written if canary in text] == []
    assert all(error.__cause__ is None and error.__context__ is None for error in found)
