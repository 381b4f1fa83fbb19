"""What Coinbase lists here."""

from __future__ import annotations

from decimal import Decimal

from tests.lab.rules import MarketRules

_FINE = Decimal("0.000001")

MARKETS = (
    MarketRules(
        base="BTC",
        quote="USD",
        amount_step=_FINE,
        min_amount=_FINE,
        max_amount=Decimal(3400),
        min_cost=Decimal(1),
        max_cost=Decimal(150_000_000),
        max_open_orders=500,
    ),
    MarketRules(
        base="ETH",
        quote="USD",
        amount_step=_FINE,
        min_amount=_FINE,
        max_amount=Decimal(42_000),
        max_market_amount=Decimal(2000),
        min_cost=Decimal(1),
        max_cost=Decimal(150_000_000),
        max_open_orders=500,
    ),
    MarketRules(
        base="SOL",
        quote="USD",
        amount_step=_FINE,
        min_amount=_FINE,
        max_amount=Decimal(500_000),
        max_market_amount=Decimal(20_000),
        min_cost=Decimal(1),
        max_cost=Decimal(150_000_000),
        max_open_orders=500,
    ),
)
