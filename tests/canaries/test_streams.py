"""Books over WebSocket behind a proxy: with the login or without, no secret of it is told anywhere."""

from __future__ import annotations

import asyncio
import io
import traceback
from collections.abc import Iterator
from decimal import Decimal

import pytest

from bots.engine.feed import Feed
from exchanges.errors import ProxyAuthError, Trouble, VenueError
from exchanges.gateway import Proxy
from exchanges.venues import wire as wire_module
from exchanges.venues.registry import open_book_stream, open_market_data
from exchanges.venues.wire import Wire
from tests.canaries import PASSWORD, USERNAME, WRONG_PASSWORD, leaks
from tests.lab.background import BackgroundLab, background_lab
from tests.lab.connect_proxy import KINDS
from vault.secret import Secret

SYMBOL = "BTC/USDT"
PATIENCE_SECONDS = 10


@pytest.fixture(params=KINDS)
def lab(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundLab]:
    with background_lab(username=USERNAME, password=PASSWORD, kind=request.param) as background:
        monkeypatch.setattr(wire_module, "build_connector", background.lab.connector)
        background.call(lambda: background.lab.gather_crowd(SYMBOL, Decimal(50_000)))
        yield background


def proxy_of(lab: BackgroundLab, password: str) -> Proxy:
    return Proxy(url=lab.proxy.url, username=USERNAME, password=Secret(password), ca=lab.proxy.ca)


async def follow_until_woken_and_cut(lab: BackgroundLab, proxy: Proxy) -> Feed:
    woken = asyncio.Event()
    async with Wire() as wire:
        feed = Feed(
            open_market_data("binance", proxy=proxy, wire=wire),
            stream=open_book_stream("binance", proxy=proxy, wire=wire),
        )
        feed.listen(SYMBOL, woken.set)
        async with asyncio.timeout(PATIENCE_SECONDS):
            await woken.wait()
            lab.call(lab.lab.exchange.news.interference.cut)
            while not feed.repairs:  # noqa: ASYNC110 - nothing tells of it
                await asyncio.sleep(0.01)
        await feed.close()
    return feed


def test_a_book_is_followed_through_the_proxy_and_its_login_is_told_nowhere(
    lab: BackgroundLab, logs: io.StringIO
) -> None:
    feed = asyncio.run(follow_until_woken_and_cut(lab, proxy_of(lab, PASSWORD)))

    assert feed.repairs == {Trouble.CUT: 1}
    assert "stream.binance.com:9443" in lab.proxy.targets
    assert SYMBOL in logs.getvalue()
    assert leaks(logs.getvalue() + repr(feed)) == []


def test_a_refused_login_is_told_without_it(lab: BackgroundLab, logs: io.StringIO) -> None:
    async def follow() -> VenueError:
        async with Wire() as wire:
            stream = open_book_stream("binance", proxy=proxy_of(lab, WRONG_PASSWORD), wire=wire)
            assert stream is not None
            try:
                with pytest.raises(ProxyAuthError) as caught:
                    await stream.next_touch(SYMBOL)
                return caught.value
            finally:
                await stream.close()

    error = asyncio.run(follow())

    assert lab.proxy.connections == 1
    assert leaks("".join(traceback.format_exception(error)) + logs.getvalue()) == []
