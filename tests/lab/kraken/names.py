"""Kraken's names: of assets and pairs, and the ids that it gives to orders and trades."""

from __future__ import annotations

from tests.lab.exchange import Exchange
from tests.lab.market import LabMarket
from tests.lab.orders import Fill, Order
from tests.lab.rules import MarketRules

# The oldest assets have a letter before their name: X for coins, Z for money of states.
_ASSETS = {"BTC": "XXBT", "ETH": "XETH", "DOGE": "XXDG", "USD": "ZUSD", "EUR": "ZEUR"}
_SHORT = {"BTC": "XBT", "DOGE": "XDG"}
_PREFIXED_PAIRS = {"XXBTZUSD", "XETHZUSD"}

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PLACES = 16
_MODULUS = 1 << (5 * _PLACES)
_SCATTER = 0xB5297A4D3F84D5B5A2C1  # odd, so that ids that follow each other look nothing alike
_GATHER = pow(_SCATTER, -1, _MODULUS)
_MARKETS = 1024


def asset(currency: str) -> str:
    return _ASSETS.get(currency, currency)


def short_name(currency: str) -> str:
    return _SHORT.get(currency, currency)


def altname(rules: MarketRules) -> str:
    return short_name(rules.base) + short_name(rules.quote)


def wsname(rules: MarketRules) -> str:
    return f"{short_name(rules.base)}/{short_name(rules.quote)}"


def pair_id(rules: MarketRules) -> str:
    long = asset(rules.base) + asset(rules.quote)
    return long if long in _PREFIXED_PAIRS else altname(rules)


def find_market(exchange: Exchange, name: str) -> LabMarket | None:
    """By its id or any of its other names; "BTC/USD" is what the newer WebSockets call it."""
    for market in exchange.markets.values():
        rules = market.rules
        if name in (pair_id(rules), altname(rules), wsname(rules), rules.symbol):
            return market
    return None


def answer_name(rules: MarketRules, asked: str) -> str:
    """Under which an answer names a market: who asks with a slash gets that name back."""
    return asked if "/" in asked else pair_id(rules)


def order_id(exchange: Exchange, order: Order) -> str:
    return _written("O", order.id * _MARKETS + _place(exchange, order.symbol))


def order_id_of(exchange: Exchange, fill: Fill) -> str:
    return _written("O", fill.order_id * _MARKETS + _place(exchange, fill.symbol))


def trade_id(exchange: Exchange, fill: Fill) -> str:
    """Each side of a trade has an id of its own."""
    side = 2 * fill.trade_id + fill.is_maker
    return _written("T", side * _MARKETS + _place(exchange, fill.symbol))


def find_order(exchange: Exchange, account: str, name: str) -> Order | None:
    number = _read("O", name)
    if number is None:
        return None
    place, markets = number % _MARKETS, list(exchange.markets.values())
    order = markets[place].orders.get(number // _MARKETS) if place < len(markets) else None
    return order if order is not None and order.account == account else None


def is_order_id(name: str) -> bool:
    return _read("O", name) is not None


def _place(exchange: Exchange, symbol: str) -> int:
    return list(exchange.markets).index(symbol)


def _written(kind: str, number: int) -> str:
    """As OQCLML-BW3P3-BUCMWZ."""
    scattered, letters = number * _SCATTER % _MODULUS, ""
    for _ in range(_PLACES):
        scattered, digit = divmod(scattered, len(_LETTERS))
        letters += _LETTERS[digit]
    return f"{kind}{letters[:5]}-{letters[5:10]}-{letters[10:]}"


def _read(kind: str, name: str) -> int | None:
    letters = name[1:].replace("-", "")
    if not name.startswith(kind) or len(letters) != _PLACES or set(letters) - set(_LETTERS):
        return None
    scattered = 0
    for letter in reversed(letters):
        scattered = scattered * len(_LETTERS) + _LETTERS.index(letter)
    return scattered * _GATHER % _MODULUS
