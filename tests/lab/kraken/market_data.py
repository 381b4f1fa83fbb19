"""What Kraken shows to everybody: clock, assets, pairs, tickers, books and trades."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from tests.lab.kraken.call import Call
from tests.lab.kraken.errors import invalid_argument
from tests.lab.kraken.names import answer_name, asset, pair_id, short_name
from tests.lab.kraken.payloads import Json, asset_pair, price_text, public_trade, volume
from tests.lab.kraken.venue import KrakenVenue
from tests.lab.market import LabMarket
from tests.lab.orders import ZERO, PublicTrade

DAY_MS = 86_400_000
DEEPEST = 500
MOST_TRADES = 1000
SECONDS_HAVE_FEWER_THAN = 10**14  # larger ones are nanoseconds


def server_time(venue: KrakenVenue, call: Call) -> Json:
    now = venue.now_ms() // 1000
    return {"unixtime": now, "rfc1123": datetime.fromtimestamp(now, UTC).strftime("%a, %d %b %y %H:%M:%S %z")}


def system_status(venue: KrakenVenue, call: Call) -> Json:
    now = datetime.fromtimestamp(venue.now_ms() // 1000, UTC)
    return {"status": "online", "timestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ")}


def assets(venue: KrakenVenue, call: Call) -> Json:
    rules = [market.rules for market in venue.exchange.markets.values()]
    currencies = dict.fromkeys(name for rule in rules for name in (rule.base, rule.quote))
    return {
        asset(name): {
            "aclass": "currency",
            "altname": short_name(name),
            "decimals": 10,
            "display_decimals": 5,
            "status": "enabled",
        }
        for name in currencies
    }


def asset_pairs(venue: KrakenVenue, call: Call) -> Json:
    return {name: asset_pair(market.rules) for name, market in _chosen(venue, call)}


def ticker(venue: KrakenVenue, call: Call) -> Json:
    return {name: _day(market, venue.now_ms()) for name, market in _chosen(venue, call)}


def depth(venue: KrakenVenue, call: Call) -> Json:
    market = venue.market(call)
    count = call.integer("count", default=100)
    if not 1 <= count <= DEEPEST:
        raise invalid_argument("count")
    shown, now = market.display.shown(market.update_id), venue.now_ms() // 1000

    def rows(levels: Iterable[tuple[Decimal, Decimal]]) -> list[list[object]]:
        kept = list(levels)[:count]
        return [[price_text(market.rules, price), f"{amount:.8f}", now] for price, amount in kept]

    name = answer_name(market.rules, call.pair())
    return {name: {"asks": rows(shown.asks), "bids": rows(shown.bids)}}


def trades(venue: KrakenVenue, call: Call) -> Json:
    """The oldest after `since`; without it the newest."""
    market = venue.market(call)
    count = call.integer("count", default=MOST_TRADES, most=MOST_TRADES)
    if call.text("since") is None:
        found = market.trades[-count:]
    else:
        since_ms = _since_ms(call)
        found = [trade for trade in market.trades if trade.time_ms > since_ms][:count]
    last = found[-1].time_ms * 1_000_000 if found else venue.now_ms() * 1_000_000
    rows = [public_trade(market.rules, trade) for trade in found]
    return {answer_name(market.rules, call.pair()): rows, "last": str(last)}


def _since_ms(call: Call) -> Decimal:
    value = call.required("since")
    if not value.isdecimal():
        raise invalid_argument("since")
    number = Decimal(value)
    return number * 1000 if number < SECONDS_HAVE_FEWER_THAN else number / 1_000_000


def _chosen(venue: KrakenVenue, call: Call) -> list[tuple[str, LabMarket]]:
    """Those of `pair`, a list, with the names that they are answered under; all when it was not sent."""
    if call.text("pair") is None:
        return [(pair_id(market.rules), market) for market in venue.exchange.markets.values()]
    asked = ((name, venue.named(name)) for name in call.names("pair", most=100))
    return [(answer_name(market.rules, name), market) for name, market in asked]


def _day(market: LabMarket, now_ms: int) -> Json:
    """Each pair of figures is of today, which the lab does not tell apart, and of the last 24 hours."""
    window = market.trades_since(now_ms - DAY_MS)
    prices = [trade.price for trade in window] or [market.last_price or ZERO]
    amount = sum((trade.amount for trade in window), ZERO)
    average = sum((trade.cost for trade in window), ZERO) / amount if amount else ZERO

    def twice(text: str) -> list[str]:
        return [text, text]

    def price(value: Decimal) -> str:
        return price_text(market.rules, value)

    shown = market.display.shown(market.update_id)
    return {
        "a": _touch(market, shown.asks),
        "b": _touch(market, shown.bids),
        "c": _last(market, window),
        "v": twice(volume(amount)),
        "p": twice(price(average)),
        "t": [len(window), len(window)],
        "l": twice(price(min(prices))),
        "h": twice(price(max(prices))),
        "o": price(prices[0]),
    }


def _touch(market: LabMarket, levels: list[tuple[Decimal, Decimal]]) -> list[str]:
    best, amount = levels[0] if levels else (ZERO, ZERO)
    return [price_text(market.rules, best), f"{amount:.0f}", f"{amount:.3f}"]


def _last(market: LabMarket, window: list[PublicTrade]) -> list[str]:
    amount = window[-1].amount if window else ZERO
    return [price_text(market.rules, market.last_price or ZERO), volume(amount)]
