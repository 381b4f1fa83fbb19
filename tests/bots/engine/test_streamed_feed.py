"""A feed at the lab that follows books: what the venue tells is served, mended when wrong, and wakes."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from bots.engine import live_book
from bots.engine.feed import Feed, Feeds
from exchanges.errors import Trouble
from exchanges.types import Book
from exchanges.venues import ccxt_stream
from exchanges.venues import wire as wire_module
from exchanges.venues.registry import open_book_stream, open_market_data
from tests.exchanges.venues.streams_desk import SYMBOLS, StreamsDesk, streams_desk, until
from tests.lab.lab import Lab


@pytest.fixture(params=list(SYMBOLS))
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(autouse=True)
def sooner(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, seconds in (
        ("FIRST_WAIT_SECONDS", 0.2),
        ("LOOK_SECONDS", 0.05),
        ("QUIET_SECONDS", 1.0),
        ("GRACE_SECONDS", 0.3),
    ):
        monkeypatch.setattr(live_book, name, seconds)
    monkeypatch.setattr(ccxt_stream, "FIRST_BOOK_SECONDS", 2.0)


@dataclass
class FollowingDesk:
    desk: StreamsDesk
    feed: Feed
    wakes: list[float] = field(default_factory=list)

    def wake(self) -> None:
        self.wakes.append(asyncio.get_running_loop().time())

    @property
    def served(self) -> Book | None:
        """Without a request."""
        assert self.feed._live is not None
        return self.feed._live.book(self.desk.symbol)

    def is_true(self) -> bool:
        return self.desk.shows(self.served)

    async def until_mended(self, trouble: Trouble) -> None:
        await until(lambda: trouble in self.feed.repairs, 15)
        await until(self.is_true)


@pytest_asyncio.fixture
async def following(lab: Lab, venue: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FollowingDesk]:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    async with streams_desk(lab, venue) as desk:
        feeds = Feeds(
            lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=desk.wire),
            lambda venue, proxy: open_book_stream(venue, proxy=proxy, wire=desk.wire),
        )
        following = FollowingDesk(desk, feeds.feed(venue, None))
        following.feed.listen(desk.symbol, following.wake)
        await until(following.is_true)
        yield following
        await feeds.close()


async def test_a_change_at_the_venue_wakes_and_is_served_without_a_request(following: FollowingDesk) -> None:
    requests = following.desk.lab.requests.last
    before = len(following.wakes)
    following.desk.crowd.move_price(following.desk.crowd.price * 2 / 3)
    await until(lambda: len(following.wakes) > before)
    assert following.is_true()
    asked = await following.feed.fetch_book(following.desk.symbol, max_age=0)
    assert (
        asked.best_bid == following.desk.house.exchange.market(following.desk.symbol).book.bids.levels()[0][0]
    )
    assert following.desk.lab.requests.last == requests


async def test_a_burst_of_changes_wakes_few_times(following: FollowingDesk) -> None:
    before = len(following.wakes)
    following.desk.crowd.step(60)
    await until(lambda: following.is_true() and len(following.wakes) > before)
    assert len(following.wakes) - before <= 3


async def test_a_lost_message_is_mended(following: FollowingDesk) -> None:
    following.desk.trouble.lose_stream_texts(count=1)
    following.desk.crowd.step()
    await asyncio.sleep(0.2)
    following.desk.crowd.step()
    await following.until_mended(Trouble.CHECKSUM if following.desk.venue == "kraken" else Trouble.GAP)


@pytest.mark.parametrize("venue", ["binance", "okx", "kraken"])  # at Coinbase a numbered heartbeat follows
async def test_a_lost_message_that_none_follows_is_found_by_asking(following: FollowingDesk) -> None:
    following.desk.trouble.lose_stream_texts(count=1)
    following.desk.crowd.step()
    await following.until_mended(Trouble.DIFFERENCE)


async def test_a_cut_connection_is_mended(following: FollowingDesk) -> None:
    following.desk.trouble.cut_streams()
    await until(lambda: following.served is None)
    following.desk.crowd.step()
    book = await following.feed.fetch_book(following.desk.symbol, max_age=-1)  # by a request
    assert book.bids
    await following.until_mended(Trouble.CUT)


async def test_a_venue_that_fell_silent_is_found_out(following: FollowingDesk) -> None:
    following.desk.trouble.silence_streams(on=True)
    following.desk.crowd.step()
    await until(lambda: following.feed.repairs, 15)
    assert set(following.feed.repairs) <= {Trouble.SILENCE, Trouble.DIFFERENCE}
    assert following.served is None
    following.desk.trouble.silence_streams(on=False)
    await until(following.is_true, 25)


async def test_a_venue_that_cannot_be_reached_is_not_stormed(following: FollowingDesk) -> None:
    for _ in range(20):
        following.desk.trouble.cut_streams()
        await asyncio.sleep(0.1)
    assert following.feed.repairs[Trouble.CUT] <= 6
    await until(following.is_true, 20)


async def test_whatever_goes_wrong_in_whatever_order_ends_with_the_true_book(
    following: FollowingDesk,
) -> None:
    chance = random.Random(11)
    trouble, problems = following.desk.trouble, list[object]()
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: problems.append(context))

    def listen_for_a_moment() -> None:
        following.feed.listen(following.desk.symbol, following.wake)()

    mishaps: list[Callable[[], None]] = [
        trouble.cut_streams,
        lambda: trouble.lose_stream_texts(count=2),
        lambda: trouble.silence_streams(on=True),
        lambda: trouble.silence_streams(on=False),
        listen_for_a_moment,
    ]
    for _ in range(150):
        following.desk.crowd.step()
        if chance.random() < 0.1:
            chance.choice(mishaps)()
        await asyncio.sleep(chance.random() * 0.04)
    trouble.calm()

    await until(following.is_true, 30)
    assert following.feed.repairs
    assert problems == []


async def test_who_ends_it_leaves_no_connection(following: FollowingDesk) -> None:
    await following.feed.close()
    assert following.feed.stream._client is None  # type: ignore[union-attr]
    await asyncio.sleep(0.1)
    assert not [task for task in asyncio.all_tasks() if task.get_name().startswith("book of")]
