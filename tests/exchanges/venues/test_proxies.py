"""Each kind of proxy before the lab: what goes through, what is refused, and that nothing goes around it."""

from __future__ import annotations

import asyncio
import gc
import logging
import socket
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp
import ccxt.pro as ccxt_pro
import pytest
from aiohttp import web
from aiohttp.abc import ResolveResult

from exchanges.errors import ProxyAuthError, ProxyDownError, ProxyError, VenueDownError, VenueError
from exchanges.gateway import Proxy
from exchanges.venues import proxy_server
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_errors import Call, translate
from exchanges.venues.dialects import dialect_of
from exchanges.venues.door import Passage
from exchanges.venues.wire import Wire, build_connector
from tests.exchanges.venues.conftest import Lab, OpenGateway, buy
from tests.lab.authority import Authority
from tests.lab.connect_proxy import KINDS, ConnectProxy, LabProxy, SocksProxy, proxy_of
from tests.lab.hosts import ALL_HOSTS
from tests.lab.resolver import LabResolver, lab_connector
from vault.secret import Secret

USERNAME = "desk"
PASSWORD = "p@ss:w/rd%#1-canary"
STALE = "stale-canary-secret"
REFUSED = "The proxy refused the user name or password (407)"

OpenProxy = Callable[..., LabProxy]


@pytest.fixture(scope="module")
def proxy_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Not the one of the lab's venues, though it signs for their names as well."""
    return Authority(tmp_path_factory.mktemp("proxy"), ["localhost", *ALL_HOSTS])


@pytest.fixture
def open_proxy(lab: Lab, proxy_authority: Authority) -> OpenProxy:
    """A proxy of this kind that leads to the lab, or to the port given."""

    def of(kind: str, port: int = 0) -> LabProxy:
        return proxy_of(kind, port or lab.server.port, USERNAME, PASSWORD, proxy_authority)

    return of


def through(proxy: LabProxy, **changes: object) -> Proxy:
    """A connection's proxy: the right one but for what is changed."""
    right = Proxy(url=proxy.url, username=USERNAME, password=Secret(PASSWORD), ca=proxy.ca)
    return replace(right, **changes)  # type: ignore[arg-type]


def nothing_went_around(lab: Lab) -> bool:
    return lab.server.requests.select() == []


# --- What goes through


@pytest.mark.parametrize("kind", KINDS)
async def test_an_account_trades_through_its_proxy_and_the_password_is_raw(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy, kind: str
) -> None:
    async with open_proxy(kind) as proxy:
        gateway = open_binance(proxy=through(proxy))
        await gateway.fetch_balances()
        await gateway.place(buy("0.5", "40000"))
        await gateway._wire.close()

        assert set(proxy.targets) == {"api.binance.com:443"}
        assert (proxy.connections, proxy.refused) == (len(proxy.targets), 0)
    assert len(lab.server.requests.select()) == 3


@pytest.mark.parametrize("kind", KINDS)
async def test_the_venues_name_is_left_to_the_proxy_to_resolve(
    lab: Lab, authority: Authority, open_binance: OpenGateway, open_proxy: OpenProxy,
    monkeypatch: pytest.MonkeyPatch, kind: str,
) -> None:  # fmt: skip
    resolved: list[str] = []

    class Listening(LabResolver):
        async def resolve(self, host: str, *where: Any, **more: Any) -> list[ResolveResult]:
            resolved.append(host)
            return await super().resolve(host, *where, **more)

    def connector(**options: Any) -> aiohttp.TCPConnector:
        opened = lab_connector(lab.server.port, authority.ca_file, **options)
        opened._resolver = Listening(lab.server.port)
        return opened

    monkeypatch.setattr(wire_module, "build_connector", connector)
    async with open_proxy(kind) as proxy:
        await open_binance(proxy=through(proxy)).fetch_time()
        assert resolved == []
    await open_binance().fetch_time()
    assert resolved == ["api.binance.com"]


@asynccontextmanager
async def echo(authority: Authority) -> AsyncIterator[int]:
    """A WebSocket under a venue's name that says what it hears, and /moved, which leads away; its port."""

    async def repeat(request: web.Request) -> web.WebSocketResponse:
        answer = web.WebSocketResponse()
        await answer.prepare(request)
        async for message in answer:
            await answer.send_str(message.data)
        return answer

    async def moved(request: web.Request) -> web.Response:
        raise web.HTTPFound("/ws")

    application = web.Application()
    application.router.add_get("/ws", repeat)
    application.router.add_get("/moved", moved)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=authority.server_context()).start()
    try:
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_websocket_goes_through_the_same_proxy(
    authority: Authority, wire: Wire, open_proxy: OpenProxy, kind: str
) -> None:
    async with echo(authority) as port, open_proxy(kind, port) as proxy:
        session = wire.session(through(proxy))
        async with session.ws_connect("wss://api.binance.com/ws", proxy="http://127.0.0.1:1") as websocket:
            await websocket.send_str("ping")
            assert await websocket.receive_str() == "ping"
        await wire.close()
        assert proxy.targets == ["api.binance.com:443"]


async def test_a_caller_cannot_lead_a_session_through_a_proxy_of_its_own(
    authority: Authority, wire: Wire
) -> None:
    elsewhere = {"proxy": "http://127.0.0.1:1"}
    async with echo(authority) as port:
        session = wire.session(None)
        session._open().connector._resolver._port = port  # type: ignore[union-attr]  # the lab's
        async with session.get("https://api.binance.com/moved", **elsewhere) as answer:
            assert answer.status == 302
        async with session.ws_connect("wss://api.binance.com/ws", **elsewhere) as websocket:
            await websocket.send_str("ping")
            assert await websocket.receive_str() == "ping"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_websocket_whose_proxy_refuses_the_login_is_not_opened(
    lab: Lab, wire: Wire, open_proxy: OpenProxy, kind: str
) -> None:
    async with open_proxy(kind) as proxy:
        session = wire.session(through(proxy, password=Secret(STALE)))
        with pytest.raises(ProxyAuthError, match="407"):
            await session.ws_connect("wss://api.binance.com/ws")
        assert (proxy.connections, proxy.refused) == (1, 1)
    assert nothing_went_around(lab)


class Listener(ccxt_pro.binance):  # type: ignore[misc]  # ccxt is not typed
    """ccxt's own WebSocket client; what it hears is the answer to `heard`."""

    def handle_message(self, client: Any, message: Any) -> None:
        client.resolve(message, "heard")


@pytest.mark.parametrize("kind", KINDS)
async def test_ccxts_websocket_client_takes_the_same_way(
    authority: Authority, wire: Wire, open_proxy: OpenProxy, kind: str
) -> None:
    async with echo(authority) as port, open_proxy(kind, port) as proxy:
        listener = Listener({"session": wire.session(through(proxy))})
        heard = await listener.watch("wss://api.binance.com/ws", "heard", {"say": "ping"}, "heard")
        await listener.close()
        await wire.close()

        assert heard == {"say": "ping"}
        assert proxy.targets == ["api.binance.com:443"]


@pytest.mark.parametrize("kind", KINDS)
async def test_a_login_that_is_refused_to_ccxts_websocket_client_is_the_proxys_error(
    lab: Lab, wire: Wire, open_proxy: OpenProxy, kind: str
) -> None:
    async with open_proxy(kind) as proxy:
        listener = Listener({"session": wire.session(through(proxy, password=Secret(STALE)))})
        with pytest.raises(ccxt_pro.NetworkError) as caught:
            await listener.watch("wss://api.binance.com/ws", "heard", {"say": "ping"}, "heard")
        await listener.close()
        asked = Call(name="watch", title="Binance", connection="Main", dialect=dialect_of("binance"))
        problem = translate(caught.value, asked, Passage())

    assert isinstance(problem, ProxyAuthError)
    assert problem.sentence.startswith(REFUSED)
    assert "canary" not in str(caught.value)
    assert (proxy.connections, proxy.refused) == (1, 1)
    assert nothing_went_around(lab)


async def test_a_redirected_websocket_is_refused(authority: Authority, wire: Wire) -> None:
    async with echo(authority) as port:
        session = wire.session(None)
        session._open().connector._resolver._port = port  # type: ignore[union-attr]  # the lab's
        with pytest.raises(aiohttp.ClientConnectionError, match="redirect"):
            await session.ws_connect("wss://api.binance.com/moved")


# --- What is refused


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refused_login_is_named_within_one_attempt_and_never_bypassed(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy, kind: str
) -> None:
    async with open_proxy(kind) as proxy:
        with pytest.raises(ProxyAuthError) as caught:
            await open_binance(proxy=through(proxy, password=Secret(STALE))).fetch_balances()
        assert (proxy.connections, proxy.refused) == (1, 1)

    assert caught.value.sentence == f"{REFUSED}: enter both again at the connection."
    assert caught.value.code == "407"
    assert nothing_went_around(lab)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_wants_a_login_and_gets_none_says_so(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy, kind: str
) -> None:
    async with open_proxy(kind) as proxy:
        way = through(proxy, username="", password=Secret.empty(), set_where="in QUOTAGUARDSTATIC_URL")
        with pytest.raises(ProxyAuthError, match="both again in QUOTAGUARDSTATIC_URL"):
            await open_binance(proxy=way).fetch_time()
    assert nothing_went_around(lab)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_order_that_a_proxy_turned_away_is_not_unknown(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy, kind: str
) -> None:
    await open_binance().load_markets()
    async with open_proxy(kind) as proxy:
        gateway = open_binance(proxy=through(proxy, password=Secret(STALE)))
        with pytest.raises(ProxyAuthError):
            await gateway.place(buy("0.5", "40000"))
    assert lab.exchange.open_orders("desk") == []


@pytest.mark.parametrize(
    ("status", "kind", "words"),
    [(403, ProxyError, "does not let us reach api.binance.com"), (502, ProxyDownError, "did not reach"),
     (503, ProxyDownError, "503")],
)  # fmt: skip
async def test_what_an_http_proxy_answers_is_named(
    lab: Lab, open_binance: OpenGateway, status: int,
    kind: type[ProxyError], words: str,
) -> None:  # fmt: skip
    async with ConnectProxy(lab.server.port, USERNAME, PASSWORD) as proxy:
        proxy.status = status
        with pytest.raises(kind, match=words) as caught:
            await open_binance(proxy=through(proxy)).fetch_time()
    assert type(caught.value) is kind
    assert nothing_went_around(lab)


@pytest.mark.parametrize(
    ("reply", "kind", "words"),
    [(2, ProxyError, "does not let us reach api.binance.com"), (5, ProxyDownError, "SOCKS reply 5")],
)
async def test_what_a_socks_proxy_replies_is_named(
    lab: Lab, open_binance: OpenGateway, reply: int,
    kind: type[ProxyError], words: str,
) -> None:  # fmt: skip
    async with SocksProxy(lab.server.port, USERNAME, PASSWORD) as proxy:
        proxy.reply = reply
        with pytest.raises(kind, match=words) as caught:
            await open_binance(proxy=through(proxy)).fetch_time()
    assert type(caught.value) is kind
    assert nothing_went_around(lab)


# --- What is set wrongly


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_is_gone_is_named(lab: Lab, open_binance: OpenGateway, kind: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    gone = Proxy(url=f"{kind}://127.0.0.1:{port}", username=USERNAME, password=Secret(PASSWORD))

    with pytest.raises(ProxyDownError, match="cannot be reached"):
        await open_binance(proxy=gone).fetch_time()
    assert nothing_went_around(lab)


@pytest.mark.parametrize(
    ("scheme", "kind", "words"),
    [("http", "https", "write https://"), ("https", "http", "write http://"),
     ("socks5", "http", "not answer as SOCKS5"), ("http", "socks5", "write https://"),
     ("socks5", "https", "SOCKS5"), ("https", "socks5", "write http://")],
)  # fmt: skip
async def test_a_wrong_scheme_is_named_with_its_remedy(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy,
    monkeypatch: pytest.MonkeyPatch, scheme: str, kind: str, words: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(proxy_server, "TUNNEL_SECONDS", 0.5)
    async with open_proxy(kind) as proxy:
        wrong = f"{scheme}://{proxy.host}:{proxy.port}"
        with pytest.raises(ProxyDownError, match=words):
            await open_binance(proxy=through(proxy, url=wrong)).fetch_time()
        assert proxy.targets == []
    assert nothing_went_around(lab)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_proxy_that_never_answers_is_named_and_not_the_venue(
    lab: Lab, open_binance: OpenGateway, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(proxy_server, "TUNNEL_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{kind}://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(ProxyDownError, match="The proxy does not answer"):
            await open_binance(proxy=Proxy(url=url)).fetch_time()
    assert nothing_went_around(lab)


async def test_a_proxys_certificate_that_nobody_trusts_is_named_with_its_remedy(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy
) -> None:
    async with open_proxy("https") as proxy:
        with pytest.raises(ProxyDownError, match=r"certificate is not trusted .*CA bundle"):
            await open_binance(proxy=through(proxy, ca="")).fetch_time()
        assert proxy.targets == []
    assert nothing_went_around(lab)


async def test_the_proxys_authority_is_not_trusted_for_the_venue(
    proxy_authority: Authority,
    open_proxy: OpenProxy,
    open_binance: OpenGateway,
) -> None:
    """Or whoever runs the proxy could show a certificate of his own for the venue."""
    async with echo(proxy_authority) as port, open_proxy("https", port) as proxy:
        with pytest.raises(VenueDownError, match="certificate"):
            await open_binance(proxy=through(proxy)).fetch_time()
        assert proxy.targets == ["api.binance.com:443"]


@pytest.mark.parametrize("kind", KINDS)
async def test_the_venues_certificate_is_verified_inside_the_tunnel(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy,
    monkeypatch: pytest.MonkeyPatch, kind: str,
) -> None:  # fmt: skip
    monkeypatch.setattr(wire_module, "build_connector", build_connector)
    async with open_proxy(kind) as proxy:
        with pytest.raises(VenueDownError, match="certificate"):
            await open_binance(proxy=through(proxy)).fetch_time()
    assert nothing_went_around(lab)


@pytest.mark.parametrize("kind", KINDS)
async def test_an_order_for_a_venue_that_is_not_trusted_was_never_sent(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    await open_binance().load_markets()
    monkeypatch.setattr(wire_module, "build_connector", build_connector)
    asked = len(lab.server.requests.select())
    async with open_proxy(kind) as proxy:
        with pytest.raises(VenueDownError, match="certificate"):
            await open_binance(proxy=through(proxy)).place(buy("0.5", "40000"))
    assert len(lab.server.requests.select()) == asked


async def test_a_ca_bundle_may_be_the_pem_text_itself(
    open_binance: OpenGateway, open_proxy: OpenProxy,
    proxy_authority: Authority,
) -> None:  # fmt: skip
    pem = proxy_authority.ca_file.read_text()
    for text in (pem, pem.replace("\n", "\r\n"), pem.replace("\n", "\\n")):
        async with open_proxy("https") as proxy:
            gateway = open_binance(proxy=through(proxy, ca=text))
            await gateway.fetch_time()
            await gateway._wire.close()


async def test_a_ca_file_that_is_gone_is_named_and_found_again_when_it_is_back(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy,
    proxy_authority: Authority, tmp_path: Path,
) -> None:  # fmt: skip
    file = tmp_path / "ca.pem"
    async with open_proxy("https") as proxy:
        gateway = open_binance(proxy=through(proxy, ca=str(file)))
        with pytest.raises(ProxyDownError, match=r"cannot be read \(there is no such file\)"):
            await gateway.fetch_time()
        assert proxy.connections == 0
        assert nothing_went_around(lab)

        file.write_bytes(proxy_authority.ca_file.read_bytes())
        await gateway.fetch_time()
        await gateway._wire.close()


@pytest.mark.parametrize(
    ("way", "kind", "words"),
    [
        (Proxy(url="proxy.example:3128"), ProxyDownError, "Start the proxy's address"),
        (Proxy(url="ftp://127.0.0.1:1"), ProxyDownError, "Start the proxy's address"),
        (Proxy(url="http://127.0.0.1"), ProxyDownError, "port"),
        (Proxy(url="http://127.0.0.1:1", username="desk:1"), ProxyAuthError, "colon"),
        (Proxy(url="https://127.0.0.1:1", username="desk:1"), ProxyAuthError, "colon"),
        (Proxy(url="socks5://127.0.0.1:1", password=Secret("pässwörd")), ProxyAuthError, "ASCII"),
        (Proxy(url="socks5://127.0.0.1:1", password=Secret("p" * 256)), ProxyAuthError, "255"),
        (Proxy(url="http://no-such-host.invalid:1"), ProxyDownError, "resolved"),
        (Proxy(url="http://[::1]:1", ipv4_only=True), ProxyDownError, "no IPv4 address"),
    ],
)
async def test_a_proxy_that_cannot_work_is_named_and_never_bypassed(
    lab: Lab, open_binance: OpenGateway, way: Proxy, kind: type[VenueError], words: str
) -> None:
    with pytest.raises(kind, match=words):
        await open_binance(proxy=way).fetch_time()
    assert nothing_went_around(lab)


@pytest.fixture
def ipv6_loopback() -> str:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return "::1"
    except OSError:
        pytest.skip("this machine has no IPv6")


@pytest.mark.parametrize("kind", ["http", "socks5"])
async def test_a_proxy_is_reached_over_ipv6_unless_ipv4_was_asked_for(
    lab: Lab, open_binance: OpenGateway, open_proxy: OpenProxy, ipv6_loopback: str, kind: str
) -> None:
    proxy = open_proxy(kind)
    proxy.host = proxy.address = ipv6_loopback
    async with proxy:
        with pytest.raises(ProxyDownError, match="no IPv4 address"):
            await open_binance(proxy=through(proxy, ipv4_only=True)).fetch_time()
        assert nothing_went_around(lab)

        gateway = open_binance(proxy=through(proxy))
        await gateway.fetch_time()
        await gateway._wire.close()
        assert proxy.targets == ["api.binance.com:443"]


@pytest.mark.parametrize("ipv4_only", [False, True])
async def test_a_name_with_addresses_of_both_families_leads_to_the_one_that_answers(
    open_binance: OpenGateway, open_proxy: OpenProxy, monkeypatch: pytest.MonkeyPatch, ipv4_only: bool
) -> None:
    """Nobody listens at the first of them."""

    async def resolve(host: str, port: int, *, family: int = 0, **more: Any) -> list[Any]:
        places = [(socket.AF_INET6, "::1"), (socket.AF_INET, "127.0.0.1")]
        return [(known, socket.SOCK_STREAM, 6, "", (at, port)) for known, at in places
                if family in (0, known)]  # fmt: skip

    async with open_proxy("http") as proxy:
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
        way = through(proxy, url=f"http://proxy.example:{proxy.port}", ipv4_only=ipv4_only)
        gateway = open_binance(proxy=way)
        await gateway.fetch_time()
        await gateway._wire.close()
        assert proxy.connections == 1


async def test_a_socks_user_name_may_hold_a_colon(lab: Lab, open_binance: OpenGateway) -> None:
    async with SocksProxy(lab.server.port, "desk:1", PASSWORD) as proxy:
        gateway = open_binance(proxy=through(proxy, username="desk:1"))
        await gateway.fetch_time()
        await gateway._wire.close()
        assert proxy.targets


# --- What is left behind


@pytest.mark.parametrize("kind", KINDS)
async def test_a_failed_tunnel_is_closed_at_once_and_not_when_it_is_collected(
    open_binance: OpenGateway, open_proxy: OpenProxy, kind: str
) -> None:
    gc.disable()
    try:
        async with open_proxy(kind) as proxy:
            proxy.hangs_up = False
            with pytest.raises(ProxyAuthError) as caught:
                await open_binance(proxy=through(proxy, password=Secret(STALE))).fetch_time()
            async with asyncio.timeout(2):
                await proxy.wait_until_left()
    finally:
        gc.enable()
    assert caught.value.code == "407"


@pytest.mark.parametrize("kind", KINDS)
async def test_a_way_out_that_nobody_takes_any_more_is_closed_when_another_is_opened(
    wire: Wire, open_binance: OpenGateway, open_proxy: OpenProxy, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    async with open_proxy(kind) as proxy:
        before = open_binance(proxy=through(proxy))
        await before.fetch_balances()
        monkeypatch.setattr(wire_module, "IDLE_SECONDS", -1.0)
        wire.session(through(proxy, password=Secret("the next password")))
        async with asyncio.timeout(2):
            await proxy.wait_until_left()
        assert len(wire._sessions) == 1
        assert wire._clients == {}

        dialled = proxy.connections
        await before.fetch_balances()  # who still holds it opens it again
        assert proxy.connections == dialled + 1
        await wire.close()
        async with asyncio.timeout(2):
            await proxy.wait_until_left()


async def test_a_way_out_with_an_open_websocket_stays_open(
    authority: Authority, wire: Wire, open_proxy: OpenProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "IDLE_SECONDS", -1.0)
    async with echo(authority) as port, open_proxy("http", port) as proxy:
        async with wire.session(through(proxy)).ws_connect("wss://api.binance.com/ws") as websocket:
            wire.session(None)
            await asyncio.gather(*wire._closing)
            await websocket.send_str("still here")
            assert await websocket.receive_str() == "still here"
        await wire.close()


@pytest.mark.parametrize("kind", KINDS)
async def test_no_secret_of_a_proxy_is_in_an_error_its_traceback_or_a_log(
    open_binance: OpenGateway, open_proxy: OpenProxy,
    caplog: pytest.LogCaptureFixture, kind: str,
) -> None:  # fmt: skip
    caplog.set_level(logging.DEBUG)
    async with open_proxy(kind) as proxy:
        with pytest.raises(ProxyAuthError) as caught:
            await open_binance(proxy=through(proxy, password=Secret(STALE))).fetch_time()

    error = caught.value
    told = caplog.text + repr(error) + repr(vars(error)) + "".join(traceback.format_exception(error))
    assert "canary" not in told
    assert error.__cause__ is None
    assert error.__context__ is None
