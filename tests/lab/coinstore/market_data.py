"""What Coinstore shows to everybody: markets, currencies, books, trades and tickers."""

from __future__ import annotations

from itertools import groupby

from tests.lab.coinstore.call import Call
from tests.lab.coinstore.errors import bad_request
from tests.lab.coinstore.payloads import Json, described, plain, public_trade
from tests.lab.coinstore.venue import CoinstoreVenue, symbol_id
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, PublicTrade

DAY_MS = 86_400_000
DEPTHS = ("5", "10", "20", "50", "100")
PERIODS_MS = {
    "1min": 60_000,
    "5min": 300_000,
    "15min": 900_000,
    "30min": 1_800_000,
    "60min": 3_600_000,
    "4hour": 14_400_000,
    "12hour": 43_200_000,
    "1day": DAY_MS,
    "1week": 7 * DAY_MS,
}


def symbols(venue: CoinstoreVenue, call: Call) -> list[Json]:
    codes = {str(code).upper() for code in call.items("symbolCodes")}
    numbers = {int(number) for number in call.items("symbolIds")}
    rows = [described(venue, market) for market in venue.exchange.markets.values()]
    if not codes and not numbers:
        return rows
    return [row for row in rows if str(row["symbolCode"]).upper() in codes or row["symbolId"] in numbers]


def currency(venue: CoinstoreVenue, call: Call) -> Json:
    name = call.required("currencyCode").lower()
    known = {c for m in venue.exchange.markets.values() for c in (m.rules.base, m.rules.quote)}
    if name.upper() not in known:
        raise bad_request("no such currency")
    chain: Json = {
        "currencyCode": name,
        "chainName": name,
        "contractAddress": "",
        "depositOpen": 1,
        "withdrawOpen": 1,
        "withdrawFee": "1.00000000",
        "withdrawMin": "1.00000000",
        "withdrawMax": "0.00000000",
        "depositMin": "1.00000000",
        "withdrawFeePlatform": "0.00000000",
        "burningState": 0,
        "withdrawFeeOnChain": "0.00000000",
        "tagType": 0,
        "withdrawFeeMin": "0.00000000",
    }
    return {"name": name, "code": name, "showPrecision": 6, "chainDataList": [chain]}


def depth(venue: CoinstoreVenue, call: Call) -> Json:
    market = venue.market(call.named)
    level = int(call.choice("depth", DEPTHS, default="20"))
    book = market.display.shown(market.update_id)
    instrument = venue.instrument_id(market)
    return {
        "channel": f"{instrument}@depth@{level}",
        "level": level,
        "a": [[plain(price), plain(amount), -1] for price, amount in book.asks[:level]],
        "b": [[plain(price), plain(amount), 1] for price, amount in book.bids[:level]],
        "symbol": symbol_id(market),
        "instrumentId": instrument,
    }


def trades(venue: CoinstoreVenue, call: Call) -> list[Json]:
    """Newest first."""
    market = venue.market(call.named)
    size = call.between("size", 1, 100, default=100)
    return [public_trade(venue, market, trade) for trade in market.trades[: -size - 1 : -1]]


def klines(venue: CoinstoreVenue, call: Call) -> Json:
    market = venue.market(call.named)
    period = call.choice("period", PERIODS_MS, default="1min")
    size = call.between("size", 1, 2000, default=20)
    length = PERIODS_MS[period]
    candles = [
        _candle(start * length, length, period, list(group))
        for start, group in groupby(market.trades, key=lambda trade: trade.time_ms // length)
    ]
    instrument = venue.instrument_id(market)
    return {
        "channel": f"{instrument}@kline@{period}",
        "item": candles[-size:],
        "symbol": symbol_id(market),
        "instrumentId": instrument,
    }


def _candle(start_ms: int, length_ms: int, period: str, part: list[PublicTrade]) -> Json:
    prices = [trade.price for trade in part]
    return {
        "endTime": (start_ms + length_ms) // 1000,
        "amount": plain(sum((trade.cost for trade in part), ZERO)),
        "interval": period,
        "startTime": start_ms // 1000,
        "firstTradeId": part[0].id,
        "lastTradeId": part[-1].id,
        "volume": plain(sum((trade.amount for trade in part), ZERO)),
        "close": plain(prices[-1]),
        "open": plain(prices[0]),
        "high": plain(max(prices)),
        "low": plain(min(prices)),
    }


def prices(venue: CoinstoreVenue, call: Call) -> list[Json]:
    """All, or the one that a path parameter (`;symbol=`) or a query parameter names."""
    asked = call.named.partition("symbol=")[2] or call.text("symbol")
    markets = [venue.market(asked)] if asked else list(venue.exchange.markets.values())
    return [
        {
            "id": venue.instrument_id(market),
            "symbol": symbol_id(market).lower(),
            "price": plain(market.last_price or ZERO),
        }
        for market in markets
    ]


def tickers(venue: CoinstoreVenue, call: Call) -> list[Json]:
    """volume is in base and amount in quote, though the document has it the other way round."""
    return [_ticker(venue, market) for market in venue.exchange.markets.values()]


def _ticker(venue: CoinstoreVenue, market: LabMarket) -> Json:
    window = market.trades_since(venue.now_ms() - DAY_MS)
    paid = [trade.price for trade in window] or [market.last_price or ZERO]
    book = market.display.shown(market.update_id)
    bid, bid_amount = book.bids[0] if book.bids else (ZERO, ZERO)
    ask, ask_amount = book.asks[0] if book.asks else (ZERO, ZERO)
    return {
        "channel": "ticker",
        "bidSize": plain(bid_amount),
        "askSize": plain(ask_amount),
        "count": len(window),
        "volume": plain(sum((trade.amount for trade in window), ZERO)),
        "amount": plain(sum((trade.cost for trade in window), ZERO)),
        "close": plain(paid[-1]),
        "open": plain(paid[0]),
        "high": plain(max(paid)),
        "low": plain(min(paid)),
        "bid": plain(bid),
        "ask": plain(ask),
        "symbol": symbol_id(market),
        "instrumentId": venue.instrument_id(market),
    }
