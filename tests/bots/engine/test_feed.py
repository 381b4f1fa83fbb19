"""One request serves all who ask at about the same time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from bots.engine import feed as feed_module
from bots.engine.feed import Feed, Feeds
from exchanges.errors import VenueDownError
from exchanges.gateway import Proxy
from exchanges.types import Book
from tests.bots.engine.fake_venue import FakeGateway, FakeVenue, book
from vault.secret import Secret

SYMBOL = "BTC/USDT"


@dataclass
class SlowSource(FakeGateway):
    """Answers a request for a book when the test opens the gate."""

    venue: FakeVenue = field(default_factory=FakeVenue)
    asked: int = 0
    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def fetch_book(self, symbol: str) -> Book:
        self.asked += 1
        await self.gate.wait()
        if self.error:
            raise self.error
        return book(symbol)


async def a_moment() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


async def test_those_who_ask_together_share_one_request() -> None:
    source = SlowSource()
    feed = Feed(source)
    asking = [asyncio.create_task(feed.fetch_book(SYMBOL)) for _ in range(3)]
    await a_moment()
    source.gate.set()
    books = await asyncio.gather(*asking)
    assert source.asked == 1
    assert books[0] is books[1] is books[2]


async def test_an_error_reaches_all_who_wait_and_is_not_remembered() -> None:
    source = SlowSource(error=VenueDownError("down"))
    feed = Feed(source)
    asking = [asyncio.create_task(feed.fetch_book(SYMBOL)) for _ in range(3)]
    await a_moment()
    source.gate.set()
    answers = await asyncio.gather(*asking, return_exceptions=True)
    assert [type(answer) for answer in answers] == [VenueDownError] * 3
    source.error = None
    assert (await feed.fetch_book(SYMBOL)).symbol == SYMBOL
    assert source.asked == 2


async def test_a_caller_that_is_cancelled_leaves_the_request_to_the_others() -> None:
    source = SlowSource()
    feed = Feed(source)
    first, second = (asyncio.create_task(feed.fetch_book(SYMBOL)) for _ in range(2))
    await a_moment()
    first.cancel()
    await a_moment()
    source.gate.set()
    assert (await second).symbol == SYMBOL
    assert first.cancelled()
    assert source.asked == 1


async def test_an_error_that_nobody_waits_for_any_more_is_no_warning() -> None:
    source = SlowSource(error=VenueDownError("down"))
    feed = Feed(source)
    only = asyncio.create_task(feed.fetch_book(SYMBOL))
    await a_moment()
    only.cancel()
    source.gate.set()
    await a_moment()
    assert feed.last_book(SYMBOL) is None


async def test_a_fresh_answer_is_given_again_and_an_old_one_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(feed_module, "uptime", lambda: now)
    source = SlowSource()
    source.gate.set()
    feed = Feed(source)
    await feed.fetch_book(SYMBOL, max_age=2.0)
    now = 102.0
    await feed.fetch_book(SYMBOL, max_age=2.0)
    assert source.asked == 1
    now = 102.5
    await feed.fetch_book(SYMBOL, max_age=2.0)
    assert source.asked == 2


async def test_an_answer_is_as_old_as_its_request(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(feed_module, "uptime", lambda: now)
    source = SlowSource()
    feed = Feed(source)
    asking = asyncio.create_task(feed.fetch_book(SYMBOL, max_age=2.0))
    await a_moment()
    now = 105.0
    source.gate.set()
    await asking
    await feed.fetch_book(SYMBOL, max_age=2.0)
    assert source.asked == 2


async def test_symbols_are_asked_for_apart() -> None:
    source = SlowSource()
    source.gate.set()
    feed = Feed(source)
    assert (await feed.fetch_book(SYMBOL)).symbol == SYMBOL
    assert (await feed.fetch_book("ETH/USDT")).symbol == "ETH/USDT"


async def test_the_last_book_stays_after_a_failure() -> None:
    source = SlowSource()
    source.gate.set()
    feed = Feed(source)
    last = await feed.fetch_book(SYMBOL, max_age=-1)
    source.error = VenueDownError("down")
    with pytest.raises(VenueDownError):
        await feed.fetch_book(SYMBOL, max_age=-1)
    assert feed.last_book(SYMBOL) is last


async def test_answers_that_nobody_asks_for_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    monkeypatch.setattr(feed_module, "uptime", lambda: now)
    source = SlowSource()
    source.gate.set()
    feed = Feed(source)
    await feed.fetch_book("OLD/USDT")
    await feed.fetch_book(SYMBOL)
    now += feed_module.FORGOTTEN_AFTER_SECONDS + 1
    await feed.fetch_book(SYMBOL)
    await feed.fetch_book("NEW/USDT")
    assert feed.last_book("OLD/USDT") is None
    assert feed.last_book(SYMBOL)
    assert feed.last_book("NEW/USDT")


async def test_closing_ends_what_is_under_way() -> None:
    feed = Feed(SlowSource())
    asking = asyncio.create_task(feed.fetch_book(SYMBOL))
    await a_moment()
    await feed.close()
    with pytest.raises(asyncio.CancelledError):
        await asking


async def test_there_is_one_feed_for_a_venue_and_a_way_out() -> None:
    opened: list[tuple[str, Proxy | None]] = []

    def open_source(venue: str, proxy: Proxy | None) -> SlowSource:
        opened.append((venue, proxy))
        return SlowSource()

    feeds = Feeds(open_source)
    proxy = Proxy(url="http://127.0.0.1:3128", username="desk", password=Secret("p"))
    assert feeds.feed("binance", None) is feeds.feed("binance", None)
    assert feeds.feed("binance", proxy) is feeds.feed("binance", proxy)
    assert feeds.feed("binance", proxy) is not feeds.feed("binance", None)
    assert opened == [("binance", None), ("binance", proxy)]
    await feeds.close()


async def test_a_feed_that_nobody_asks_any_more_goes_when_another_is_opened() -> None:
    feeds = Feeds(lambda _venue, _proxy: FakeGateway(FakeVenue()))
    ways = [Proxy(url="http://127.0.0.1:1", password=Secret(password)) for password in ("old", "new")]
    old, direct = feeds.feed("binance", ways[0]), feeds.feed("binance", None)
    for feed in (old, direct):
        feed._asked_at -= feed_module.FORGOTTEN_AFTER_SECONDS + 1
    await direct.fetch_book(SYMBOL)

    feeds.feed("binance", ways[1])

    assert feeds.feed("binance", None) is direct
    assert feeds.feed("binance", ways[0]) is not old
    await feeds.close()


async def test_a_days_volumes_are_asked_for_once_in_ten_minutes() -> None:
    venue = FakeVenue(day_volumes={SYMBOL: Decimal(5)})
    feed = Feed(FakeGateway(venue))

    first, second = await feed.fetch_day_volumes(), await feed.fetch_day_volumes()
    fresh = await feed.fetch_day_volumes(max_age=-1)

    assert first == second == fresh == {SYMBOL: 5}
    assert venue.counts()["fetch_day_volumes"] == 2
