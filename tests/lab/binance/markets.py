"""The markets that Binance lists in the lab."""

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
    MarketRules(
        base="BNB",
        quote="USDT",
        amount_step=Decimal("0.001"),
        min_amount=Decimal("0.001"),
        max_market_amount=Decimal(5000),
    ),
)
