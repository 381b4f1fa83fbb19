"""Each venue's books as it tells them, by production URLs from the lab: exact, and distrusted at once."""

from __future__ import annotations

import asyncio
import gc
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from aiohttp import web

from exchanges.errors import BookStreamError, ProxyAuthError, Trouble, UnknownSymbolError
from exchanges.gateway import Proxy
from exchanges.venues import ccxt_stream, stream_door
from exchanges.venues import wire as wire_module
from exchanges.venues.registry import open_book_stream
from exchanges.venues.wire import Wire
from tests.exchanges.venues.streams_desk import OTHER_SYMBOLS, SYMBOLS, StreamsDesk, streams_desk, until
from tests.lab.connect_proxy import ConnectProxy
from tests.lab.lab import Lab
from vault.secret import Secret

VENUES = list(SYMBOLS)


@pytest.fixture(scope="module", autouse=True)
def few_to_collect() -> Iterator[None]:
    """What is there before the first of these tests is not looked through at the end of each."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


@pytest.fixture(params=VENUES)
def venue(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest_asyncio.fixture
async def lab() -> AsyncIterator[Lab]:
    async with Lab() as lab:
        yield lab


@pytest_asyncio.fixture
async def desk(lab: Lab, venue: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StreamsDesk]:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    async with streams_desk(lab, venue) as desk:
        yield desk
    gc.collect()


async def begin(desk: StreamsDesk) -> None:
    desk.watch()
    await until(desk.is_true)


async def test_after_a_storm_of_changes_the_book_is_the_venues_to_the_last_digit(desk: StreamsDesk) -> None:
    await begin(desk)
    for _ in range(40):
        desk.crowd.step(5)
        await asyncio.sleep(0.005)
    await until(desk.is_true)
    assert desk.errors == []


async def test_many_changes_at_once_are_told_as_few(desk: StreamsDesk) -> None:
    await begin(desk)
    before = len(desk.touches)
    desk.crowd.step(60)
    await until(lambda: desk.is_true() and len(desk.touches) > before)
    assert len(desk.touches) - before <= 3


async def test_two_markets_share_one_connection(desk: StreamsDesk) -> None:
    other = OTHER_SYMBOLS[desk.venue]
    await begin(desk)
    desk.watch(other)
    await until(lambda: desk.is_true(other))
    desk.crowd.step(5)
    await until(desk.is_true)
    assert len(desk.stream._client.clients) == 1  # type: ignore[attr-defined]
    await desk.leave()
    await desk.stream.drop(desk.symbol)
    assert desk.told() is None
    desk.watch(other)
    desk.lab.house(desk.venue).crowds[other].step(5)
    await until(lambda: desk.is_true(other))


async def test_its_time_is_when_the_venue_was_last_heard(desk: StreamsDesk) -> None:
    await begin(desk)
    await asyncio.sleep(0.3)
    told = desk.told()
    assert told is not None
    age = told.age_seconds(datetime.now(UTC))
    assert 0 <= age < 3.5
    assert abs(age - desk.stream.silent_seconds()) < 0.1


async def test_a_lost_message_is_noticed_with_the_next_one(desk: StreamsDesk) -> None:
    await begin(desk)
    desk.trouble.lose_stream_texts(count=1)
    desk.crowd.step()
    await asyncio.sleep(0.3)
    desk.crowd.step()
    await until(lambda: desk.errors)
    (error,) = desk.errors
    assert isinstance(error, BookStreamError)
    assert error.trouble is (Trouble.CHECKSUM if desk.venue == "kraken" else Trouble.GAP)
    assert desk.told() is None


async def test_who_drops_it_and_begins_anew_has_the_true_book(desk: StreamsDesk) -> None:
    for _ in range(3):
        await begin(desk)
        desk.trouble.lose_stream_texts(count=1)
        desk.crowd.step()
        await asyncio.sleep(0.3)
        desk.crowd.step()
        await until(lambda: desk.errors)
        desk.errors.clear()
        await desk.stream.drop(desk.symbol)
        desk.crowd.step()
    await begin(desk)
    desk.crowd.step()
    await until(desk.is_true)
    assert desk.errors == []


async def test_a_cut_connection_is_noticed_at_once(desk: StreamsDesk) -> None:
    await begin(desk)
    desk.trouble.cut_streams()
    await until(lambda: desk.errors)
    assert desk.told() is None
    desk.errors.clear()
    await desk.stream.drop(desk.symbol)
    desk.crowd.step()
    await begin(desk)


async def test_a_connection_that_ended_between_two_looks_is_not_made_anew_in_secret(
    desk: StreamsDesk,
) -> None:
    await desk.stream.next_touch(desk.symbol)
    desk.trouble.cut_streams()
    await until(lambda: desk.stream._client.socket is None)  # type: ignore[attr-defined]
    with pytest.raises(BookStreamError) as cut:
        await desk.stream.next_touch(desk.symbol)
    assert cut.value.trouble is Trouble.CUT


async def test_nothing_of_it_is_left_open(desk: StreamsDesk) -> None:
    await begin(desk)
    await desk.leave()
    await desk.stream.drop(desk.symbol)
    assert desk.stream._client is None  # type: ignore[attr-defined]
    await desk.stream.close()
    await desk.wire.close()
    await asyncio.sleep(0.05)
    ours = [task for task in asyncio.all_tasks() if "ccxt" in repr(task.get_coro())]
    assert ours == []


async def test_what_is_closed_stays_closed(desk: StreamsDesk) -> None:
    await desk.stream.close()
    with pytest.raises(BookStreamError):
        await desk.stream.next_touch(desk.symbol)


async def test_many_books_are_left_at_once_when_all_is_closed(desk: StreamsDesk) -> None:
    await begin(desk)
    desk.watch(OTHER_SYMBOLS[desk.venue])
    await until(lambda: desk.is_true(OTHER_SYMBOLS[desk.venue]))
    leaving = asyncio.create_task(desk.stream.drop(desk.symbol))
    await asyncio.sleep(0)
    await desk.stream.close()
    await asyncio.wait_for(leaving, 1)


async def test_who_closes_while_it_connects_leaves_nothing(desk: StreamsDesk) -> None:
    desk.watch()
    await asyncio.sleep(0.05)
    await desk.stream.close()
    await until(lambda: all(task.done() for task in desk.watching))
    assert [error.trouble for error in desk.errors if isinstance(error, BookStreamError)] in (
        [],
        [Trouble.CUT],
    )


async def test_a_market_that_is_not_listed_is_not_subscribed(desk: StreamsDesk) -> None:
    with pytest.raises(UnknownSymbolError):
        await desk.stream.next_touch("NO/SUCH")


async def test_a_crossed_book_is_not_served(desk: StreamsDesk) -> None:
    await begin(desk)
    desk.trouble.cross_book(symbol=desk.symbol)
    desk.crowd.step()
    await until(lambda: desk.told() is None)


# --- Through a proxy


def login(proxy: ConnectProxy, password: str = "fair") -> Proxy:
    return Proxy(url=proxy.url, username="desk", password=Secret(password))


async def test_through_a_proxy_and_no_other_way(
    lab: Lab, venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(ConnectProxy(lab.port, "desk", "fair"))
        desk = await stack.enter_async_context(streams_desk(lab, venue, login(proxy)))
        await begin(desk)
        desk.crowd.step(3)
        await until(desk.is_true)
        (url,) = desk.stream._client.clients  # type: ignore[attr-defined]
        host = url.split("/")[2]
        assert any(target.startswith(host.split(":")[0]) for target in proxy.targets)


async def test_a_proxy_that_refuses_us_is_not_gone_around(
    lab: Lab, venue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    async with ConnectProxy(lab.port, "desk", "fair") as proxy, streams_desk(lab, venue) as direct:
        await begin(direct)  # so that the market list is known
        stream = open_book_stream(venue, proxy=login(proxy, "stale"), wire=direct.wire)
        assert stream is not None
        with pytest.raises(ProxyAuthError) as refused:
            await asyncio.wait_for(stream.next_touch(direct.symbol), 10)
        await stream.close()
        assert "stale" not in repr(refused.value) + str(refused.value.__cause__)
        assert proxy.refused


@pytest.mark.parametrize("status", [403, 404, 429, 503])
async def test_a_venue_that_lets_nobody_listen_is_told_from_one_that_does_not_now(
    desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    async def refuse(*_request: object) -> web.Response:
        return web.Response(status=status)

    monkeypatch.setattr(desk.lab._server, "_stream", refuse)
    monkeypatch.setattr(desk.house.dialect, "streams", lambda *_request: None, raising=False)
    desk.watch()
    await until(lambda: desk.errors)
    (error,) = desk.errors
    assert (isinstance(error, BookStreamError) and error.trouble is Trouble.REFUSED) is (status < 429)


# --- Which venues


@pytest.mark.parametrize("venue", ["demo", "alpaca", "coinstore", "bitmart", "kucoin"])
async def test_a_venue_whose_stream_is_not_proven_is_asked(venue: str) -> None:
    async with Wire() as wire:
        assert open_book_stream(venue, proxy=None, wire=wire) is None


# --- One venue's ways


@pytest.mark.parametrize("venue", ["okx", "kraken"])
async def test_a_wrong_checksum_is_noticed(desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    await begin(desk)
    monkeypatch.setattr(f"tests.lab.{desk.venue}.channels.checksum", lambda *_of: 4711)
    desk.crowd.step()
    await until(lambda: desk.errors)
    (error,) = desk.errors
    assert isinstance(error, BookStreamError)
    assert error.trouble is Trouble.CHECKSUM
    assert desk.told() is None


@pytest.mark.parametrize("venue", ["okx", "kraken"])
async def test_a_venue_that_answers_no_ping_in_words_is_silent(
    desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_door, "PING_SECONDS", 0.3)
    await begin(desk)
    desk.trouble.silence_streams(on=True)
    await until(lambda: desk.errors)
    (error,) = desk.errors
    assert isinstance(error, BookStreamError)
    assert error.trouble is Trouble.SILENCE


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_pongs_count_only_where_a_venue_says_nothing_while_nothing_happens(
    desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream_door, "PING_SECONDS", 0.3)
    await begin(desk)
    desk.trouble.silence_streams(on=True)
    await asyncio.sleep(1.5)
    assert (desk.stream.silent_seconds() > 1) is (desk.venue == "coinbase")


@pytest.mark.parametrize("venue", ["binance"])
async def test_changes_that_come_before_the_book_that_was_asked_for_are_no_gap(desk: StreamsDesk) -> None:
    desk.trouble.add_fault(effect="delay", path="/api/v3/depth", seconds=0.5)
    desk.watch()
    for _ in range(20):
        desk.crowd.step()
        await asyncio.sleep(0.03)
    await until(desk.is_true)
    assert desk.errors == []


@pytest.mark.parametrize("venue", ["binance"])
async def test_a_change_that_is_lost_before_the_book_is_there_is_a_gap(desk: StreamsDesk) -> None:
    desk.trouble.add_fault(effect="delay", path="/api/v3/depth", seconds=1.0)
    desk.watch()
    await asyncio.sleep(0.6)
    desk.crowd.step()
    await asyncio.sleep(0.1)
    desk.trouble.lose_stream_texts(count=1)
    desk.crowd.step()
    await asyncio.sleep(0.1)
    desk.crowd.step()
    await until(lambda: desk.errors or desk.told())
    assert desk.told() is None or desk.is_true()


async def test_a_first_book_that_does_not_come_is_not_waited_for_for_ever(
    desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_stream, "FIRST_BOOK_SECONDS", 0.5)
    desk.trouble.silence_streams(on=True)
    desk.watch()
    await until(lambda: desk.errors)
    (error,) = desk.errors
    assert isinstance(error, BookStreamError)
    assert error.trouble is Trouble.SILENCE


async def test_who_waits_for_its_turn_to_subscribe_is_not_out_of_time(
    desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ccxt_stream, "FIRST_BOOK_SECONDS", 1.0)
    monkeypatch.setattr(desk.stream, "_terms", replace(desk.stream._terms, pause_seconds=1.5))  # type: ignore[attr-defined]
    desk.watch()
    desk.watch(OTHER_SYMBOLS[desk.venue])
    await until(lambda: desk.is_true() and desk.is_true(OTHER_SYMBOLS[desk.venue]))
    assert desk.errors == []


# --- How deep it is known


@pytest.mark.parametrize("venue", ["coinbase"])
async def test_of_a_book_with_very_many_levels_the_nearest_are_kept(desk: StreamsDesk) -> None:
    client = await desk.stream._opened(desk.symbol)  # type: ignore[attr-defined]
    book = client.order_book()
    rows = [
        {"side": side, "price_level": f"{price + sign * n / 100:.2f}", "new_quantity": "1.5"}
        for side, price, sign in (("offer", 50_001, 1), ("bid", 50_000, -1))
        for n in range(3000)
    ]
    random.Random(7).shuffle(rows)

    client.handle_order_book_helper(book, rows)

    assert [str(level.price) for level in (book.bids.served()[0], book.bids.served()[99])] == [
        "50000.00",
        "49999.01",
    ]
    assert (len(book.bids), len(book.asks), str(book.asks[-1][0])) == (500, 500, "50005.99")
    changes = (("50001.00", "0"), ("50020.00", "7"))
    client.handle_order_book_helper(
        book, [{"side": "offer", "price_level": price, "new_quantity": amount} for price, amount in changes]
    )
    assert str(book.asks[-1][0]) == "50005.99"  # whether there are others before it is not known


@pytest.mark.parametrize("venue", ["binance", "coinbase"])
async def test_a_book_of_which_too_little_is_known_is_told_anew(
    desk: StreamsDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("exchanges.venues.exact_book.SERVED_LEVELS", 8)
    client = await desk.stream._opened(desk.symbol)  # type: ignore[attr-defined]
    client.streaming_terms = replace(client.streaming_terms, depth=9)
    desk.watch()
    await until(desk.told)
    (bid, *_) = desk.house.exchange.market(desk.symbol).book.bids.levels()
    desk.crowd.hit_bid(bid[1] * 3)
    await until(lambda: desk.errors)
    (error,) = desk.errors
    assert isinstance(error, BookStreamError)
    assert error.trouble is Trouble.WORN
