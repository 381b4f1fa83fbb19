"""What data.alpaca.markets shows: books, quotes and trades of coins to everybody, of stocks to keys."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal

from tests.lab.alpaca.bars import bars_of
from tests.lab.alpaca.call import Call
from tests.lab.alpaca.errors import AlpacaError, bad_parameter, bad_symbols
from tests.lab.alpaca.markets import asset_symbol, is_stock
from tests.lab.alpaca.payloads import Json, coin_trade, stamp, stock_trade
from tests.lab.alpaca.venue import AlpacaVenue
from tests.lab.display import Levels
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, PublicTrade

PAIR, TICKER = re.compile(r"[A-Z]+x?/[A-Z]+"), re.compile(r"[A-Z.]+")
MOST_TRADES = 10_000
DAY_MS = 86_400_000


def coin_books(venue: AlpacaVenue, call: Call) -> Json:
    return {
        "orderbooks": {asset_symbol(market.rules): _book(venue, market) for market in _coins(venue, call)}
    }


def coin_snapshots(venue: AlpacaVenue, call: Call) -> Json:
    rows = {
        asset_symbol(market.rules): _snapshot(venue, market, coin_trade) for market in _coins(venue, call)
    }
    return {"snapshots": rows}


def coin_trades(venue: AlpacaVenue, call: Call) -> Json:
    return _trades(venue, call, _coins(venue, call), coin_trade)


def coin_bars(venue: AlpacaVenue, call: Call) -> Json:
    return bars_of(venue, call, _coins(venue, call))


def stock_quotes(venue: AlpacaVenue, call: Call) -> Json:
    _check_feed(call)
    return {"quotes": {asset_symbol(market.rules): _quote(venue, market) for market in _stocks(venue, call)}}


def stock_snapshots(venue: AlpacaVenue, call: Call) -> Json:
    """By symbol, without a name around it as those of coins have."""
    _check_feed(call)
    return {
        asset_symbol(market.rules): _snapshot(venue, market, stock_trade) for market in _stocks(venue, call)
    }


def stock_trades(venue: AlpacaVenue, call: Call) -> Json:
    _check_feed(call)
    return _trades(venue, call, _stocks(venue, call), stock_trade)


# --- Which markets


def _coins(venue: AlpacaVenue, call: Call) -> list[LabMarket]:
    return _chosen(venue, call, PAIR, stocks=False)


def _stocks(venue: AlpacaVenue, call: Call) -> list[LabMarket]:
    return _chosen(venue, call, TICKER, stocks=True)


def _chosen(venue: AlpacaVenue, call: Call, form: re.Pattern[str], *, stocks: bool) -> list[LabMarket]:
    """A well-formed name that nobody knows is passed over."""
    names = call.names("symbols")
    if not names:
        raise AlpacaError(400, None, "symbols parameter is required")
    wrong = [name for name in names if not form.fullmatch(name)]
    if wrong:
        raise bad_symbols(",".join(wrong))
    markets = venue.exchange.markets.values()
    return [m for m in markets if asset_symbol(m.rules) in names and is_stock(m.rules) is stocks]


def _check_feed(call: Call) -> None:
    if call.text("feed", "iex") not in ("iex", "sip", "delayed_sip"):
        raise bad_parameter("feed", call.text("feed"))


# --- What is shown


def _book(venue: AlpacaVenue, market: LabMarket) -> Json:
    shown = market.display.shown(market.update_id)
    return {
        "b": [{"p": float(price), "s": float(amount)} for price, amount in shown.bids],
        "a": [{"p": float(price), "s": float(amount)} for price, amount in shown.asks],
        "t": stamp(venue.now_ms()),
    }


def _quote(venue: AlpacaVenue, market: LabMarket) -> Json:
    """A side that is empty is shown as zeros."""
    shown = market.display.shown(market.update_id)
    (bid, bid_size), (ask, ask_size) = _best(shown.bids), _best(shown.asks)
    quote: Json = {
        "bp": float(bid),
        "bs": float(bid_size),
        "ap": float(ask),
        "as": float(ask_size),
        "t": stamp(venue.now_ms()),
    }
    return quote | ({"ax": "V", "bx": "V", "c": ["R"], "z": "C"} if is_stock(market.rules) else {})


def _best(levels: Levels) -> tuple[Decimal, Decimal]:
    return levels[0] if levels else (ZERO, ZERO)


def _snapshot(venue: AlpacaVenue, market: LabMarket, describe: Callable[[PublicTrade], Json]) -> Json:
    latest = market.trades[-1:]
    return {
        "dailyBar": None,
        "latestQuote": _quote(venue, market),
        "latestTrade": describe(latest[0]) if latest else None,
        "minuteBar": None,
        "prevDailyBar": None,
    }


def _trades(
    venue: AlpacaVenue, call: Call, markets: list[LabMarket], describe: Callable[[PublicTrade], Json]
) -> Json:
    """All symbols share a page; the token counts the rows that were shown already."""
    start, end = call.moment_ms("start"), call.moment_ms("end")
    limit = call.integer("limit", default=1000, most=MOST_TRADES)
    newest_first = call.choice("sort", ("asc", "desc"), "asc") == "desc"
    since = venue.now_ms() - venue.now_ms() % DAY_MS if start is None else start
    rows = [
        (asset_symbol(market.rules), trade)
        for market in markets
        for trade in (market.trades[::-1] if newest_first else market.trades)
        if trade.time_ms >= since and (end is None or trade.time_ms <= end)
    ]
    first = int(call.text("page_token", "0"))
    page: dict[str, list[Json]] = {}
    for symbol, trade in rows[first : first + limit]:
        page.setdefault(symbol, []).append(describe(trade))
    more = first + limit < len(rows)
    return {"trades": page, "next_page_token": str(first + limit) if more else None}
