"""The demo market: the same everywhere, sane at any time, and lively."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchanges.errors import UnknownSymbolError
from exchanges.types import Side
from exchanges.venues.demo import LEVELS, PAIRS, DemoMarketData
from exchanges.venues.paper_matching import MarketView, RestingOrder, settle

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
times = st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
symbols = st.sampled_from(sorted(PAIRS))


def demo_at(now: datetime) -> DemoMarketData:
    return DemoMarketData(clock=lambda: now)


async def test_the_prices_are_the_same_on_every_machine() -> None:
    demo = demo_at(NOON)
    ticker = await demo.fetch_ticker("BTC/USDT")
    trades = await demo.fetch_public_trades("BTC/USDT", since=NOON - timedelta(seconds=2))

    assert (ticker.bid, ticker.ask) == (Decimal("62696.31"), Decimal("62708.81"))
    assert [(t.id, t.side, t.price, t.amount) for t in trades] == [
        ("143614079841", Side.BUY, Decimal("62708.81"), Decimal("0.01290")),
        ("143614079861", Side.BUY, Decimal("62708.81"), Decimal("0.03225")),
        ("143614079881", Side.BUY, Decimal("62708.81"), Decimal("0.20640")),
        ("143614079901", Side.BUY, Decimal("62708.81"), Decimal("0.29610")),
        ("143614079981", Side.BUY, Decimal("62708.81"), Decimal("0.09400")),
    ]


async def test_another_seed_is_another_world() -> None:
    other = DemoMarketData(seed="another", clock=lambda: NOON)

    assert await other.fetch_book("BTC/USDT") != await demo_at(NOON).fetch_book("BTC/USDT")


@given(symbol=symbols, now=times)
async def test_a_book_is_sorted_apart_and_on_the_markets_steps(symbol: str, now: datetime) -> None:
    demo = demo_at(now)
    market = (await demo.load_markets())[symbol]
    book = await demo.fetch_book(symbol)

    bids, asks = [level.price for level in book.bids], [level.price for level in book.asks]
    assert bids == sorted(set(bids), reverse=True)
    assert asks == sorted(set(asks))
    assert len(bids) == len(asks) == LEVELS
    assert bids[-1] > 0
    assert bids[0] < asks[0]
    for level in (*book.bids, *book.asks):
        assert level.price == market.floor_price(level.price)
        assert level.amount == market.floor_amount(level.amount) > 0


@given(symbol=symbols, now=times)
async def test_the_price_stays_within_five_per_cent_of_its_anchor(symbol: str, now: datetime) -> None:
    mid = (await demo_at(now).fetch_book(symbol)).mid

    assert mid is not None
    assert abs(mid / PAIRS[symbol].anchor - 1) < Decimal("0.05")


@given(symbol=symbols, now=times, seconds=st.integers(1, 120))
async def test_every_reader_sees_the_same_trades(symbol: str, now: datetime, seconds: int) -> None:
    later = now + timedelta(seconds=seconds)
    at_once = await demo_at(later).fetch_public_trades(symbol, since=now)
    early = await demo_at(now + timedelta(seconds=seconds / 2)).fetch_public_trades(symbol, since=now)

    assert list(at_once[: len(early)]) == list(early)
    assert len({trade.id for trade in at_once}) == len(at_once)
    assert [trade.time for trade in at_once] == sorted(trade.time for trade in at_once)
    assert all(now <= trade.time <= later for trade in at_once)


@given(symbol=symbols, now=times)
async def test_trades_take_from_the_book_of_their_time(symbol: str, now: datetime) -> None:
    trades = await demo_at(now).fetch_public_trades(symbol, since=now - timedelta(seconds=3))
    for trade in trades:
        book = await demo_at(trade.time).fetch_book(symbol)
        offered = {level.price: level.amount for level in book.side(trade.side.opposite)}
        assert trade.amount <= offered[trade.price]


async def test_there_are_several_trades_a_second() -> None:
    trades = await demo_at(NOON).fetch_public_trades("BTC/USDT", since=NOON - timedelta(minutes=10))

    assert 2 < len(trades) / 600 < 8


async def test_the_tape_reaches_back_a_quarter_of_an_hour() -> None:
    trades = await demo_at(NOON).fetch_public_trades("BTC/USDT", since=NOON - timedelta(days=300))

    assert timedelta(minutes=14) < NOON - trades[0].time <= timedelta(minutes=15)


async def test_an_unknown_symbol_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UnknownSymbolError, match="BTC/USDT"):
        await demo_at(NOON).fetch_book("NO/SUCH")


@pytest.mark.parametrize("hour", range(12))
async def test_quotes_a_tenth_of_a_per_cent_away_fill_on_both_sides_within_two_minutes(hour: int) -> None:
    start = NOON + timedelta(hours=hour, seconds=7 * hour)

    assert await sides_filled(start, cycles=24, cycle_seconds=5) == {Side.BUY, Side.SELL}


async def sides_filled(start: datetime, *, cycles: int, cycle_seconds: int) -> set[Side]:
    """The sides on which a bot that quotes mid ± 0.1 % anew in each cycle is filled."""
    filled: set[Side] = set()
    for cycle in range(cycles):
        placed = start + timedelta(seconds=cycle * cycle_seconds)
        done = placed + timedelta(seconds=cycle_seconds)
        mid = (await demo_at(placed).fetch_book("BTC/USDT")).mid
        assert mid is not None
        quotes = [_quote(side, mid, placed) for side in Side]
        trades = await demo_at(done).fetch_public_trades("BTC/USDT", since=placed)
        view = MarketView(book=await demo_at(done).fetch_book("BTC/USDT"), trades=trades)
        filled |= {list(Side)[fill.order_id] for fill in settle(quotes, {}, view, None).fills}
    return filled


def _quote(side: Side, mid: Decimal, placed: datetime) -> RestingOrder:
    away = Decimal("0.999") if side is Side.BUY else Decimal("1.001")
    price = PAIRS["BTC/USDT"].market.round_price(mid * away, side)
    return RestingOrder(
        id=list(Side).index(side),
        side=side,
        price=price,
        remaining=Decimal("0.01"),
        queue_ahead=Decimal(0),
        arrived_at=placed,
    )


async def test_the_days_volumes_are_about_what_the_tape_adds_up_to() -> None:
    since = NOON - timedelta(minutes=15)
    volumes = await demo_at(NOON).fetch_day_volumes()
    trades = await demo_at(NOON).fetch_public_trades("SOL/USDT", since=since)

    seen = sum((trade.price * trade.amount for trade in trades), Decimal(0)) * 4 * 24
    assert volumes.keys() == PAIRS.keys()
    assert seen / 2 < volumes["SOL/USDT"] < seen * 2
