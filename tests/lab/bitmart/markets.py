"""The markets that BitMart lists in the lab, where orders of the past can be made on the exchange itself."""

from __future__ import annotations

from decimal import Decimal

from tests.lab.rules import MarketRules

MARKETS = (
    MarketRules(base="BTC", quote="USDT"),
    MarketRules(
        base="ETH",
        quote="USDT",
        amount_step=Decimal("0.0001"),
        min_amount=Decimal("0.0001"),
        max_market_amount=Decimal(2000),
    ),
)
