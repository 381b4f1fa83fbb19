"""Short ways to write markets, books and situations down in tests."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bots.strategies.base import OpenOrder, Quote, Snapshot
from bots.strategies.spread import SpreadSettings
from exchanges.types import Book, Level, Market, Side

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
BUY, SELL = Side.BUY, Side.SELL
D = Decimal


def market(**changes: Any) -> Market:
    values: dict[str, Any] = {"price_step": D("0.01"), "amount_step": D("0.001")}
    return Market(**{"symbol": "BTC/USDT", "base": "BTC", "quote": "USDT", **values, **changes})


def book(bids: list[tuple[str, str]], asks: list[tuple[str, str]]) -> Book:
    return Book(
        symbol="BTC/USDT",
        bids=tuple(Level(D(price), D(amount)) for price, amount in bids),
        asks=tuple(Level(D(price), D(amount)) for price, amount in asks),
        time=NOW,
    )


BOOK = book([("99.5", "10")], [("100.5", "10")])


def snapshot(**changes: Any) -> Snapshot:
    values: dict[str, Any] = {
        "now": NOW,
        "market": market(),
        "book": BOOK,
        "base_balance": D(500),
        "quote_balance": D(5000),
    }
    values |= changes
    values.setdefault("base_total", values["base_balance"])
    values.setdefault("quote_total", values["quote_balance"])
    return Snapshot(**values)


def settings(**changes: Any) -> SpreadSettings:
    values: dict[str, Any] = {"bid_spread_pct": D("0.01"), "ask_spread_pct": D("0.01"), "order_amount": D(1)}
    return SpreadSettings(**{**values, **changes})


def quote(side: Side, price: str, amount: str = "1", **changes: Any) -> Quote:
    return Quote(side=side, price=D(price), amount=D(amount), level="", **changes)


def order(side: Side, price: str, remaining: str = "1", **changes: Any) -> OpenOrder:
    values = {"client_id": f"{side}-{price}", "side": side, "price": D(price), "remaining": D(remaining)}
    return OpenOrder(**{"amount": D(remaining), **values, **changes})
