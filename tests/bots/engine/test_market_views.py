"""What a worker shows of its markets to whoever looks, and what it keeps of their prices."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from bots.engine import market_views
from bots.engine.retention import forget_what_is_old
from bots.models import MarketView, PricePoint
from bots.services import look_at_market
from exchanges.types import Book, Level
from tests.bots.engine.conftest import Desk

D = Decimal
NOW = datetime(2026, 11, 25, 12, 30, 20, tzinfo=UTC)


def a_book(bid: str, ask: str, at: datetime, levels: int = 1) -> Book:
    return Book(
        symbol="BTC/USDT", time=at,
        bids=tuple(Level(D(bid) - number, D(1)) for number in range(levels)),
        asks=tuple(Level(D(ask) + number, D(1)) for number in range(levels)),
    )  # fmt: skip


async def view_of(desk: Desk) -> MarketView:
    await desk.do(look_at_market, connection=desk.connection, symbol="BTC/USDT")
    (view,) = await desk.do(market_views.looked_at, [desk.connection.pk])
    return view


async def test_nobody_looks_and_nothing_is_shown(desk: Desk) -> None:
    assert await desk.do(market_views.looked_at, [desk.connection.pk]) == []


async def test_who_has_gone_is_not_looking(desk: Desk) -> None:
    await view_of(desk)
    await desk.do(MarketView.objects.update, wanted_until=timezone.now() - timedelta(seconds=1))
    assert await desk.do(market_views.looked_at, [desk.connection.pk]) == []


async def test_a_book_is_shown_with_its_best_levels_only(desk: Desk) -> None:
    view = await view_of(desk)
    await desk.do(market_views.show, [(view, a_book("100", "101", NOW, levels=30))])
    shown = await desk.do(MarketView.objects.get)
    assert (shown.bids[0], shown.asks[0], shown.seen_at) == (["100", "1"], ["101", "1"], NOW)
    assert (len(shown.bids), len(shown.asks)) == (market_views.SHOWN_LEVELS,) * 2


async def test_an_older_book_never_takes_the_place_of_a_newer_one(desk: Desk) -> None:
    view = await view_of(desk)
    await desk.do(market_views.show, [(view, a_book("100", "101", NOW))])
    await desk.do(market_views.show, [(view, a_book("90", "91", NOW - timedelta(seconds=1)))])
    assert (await desk.do(MarketView.objects.get)).bids == [["100", "1"]]


async def test_a_round_that_somebody_watches_asks_the_database_nothing_more(desk: Desk) -> None:
    await view_of(desk)
    await desk.rounds(2)
    assert await desk.queries_of_a_round() == []


async def test_a_price_a_minute_is_kept_of_the_markets_in_use(desk: Desk) -> None:
    await desk.round()
    assert desk.duty.feed is not None
    sheets = list(desk.duty.sheets.values())
    prices = market_views.prices_seen(desk.duty.feed, sheets, datetime.now(UTC))
    assert prices == {"BTC/USDT": D(100)}
    for seconds, price in ((0, "100"), (30, "105"), (60, "110")):
        at = NOW + timedelta(seconds=seconds)
        await desk.do(market_views.keep_prices, {("fake", "BTC/USDT"): D(price)}, at)
    kept = await desk.do(lambda: list(PricePoint.objects.order_by("minute").values_list("minute", "price")))
    assert [(at.minute, price) for at, price in kept] == [(30, D(100)), (31, D(110))]


async def test_an_old_book_makes_no_price(desk: Desk) -> None:
    await desk.round()
    assert desk.duty.feed is not None
    later = datetime.now(UTC) + timedelta(minutes=2)
    assert market_views.prices_seen(desk.duty.feed, desk.duty.sheets.values(), later) == {}


async def test_prices_are_kept_for_a_day(desk: Desk) -> None:
    for hours in (1, 25):
        await desk.do(
            market_views.keep_prices, {("fake", "BTC/USDT"): D(100)}, timezone.now() - timedelta(hours=hours)
        )
    assert await desk.do(forget_what_is_old, timezone.now()) == 1
    assert await desk.do(PricePoint.objects.count) == 1
