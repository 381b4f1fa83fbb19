"""A followed book is served while nothing speaks against it, told anew after trouble, and wakes listeners."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from itertools import pairwise
from typing import Any

import pytest

from bots.engine.clock import uptime
from bots.engine.feed import Feed
from exchanges.errors import (
    BookStreamError,
    ProxyDownError,
    ProxyError,
    Trouble,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from tests.bots.engine.fake_stream import SYMBOL, CountingSource, FakeStream, in_virtual_time, other_amount
from tests.bots.engine.fake_venue import book

Scene = Callable[["Desk"], Coroutine[Any, Any, None]]


class Desk:
    """A feed whose venue tells 99/101, and shows it when asked."""

    def __init__(self) -> None:
        self.told = book(SYMBOL, "99", "101")
        self.source = CountingSource(shown=self.told)
        self.stream = FakeStream(books={SYMBOL: self.told})
        self.feed = Feed(self.source, stream=self.stream)
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    async def asks(self) -> bool:
        """Whether who wants the book now makes a request."""
        before = len(self.source.asked)
        await self.feed.fetch_book(SYMBOL, max_age=-1)
        return len(self.source.asked) > before


def scene(play: Scene) -> Callable[[], None]:
    @wraps(play, assigned=("__name__", "__doc__"), updated=())
    def test() -> None:
        async def run() -> None:
            desk = Desk()
            await play(desk)
            await desk.feed.close()
            assert desk.stream.closed
            assert len(asyncio.all_tasks()) == 1

        in_virtual_time(run)

    del test.__wrapped__
    return test


async def a_moment() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


@scene
async def test_a_book_that_nobody_follows_is_asked_for(desk: Desk) -> None:
    assert await desk.asks()
    assert desk.stream.subscribed == []


@scene
async def test_a_followed_book_is_read_by_everybody_without_a_request(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    assert not await desk.asks()
    assert desk.feed.last_book(SYMBOL) is desk.told
    assert desk.feed.followed == (SYMBOL,)
    assert not desk.feed.is_forgotten


@scene
async def test_many_followers_share_one_subscription_and_the_last_one_ends_it(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    ends = [desk.feed.listen(SYMBOL, desk.wake) for _ in range(2)]
    await a_moment()
    assert len(desk.stream.subscribed) == 1
    desk.feed.unfollow(SYMBOL)
    ends[0]()
    ends[0]()
    await a_moment()
    assert not await desk.asks()
    ends[1]()
    await a_moment()
    assert desk.stream.dropped == [SYMBOL]
    assert await desk.asks()


@scene
async def test_who_follows_again_at_once_waits_until_the_old_subscription_is_gone(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    desk.feed.unfollow(SYMBOL)
    desk.feed.follow(SYMBOL)
    await a_moment()
    assert desk.stream.dropped == [SYMBOL]
    assert len(desk.stream.subscribed) == 2
    assert not await desk.asks()


@scene
async def test_a_changed_touch_wakes_and_a_change_behind_it_does_not(desk: Desk) -> None:
    desk.feed.listen(SYMBOL, desk.wake)
    await a_moment()
    assert desk.woken == 1  # with the first book
    desk.stream.tell(desk.told)
    await a_moment()
    assert desk.woken == 1
    desk.stream.tell(other_amount(desk.told, "7"))
    await a_moment()
    assert desk.woken == 2


@scene
async def test_who_does_not_listen_any_more_is_not_woken(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    end = desk.feed.listen(SYMBOL, desk.wake)
    await a_moment()
    end()
    desk.stream.tell(other_amount(desk.told, "7"))
    await a_moment()
    assert desk.woken == 1


@scene
async def test_a_listener_that_fails_neither_stops_the_stream_nor_the_others(desk: Desk) -> None:
    failures: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context))

    def fail() -> None:
        raise RuntimeError("a listener's own mistake")

    desk.feed.listen(SYMBOL, fail)
    desk.feed.listen(SYMBOL, desk.wake)
    await a_moment()
    desk.stream.tell(other_amount(desk.told, "7"))
    await a_moment()
    assert desk.woken == 2
    assert len(failures) == 2
    assert not await desk.asks()


@pytest.mark.parametrize("trouble", [Trouble.GAP, Trouble.CHECKSUM, Trouble.WORN, Trouble.CUT])
def test_after_trouble_requests_answer_until_the_book_is_told_anew(trouble: Trouble) -> None:
    @scene
    async def play(desk: Desk) -> None:
        desk.feed.follow(SYMBOL)
        await a_moment()
        desk.stream.break_off(BookStreamError("broken", trouble=trouble))
        await a_moment()
        assert await desk.asks()
        assert desk.feed.repairs == {trouble: 1}
        assert desk.stream.dropped == [SYMBOL]
        await asyncio.sleep(2)
        assert not await desk.asks()

    play()


@scene
async def test_attempts_are_spread_and_wait_longer_and_longer(desk: Desk) -> None:
    desk.stream.refusal = VenueDownError("nobody there")
    desk.feed.follow(SYMBOL)
    await asyncio.sleep(600)
    times = desk.stream.subscribed
    waits = [later - earlier for earlier, later in pairwise(times)]
    for wait, longest in zip(waits, [1, 2, 4, 8, 16, 32, *[60] * 20], strict=False):
        assert longest / 2 <= wait <= longest
    assert len(times) < 30
    assert desk.feed.repairs == {Trouble.CUT: len(times)}


@scene
async def test_a_stream_that_held_long_is_taken_up_at_once_after_its_next_trouble(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    for _ in range(10):
        await asyncio.sleep(90)
        desk.stream.tell(desk.told)
        await a_moment()
        desk.stream.break_off(BookStreamError("cut", trouble=Trouble.CUT))
        broke_at = uptime()
        await asyncio.sleep(3)
        assert desk.stream.subscribed[-1] - broke_at <= 1


@pytest.mark.parametrize(
    ("refusal", "trouble", "attempts"),
    [
        (ProxyError("the proxy leads to port 443 only"), Trouble.REFUSED, 1),
        (UnknownSymbolError("no such market"), Trouble.REFUSED, 1),
        (ProxyDownError("the proxy is down"), Trouble.CUT, 2),
    ],
)
def test_a_stream_that_is_not_to_be_had_is_said_once_and_left_alone(
    refusal: VenueError, trouble: Trouble, attempts: int, caplog: pytest.LogCaptureFixture
) -> None:
    @scene
    async def play(desk: Desk) -> None:
        desk.stream.refusal = refusal
        desk.feed.follow(SYMBOL)
        await asyncio.sleep(1.5)
        assert len(desk.stream.subscribed) == attempts
        assert set(desk.feed.repairs) == {trouble}
        assert await desk.asks()
        await asyncio.sleep(4 * 3600)

    play()
    warnings = [record for record in caplog.records if record.levelname == "WARNING"]
    assert len(warnings) == (1 if trouble is Trouble.REFUSED else 0)


@scene
async def test_a_refusal_of_what_was_told_before_is_not_for_long(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    desk.stream.break_off(BookStreamError("another market's", trouble=Trouble.REFUSED))
    await asyncio.sleep(2)
    assert desk.feed.repairs == {Trouble.CUT: 1}
    assert not await desk.asks()


@scene
async def test_a_crossed_book_is_not_served(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    desk.stream.tell(book(SYMBOL, "101", "99"))
    await a_moment()
    assert desk.feed.repairs == {Trouble.CROSSED: 1}
    assert await desk.asks()


@scene
async def test_a_venue_that_is_not_heard_any_more_is_not_believed(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    desk.stream.heard_at = uptime()
    desk.stream.lives = False
    await asyncio.sleep(9.9)
    assert not await desk.asks()
    await asyncio.sleep(0.2)
    assert await desk.asks()
    await asyncio.sleep(1)
    assert desk.feed.repairs == {Trouble.SILENCE: 1}


@scene
async def test_a_quiet_market_is_no_stale_one_but_is_compared_now_and_then(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await asyncio.sleep(300)
    assert 8 <= len(desk.source.asked) <= 10
    assert desk.feed.repairs == {}
    assert not await desk.asks()


@scene
async def test_a_message_that_never_came_is_found_by_asking(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    desk.source.shown = other_amount(desk.told, "7")
    await asyncio.sleep(34)
    assert desk.feed.repairs == {Trouble.DIFFERENCE: 1}


@scene
async def test_a_difference_that_was_only_on_its_way_is_none(desk: Desk) -> None:
    desk.feed.follow(SYMBOL)
    await a_moment()
    desk.source.shown = other_amount(desk.told, "7")
    await asyncio.sleep(31.5)
    assert len(desk.source.asked) == 1
    desk.stream.tell(desk.source.shown)
    await asyncio.sleep(20)
    assert desk.feed.repairs == {}


@scene
async def test_a_book_that_cannot_be_compared_now_is_compared_later(desk: Desk) -> None:
    real = desk.source.fetch_book

    async def fail(symbol: str) -> Any:
        await real(symbol)
        raise VenueDownError("down")

    desk.source.fetch_book = fail  # type: ignore[method-assign]
    feed = Feed(desk.source, stream=desk.stream)
    feed.follow(SYMBOL)
    await asyncio.sleep(100)
    assert len(desk.source.asked) == 3
    assert feed.repairs == {}
    await feed.close()


async def test_without_a_stream_listening_changes_nothing() -> None:
    source = CountingSource()
    feed = Feed(source)
    end = feed.listen(SYMBOL, lambda: None)
    feed.follow(SYMBOL)
    feed.unfollow(SYMBOL)
    assert (await feed.fetch_book(SYMBOL)) is source.shown
    assert (feed.followed, feed.repairs) == ((), {})
    end()
    await feed.close()
