"""What OKX shows to everybody: instruments, books, trades and tickers."""

from __future__ import annotations

from tests.lab.market import LabMarket
from tests.lab.okx.call import Call
from tests.lab.okx.errors import bad_parameter
from tests.lab.okx.payloads import Json, instrument, instrument_id, levels, plain, public_trade
from tests.lab.okx.trading import TYPES
from tests.lab.okx.venue import OkxVenue
from tests.lab.orders import ZERO

DAY_MS = 86_400_000
DEEPEST = 400
MOST_TRADES = 500


def server_time(venue: OkxVenue, call: Call) -> list[Json]:
    return [{"ts": str(venue.now_ms())}]


def instruments(venue: OkxVenue, call: Call) -> list[Json]:
    if call.query.choice("instType", TYPES) != "SPOT":
        return []
    named = call.query.text("instId")
    markets = [venue.named(named)] if named else list(venue.exchange.markets.values())
    return [instrument(market.rules) for market in markets]


def books(venue: OkxVenue, call: Call) -> list[Json]:
    market = venue.market(call.query)
    depth = call.query.limit(default=1, maximum=DEEPEST, name="sz")
    shown = market.display.shown(market.update_id)
    return [
        {
            "asks": levels(shown.asks[:depth]),
            "bids": levels(shown.bids[:depth]),
            "ts": str(venue.now_ms()),
            "seqId": shown.update_id,
        }
    ]


def trades(venue: OkxVenue, call: Call) -> list[Json]:
    """The newest first."""
    market = venue.market(call.query)
    limit = call.query.limit(maximum=MOST_TRADES)
    return [public_trade(trade) for trade in market.trades[-limit:][::-1]]


def history_trades(venue: OkxVenue, call: Call) -> list[Json]:
    """Newest first. after, before: trade ids, themselves left out; or with type 2, times."""
    market, query = venue.market(call.query), call.query
    by_time = query.choice("type", ("1", "2"), default="1") == "2"
    limit, after, before = query.limit(), query.integer("after"), query.integer("before")
    if by_time and before is not None:
        raise bad_parameter("before")
    found = [
        trade
        for trade in market.trades
        if (after is None or (trade.time_ms if by_time else trade.id) < after)
        and (before is None or trade.id > before)
    ]
    newest = found[::-1][:limit] if before is None else found[:limit][::-1]
    return [public_trade(trade) for trade in newest]


def ticker(venue: OkxVenue, call: Call) -> list[Json]:
    return [day_of(venue.market(call.query), venue.now_ms())]


def tickers(venue: OkxVenue, call: Call) -> list[Json]:
    if call.query.choice("instType", TYPES) != "SPOT":
        return []
    return [day_of(market, venue.now_ms()) for market in venue.exchange.markets.values()]


def day_of(market: LabMarket, now_ms: int) -> Json:
    window = market.trades_since(now_ms - DAY_MS)
    prices = [trade.price for trade in window] or [market.last_price or ZERO]
    shown = market.display.shown(market.update_id)
    (bid, bid_amount), (ask, ask_amount) = (
        side[0] if side else (None, None) for side in (shown.bids, shown.asks)
    )
    return {
        "instType": "SPOT",
        "instId": instrument_id(market.rules.symbol),
        "last": plain(market.last_price) if market.last_price else "",
        "lastSz": plain(market.trades[-1].amount) if market.trades else "",
        "askPx": plain(ask) if ask else "",
        "askSz": plain(ask_amount) if ask_amount else "",
        "bidPx": plain(bid) if bid else "",
        "bidSz": plain(bid_amount) if bid_amount else "",
        "open24h": plain(prices[0]),
        "high24h": plain(max(prices)),
        "low24h": plain(min(prices)),
        "vol24h": plain(sum((trade.amount for trade in window), ZERO)),
        "volCcy24h": plain(sum((trade.cost for trade in window), ZERO)),
        "sodUtc0": plain(prices[0]),
        "sodUtc8": plain(prices[0]),
        "ts": str(now_ms),
    }
