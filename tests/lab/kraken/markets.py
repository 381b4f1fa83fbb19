"""The markets that Kraken lists in the lab. Its own lots are finer: here a cost never needs rounding."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.lab.rules import MarketRules

ANY_PRICE = (Decimal(0), Decimal(10) ** 9)  # there is no band around the last price


def _rules(base: str, quote: str, price_step: str, amount_step: str, min_amount: str) -> MarketRules:
    limits: dict[str, Any] = {
        "min_price": Decimal(price_step),
        "max_price": Decimal(10) ** 8,
        "max_amount": Decimal(10) ** 8,
        "max_market_amount": Decimal(10) ** 8,
        "max_cost": Decimal(10) ** 12,
        "min_cost": Decimal("0.5"),
        "bid_multiplier": ANY_PRICE,
        "ask_multiplier": ANY_PRICE,
        "max_open_orders": 80,
    }
    return MarketRules(
        base=base,
        quote=quote,
        price_step=Decimal(price_step),
        amount_step=Decimal(amount_step),
        min_amount=Decimal(min_amount),
        **limits,
    )


MARKETS = (
    _rules("BTC", "USD", "0.1", "0.0000001", "0.00005"),
    _rules("ETH", "USD", "0.01", "0.000001", "0.002"),
    _rules("DOGE", "USD", "0.00001", "0.001", "13"),
    _rules("ADA", "EUR", "0.000001", "0.01", "6"),
    # Prices here move in steps of a quarter: not every price of so many decimals is on the tick.
    _rules("PAXG", "USD", "0.25", "0.01", "1"),
)
