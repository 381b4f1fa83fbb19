"""What Coinbase shows to everybody: its clock, products, books and trades."""

from __future__ import annotations

from tests.lab.coinbase.call import Call
from tests.lab.coinbase.errors import bad_argument
from tests.lab.coinbase.names import product_id
from tests.lab.coinbase.payloads import Json, moment, plain, product, public_trade
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.display import Levels
from tests.lab.market import LabMarket

MOST_TRADES = 1000


def server_time(venue: CoinbaseVenue, call: Call) -> Json:
    now = venue.now_ms()
    return {"iso": moment(now), "epochSeconds": str(now // 1000), "epochMillis": str(now)}


def v2_time(venue: CoinbaseVenue, call: Call) -> Json:
    now = venue.now_ms()
    return {"data": {"iso": moment(now)[:-8] + "Z", "epoch": now // 1000}}


def products(venue: CoinbaseVenue, call: Call) -> Json:
    """Only spot is listed here; of any other kind there is none."""
    wanted = call.texts("product_ids")
    markets = venue.markets if call.text("product_type") in (None, "SPOT") else []
    chosen = [market for market in markets if not wanted or product_id(market.rules) in wanted]
    rows = [product(market, venue.now_ms()) for market in chosen]
    return {"products": rows, "num_products": len(rows)}


def one_product(venue: CoinbaseVenue, call: Call) -> Json:
    return product(venue.market(call.rest), venue.now_ms())


def product_book(venue: CoinbaseVenue, call: Call) -> Json:
    name = call.text("product_id")
    if name is None:
        raise bad_argument("product_id is required")
    market = venue.market(name)
    limit = call.limit(default=10**6, most=10**6)
    return {"pricebook": _book(venue, market, limit)}


def best_bid_ask(venue: CoinbaseVenue, call: Call) -> Json:
    names = call.texts("product_ids")
    markets = [venue.market(name) for name in names] if names else venue.markets
    return {"pricebooks": [_book(venue, market, 1) for market in markets]}


def ticker(venue: CoinbaseVenue, call: Call) -> Json:
    """The latest trades first; from `start` on and before `end`, both in whole seconds."""
    market = venue.market(call.rest)
    start, end = call.seconds("start"), call.seconds("end")
    limit = call.limit(default=100, most=MOST_TRADES)
    rows = [
        trade
        for trade in reversed(market.trades)
        if (start is None or trade.time_ms >= start * 1000) and (end is None or trade.time_ms < end * 1000)
    ]
    shown = market.display.shown(market.update_id)
    return {
        "trades": [public_trade(trade, market) for trade in rows[:limit]],
        "best_bid": plain(shown.bids[0][0]) if shown.bids else "",
        "best_ask": plain(shown.asks[0][0]) if shown.asks else "",
    }


def _book(venue: CoinbaseVenue, market: LabMarket, limit: int) -> Json:
    shown = market.display.shown(market.update_id)
    return {
        "product_id": product_id(market.rules),
        "bids": _levels(shown.bids[:limit]),
        "asks": _levels(shown.asks[:limit]),
        "time": moment(venue.now_ms()),
    }


def _levels(levels: Levels) -> list[Json]:
    return [{"price": plain(price), "size": plain(amount)} for price, amount in levels]
