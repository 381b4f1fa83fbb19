"""What the venue shows to everybody."""

from __future__ import annotations

from decimal import Decimal

import pytest

from exchanges.errors import UnknownSymbolError
from exchanges.types import Level, Side
from tests.spec.bench import Bench
from tests.spec.case import Need, case

HOUR_MS = 3_600_000


@case("S13", "knows each market's names, steps and minimums exactly")
async def _(bench: Bench) -> None:
    markets = await bench.market_data().load_markets()

    for symbol, theirs in bench.house.exchange.markets.items():
        market, rules = markets[symbol], theirs.rules
        assert (market.base, market.quote, market.active) == (rules.base, rules.quote, True)
        assert (market.price_step, market.amount_step) == (rules.price_step, rules.amount_step)
        assert market.min_amount == rules.min_amount
        assert market.min_cost == ((rules.min_cost or None) if bench.stand.lists_min_cost else None)


@case("S14", "lists the spot markets and no others")
async def _(bench: Bench) -> None:
    markets = await bench.market_data().load_markets()

    assert markets.keys() == bench.house.exchange.markets.keys()


@case("S15", "asks for the market list once, without a key where it can, however many accounts it opens")
async def _(bench: Bench) -> None:
    await bench.gateway().load_markets()
    asked = len(bench.requests.select())

    await bench.gateway().load_markets()

    assert len(bench.requests.select()) == asked
    if Need.OPEN_DATA not in bench.stand.lacks:
        assert {seen.key for seen in bench.requests.select()} == {None}


@case("S16", "reads a book with exact levels, the best first", Need.BOOK_DEPTH)
async def _(bench: Bench) -> None:
    amounts = [bench.stand.amount * count for count in (1, 2, 3)]
    bids = [bench.crowd("buy", amount, bench.ticks(-3 * n)) for n, amount in enumerate(amounts, start=1)]
    asks = [bench.crowd("sell", amount, bench.ticks(3 * n)) for n, amount in enumerate(amounts, start=1)]

    book = await bench.market_data().fetch_book(bench.stand.symbol)

    assert book.bids == tuple(Level(order.limit_price, order.amount) for order in bids)
    assert book.asks == tuple(Level(order.limit_price, order.amount) for order in asks)


@case("S17", "reads a book of which one side is empty")
async def _(bench: Bench) -> None:
    bench.crowd("buy", bench.stand.amount, bench.ticks(-1))

    book = await bench.market_data().fetch_book(bench.stand.symbol)

    assert (book.best_bid, book.asks) == (bench.ticks(-1), ())


@case("S18", "reads the last price, and bid and ask where they are told")
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount * 2, bench.ticks(1))
    bench.crowd("buy", bench.stand.amount, bench.ticks(-1))
    bench.passer_by("buy", bench.stand.amount, bench.ticks(1))

    ticker = await bench.market_data().fetch_ticker(bench.stand.symbol)

    assert ticker.last == bench.ticks(1)
    assert ticker.bid in (None, bench.ticks(-1))
    assert ticker.ask in (None, bench.ticks(1))


@case("S19", "reads everybody's trades, oldest first, with the taker's side", Need.PUBLIC_TRADES)
async def _(bench: Bench) -> None:
    amount = bench.stand.amount
    bench.house.clock.offset_ms = -3_000
    bench.crowd("sell", amount, bench.ticks(2))
    bench.passer_by("buy", amount, bench.ticks(2))
    bench.house.clock.offset_ms = 0
    bench.crowd("buy", amount * 2, bench.ticks(-2))
    bench.passer_by("sell", amount * 2, bench.ticks(-2))

    trades = await bench.market_data().fetch_public_trades(bench.stand.symbol, since=bench.long_ago())

    assert [(trade.side, trade.price, trade.amount) for trade in trades] == [
        (Side.BUY, bench.ticks(2), amount),
        (Side.SELL, bench.ticks(-2), amount * 2),
    ]


@case("S94", "reads what each market traded in the last day, in quote, in one request", Need.DAY_VOLUMES)
async def _(bench: Bench) -> None:
    amount, other = bench.stand.other_amount, bench.stand.other_symbol
    bench.house.clock.offset_ms = -25 * HOUR_MS
    _trade(bench, bench.stand.symbol, bench.stand.amount, bench.ticks(2))
    bench.house.clock.offset_ms = 0
    for _ in range(2):
        _trade(bench, other, amount, bench.stand.other_price)
    data = bench.market_data()
    await data.load_markets()
    bench.requests.clear()

    volumes = await data.fetch_day_volumes()

    assert len(bench.requests.select()) == 1
    assert volumes[other] == 2 * amount * bench.stand.other_price
    assert {symbol: volume for symbol, volume in volumes.items() if volume} == {other: volumes[other]}


def _trade(bench: Bench, symbol: str, amount: Decimal, price: Decimal) -> None:
    bench.crowd("sell", amount, price, symbol)
    bench.passer_by("buy", amount, price, symbol)


@case("S20", "sends nothing about a market that the venue does not list")
async def _(bench: Bench) -> None:
    data = bench.market_data()
    await data.load_markets()
    bench.requests.clear()

    with pytest.raises(UnknownSymbolError, match="NOSUCH/COIN"):
        await data.fetch_book("NOSUCH/COIN")

    assert bench.requests.select() == []
