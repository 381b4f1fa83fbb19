"""The crowd keeps a market going, the same for the same seed."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.lab.crowd import Crowd
from tests.lab.exchange import Exchange
from tests.lab.orders import Kind, RefusedError, Side, State, Ticket
from tests.lab.rules import MarketRules

SYMBOL = "BTC/USDT"
D = Decimal


def lone_exchange() -> Exchange:
    exchange = Exchange()
    exchange.list_market(MarketRules(base="BTC", quote="USDT"))
    exchange.open_account("bot")
    exchange.ledger.deposit("bot", "USDT", D(10_000))
    exchange.ledger.deposit("bot", "BTC", D(1))
    return exchange


@pytest.fixture
def exchange() -> Exchange:
    return lone_exchange()


@pytest.fixture
def crowd(exchange: Exchange) -> Crowd:
    crowd = Crowd(exchange, SYMBOL, D(50_000), seed=7)
    crowd.quote()
    return crowd


def quote(side: Side, amount: str, price: str) -> Ticket:
    return Ticket(
        account="bot", symbol=SYMBOL, side=side, kind=Kind.POST_ONLY, amount=D(amount), price=D(price)
    )


def bid(amount: str, price: str) -> Ticket:
    return quote(Side.BUY, amount, price)


def test_it_quotes_both_sides_around_the_price(exchange: Exchange, crowd: Crowd) -> None:
    book = exchange.market(SYMBOL).book
    assert (book.bids.best_price, book.asks.best_price) == (D(49_950), D(50_050))
    assert len(book.bids.levels()) == len(book.asks.levels()) == 10


def test_the_same_seed_tells_the_same_story() -> None:
    stories = []
    for _ in range(2):
        exchange = lone_exchange()
        Crowd(exchange, SYMBOL, D(50_000), seed=7).step(30)
        stories.append([(t.price, t.amount, t.taker_side) for t in exchange.market(SYMBOL).trades])
    assert stories[0] == stories[1]
    assert len(stories[0]) > 5


def test_it_fills_the_best_bid_in_part_and_in_whole(exchange: Exchange, crowd: Crowd) -> None:
    order = exchange.place(bid("0.01", "49990"))
    crowd.hit_bid(D("0.004"))
    assert (order.state, order.filled) == (State.OPEN, D("0.004"))
    crowd.hit_bid(D("0.006"))
    assert order.state is State.FILLED


def test_a_hit_with_a_price_goes_no_further(exchange: Exchange, crowd: Crowd) -> None:
    exchange.place(bid("0.01", "49990"))
    hit = crowd.hit_bid(D("0.03"), price=D(49_990))
    assert (hit.state, hit.filled) == (State.EXPIRED, D("0.01"))


def test_a_price_that_falls_takes_the_bids_it_passes(exchange: Exchange, crowd: Crowd) -> None:
    order = exchange.place(bid("0.01", "49990"))
    crowd.move_price(D(49_000))
    assert order.state is State.FILLED
    assert exchange.fills("bot")[0].price == D(49_990)


def test_its_steps_trade_with_a_bot_inside_its_spread(exchange: Exchange, crowd: Crowd) -> None:
    for side, price in ((Side.BUY, "49999"), (Side.SELL, "50001")):
        exchange.place(quote(side, "0.05", price))
    crowd.step(20)
    assert exchange.fills("bot")


def test_it_is_bound_by_the_venues_rules(crowd: Crowd) -> None:
    with pytest.raises(RefusedError, match="lot_size"):
        crowd.hit_bid(D("0.000001"))
