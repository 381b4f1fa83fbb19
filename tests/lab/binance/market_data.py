"""What Binance shows to everybody: exchange information, books, trades and tickers."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import groupby

from tests.lab.binance.call import Call
from tests.lab.binance.errors import BinanceError, bad_combination
from tests.lab.binance.payloads import Json, fixed, public_trade, symbol_id
from tests.lab.binance.payloads import market as market_json
from tests.lab.binance.venue import BinanceVenue
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, PublicTrade, Side

DAY_MS = 86_400_000
MAX_DEPTH = 5000


def ping(venue: BinanceVenue, call: Call) -> Json:
    return {}


def server_time(venue: BinanceVenue, call: Call) -> Json:
    return {"serverTime": venue.now_ms()}


def exchange_info(venue: BinanceVenue, call: Call) -> Json:
    if (call.has("symbol") or call.has("symbols")) and (call.has("permissions") or call.has("symbolStatus")):
        raise bad_combination()
    status = call.text("symbolStatus")
    described = [market_json(market.rules) for market in venue.chosen(call)]
    if "SPOT" not in (call.text("permissions") or "SPOT"):
        described = []
    if not call.flag("showPermissionSets", default=True):
        described = [item | {"permissionSets": []} for item in described]
    return {
        "timezone": "UTC",
        "serverTime": venue.now_ms(),
        "rateLimits": _rate_limits(venue),
        "exchangeFilters": [],
        "symbols": [item for item in described if status in (None, item["status"])],
    }


def depth(venue: BinanceVenue, call: Call) -> Json:
    market = venue.market(call)
    limit = min(call.limit(default=100, maximum=10**9), MAX_DEPTH)
    shown = market.display.shown(market.update_id)
    return {
        "lastUpdateId": shown.update_id,
        "bids": [[fixed(price), fixed(amount)] for price, amount in shown.bids[:limit]],
        "asks": [[fixed(price), fixed(amount)] for price, amount in shown.asks[:limit]],
    }


def trades(venue: BinanceVenue, call: Call) -> list[Json]:
    market = venue.market(call)
    return [public_trade(trade) for trade in market.trades[-call.limit(default=500, maximum=1000) :]]


def agg_trades(venue: BinanceVenue, call: Call) -> list[Json]:
    """One row for all trades of one taker order, one price and one moment; its id counts those rows."""
    market = venue.market(call)
    limit = call.limit(default=500, maximum=1000)
    first, start, end = call.integer("fromId"), call.milliseconds("startTime"), call.milliseconds("endTime")
    if first is not None and (start is not None or end is not None):
        raise bad_combination()
    rows = _aggregate(market.trades)
    if first is not None:
        return [row for row in rows if _number(row["a"]) >= first][:limit]
    rows = [row for row in rows if (start or 0) <= _number(row["T"]) <= (end if end is not None else 10**15)]
    return rows[:limit] if start is not None else rows[-limit:]


def ticker_24hr(venue: BinanceVenue, call: Call) -> Json | list[Json]:
    kind = call.text("type") or "FULL"
    if kind not in ("FULL", "MINI"):
        raise BinanceError(-1139, "Invalid ticker type.")
    return _each(venue, call, lambda market: day_of(market, venue.now_ms(), kind))


def ticker_price(venue: BinanceVenue, call: Call) -> Json | list[Json]:
    return _each(
        venue,
        call,
        lambda market: {"symbol": symbol_id(market.rules), "price": fixed(market.last_price or ZERO)},
    )


def book_ticker(venue: BinanceVenue, call: Call) -> Json | list[Json]:
    return _each(venue, call, lambda market: {"symbol": symbol_id(market.rules), **touch_of(market)})


def _each(venue: BinanceVenue, call: Call, describe: Callable[[LabMarket], Json]) -> Json | list[Json]:
    """One object for `symbol`, a list for `symbols` and for none."""
    rows = [describe(market) for market in venue.chosen(call)]
    return rows[0] if call.has("symbol") else rows


def _rate_limits(venue: BinanceVenue) -> list[Json]:
    limits = venue.limits
    rows = (
        ("REQUEST_WEIGHT", "MINUTE", 1, limits.weight),
        ("ORDERS", "SECOND", 10, limits.orders_10s),
        ("ORDERS", "DAY", 1, limits.orders_1d),
    )
    return [
        {"rateLimitType": kind, "interval": interval, "intervalNum": number, "limit": limit}
        for kind, interval, number, limit in rows
    ]


def _aggregate(trades: list[PublicTrade]) -> list[Json]:
    rows: list[Json] = []
    for _, group in groupby(trades, key=lambda t: (t.taker_order_id, t.price, t.time_ms)):
        part = list(group)
        rows.append(
            {
                "a": len(rows) + 1,
                "p": fixed(part[0].price),
                "q": fixed(sum((trade.amount for trade in part), ZERO)),
                "f": part[0].id,
                "l": part[-1].id,
                "T": part[0].time_ms,
                "m": part[0].taker_side is Side.SELL,
                "M": True,
            }
        )
    return rows


def _number(value: object) -> int:
    return int(str(value))


def touch_of(market: LabMarket) -> Json:
    shown = market.display.shown(market.update_id)
    bids, asks = shown.bids[:1], shown.asks[:1]
    bid, bid_amount = bids[0] if bids else (ZERO, ZERO)
    ask, ask_amount = asks[0] if asks else (ZERO, ZERO)
    return {
        "bidPrice": fixed(bid),
        "bidQty": fixed(bid_amount),
        "askPrice": fixed(ask),
        "askQty": fixed(ask_amount),
    }


def day_of(market: LabMarket, now: int, kind: str = "FULL") -> Json:
    window = market.trades_since(now - DAY_MS)
    prices = [trade.price for trade in window] or [market.last_price or ZERO]
    volume = sum((trade.amount for trade in window), ZERO)
    quote_volume = sum((trade.cost for trade in window), ZERO)
    mini: Json = {
        "symbol": symbol_id(market.rules),
        "openPrice": fixed(prices[0]),
        "highPrice": fixed(max(prices)),
        "lowPrice": fixed(min(prices)),
        "lastPrice": fixed(prices[-1]),
        "volume": fixed(volume),
        "quoteVolume": fixed(quote_volume),
        "openTime": now - DAY_MS,
        "closeTime": now,
        "firstId": window[0].id if window else -1,
        "lastId": window[-1].id if window else -1,
        "count": len(window),
    }
    if kind == "MINI":
        return mini
    change = prices[-1] - prices[0]
    percent = change / prices[0] * 100 if prices[0] else Decimal(0)
    return (
        mini
        | touch_of(market)
        | {
            "priceChange": fixed(change),
            "priceChangePercent": f"{percent:.3f}",
            "weightedAvgPrice": fixed(quote_volume / volume if volume else ZERO),
            "prevClosePrice": fixed(prices[0]),
            "lastQty": fixed(window[-1].amount if window else ZERO),
        }
    )
