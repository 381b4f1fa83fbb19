"""Coinbase's names for markets, orders, trades and accounts: UUIDs that lead back to the lab's numbers."""

from __future__ import annotations

import re
from zlib import crc32

from tests.lab.market import LabMarket
from tests.lab.orders import Order
from tests.lab.rules import MarketRules

_UUID = re.compile(r"([0-9a-f]{8})-([0-9a-f]{4})-4000-8000-([0-9a-f]{12})")
_ORDER, _TRADE, _ACCOUNT, _USER = "00de", "07ad", "acc0", "05e7"


def product_id(rules: MarketRules) -> str:
    return f"{rules.base}-{rules.quote}"


def order_id(order: Order) -> str:
    return _uuid(_ORDER, order.symbol, order.id)


def find_order(markets: list[LabMarket], uuid: str) -> Order | None:
    """Whoever's it is."""
    parts = _UUID.fullmatch(uuid)
    if parts is None or parts[2] != _ORDER:
        return None
    named = (market for market in markets if _hash(market.rules.symbol) == parts[1])
    number = int(parts[3], 16)
    return next((market.orders[number] for market in named if number in market.orders), None)


def trade_id(symbol: str, number: int) -> str:
    return _uuid(_TRADE, symbol, number)


def account_id(account: str, currency: str) -> str:
    return _uuid(_ACCOUNT, f"{account} {currency}", 1)


def user_id(account: str) -> str:
    return _uuid(_USER, account, 1)


def _uuid(kind: str, name: str, number: int) -> str:
    return f"{_hash(name)}-{kind}-4000-8000-{number:012x}"


def _hash(name: str) -> str:
    return f"{crc32(name.encode()):08x}"
