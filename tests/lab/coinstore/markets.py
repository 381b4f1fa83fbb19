"""The markets that Coinstore lists in the lab: steps are powers of ten, for it states them as digits."""

from __future__ import annotations

from decimal import Decimal

from tests.lab.rules import MarketRules

MARKETS = (
    MarketRules(
        base="BTC",
        quote="USDT",
        amount_step=Decimal("0.000001"),
        min_amount=Decimal("0.00001"),
        min_cost=Decimal(1),
        max_open_orders=500,
    ),
    MarketRules(
        base="ETH",
        quote="USDT",
        amount_step=Decimal("0.0001"),
        min_amount=Decimal("0.001"),
        max_market_amount=Decimal(2000),
        min_cost=Decimal(1),
        max_open_orders=500,
    ),
    MarketRules(
        base="TRX",
        quote="USDT",
        price_step=Decimal("0.000001"),
        min_price=Decimal("0.000001"),
        amount_step=Decimal("0.1"),
        min_amount=Decimal(1),
        max_amount=Decimal(90_000_000),
        max_market_amount=Decimal(1_000_000),
        min_cost=Decimal(1),
        max_open_orders=500,
    ),
)
