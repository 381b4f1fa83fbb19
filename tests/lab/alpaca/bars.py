"""Bars of coins: what was traded in each minute, hour or day of UTC, none for those without a trade."""

from __future__ import annotations

from itertools import groupby

from tests.lab.alpaca.call import Call
from tests.lab.alpaca.markets import asset_symbol
from tests.lab.alpaca.payloads import Json, stamp
from tests.lab.alpaca.venue import AlpacaVenue
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, PublicTrade

LENGTHS_MS = {"1Min": 60_000, "1Hour": 3_600_000, "1Day": 86_400_000}
MOST_BARS = 10_000


def bars_of(venue: AlpacaVenue, call: Call, markets: list[LabMarket]) -> Json:
    """Those that begin from `start` on. All symbols share a page; the token counts the bars shown already."""
    length_ms = LENGTHS_MS[call.choice("timeframe", LENGTHS_MS)]
    limit = call.integer("limit", default=1000, most=MOST_BARS)
    start, end, first = call.moment_ms("start"), call.moment_ms("end"), int(call.text("page_token", "0"))
    since = venue.now_ms() - venue.now_ms() % LENGTHS_MS["1Day"] if start is None else start
    rows = [
        (asset_symbol(market.rules), _bar(begin_ms, list(trades)))
        for market in sorted(markets, key=lambda market: asset_symbol(market.rules))
        for begin_ms, trades in groupby(
            market.trades, key=lambda trade: trade.time_ms // length_ms * length_ms
        )
        if begin_ms >= since and (end is None or begin_ms <= end)
    ]
    page: dict[str, list[Json]] = {}
    for symbol, bar in rows[first : first + limit]:
        page.setdefault(symbol, []).append(bar)
    more = first + limit < len(rows)
    return {"bars": page, "next_page_token": str(first + limit) if more else None}


def _bar(begin_ms: int, trades: list[PublicTrade]) -> Json:
    prices = [trade.price for trade in trades]
    amount = sum((trade.amount for trade in trades), ZERO)
    return {
        "t": stamp(begin_ms),
        "o": float(prices[0]),
        "h": float(max(prices)),
        "l": float(min(prices)),
        "c": float(prices[-1]),
        "v": float(amount),
        "vw": float(sum((trade.cost for trade in trades), ZERO) / amount),
        "n": len(trades),
    }
