"""The markets that OKX lists in the lab."""

from __future__ import annotations

from decimal import Decimal

from tests.lab.rules import MarketRules

# Buys above the one and sells below the other are refused; bids far below are nobody's business.
BIDS, ASKS = (Decimal(0), Decimal(2)), (Decimal("0.5"), Decimal(10**6))

MARKETS = (
    MarketRules(
        base="BTC",
        quote="USDT",
        price_step=Decimal("0.1"),
        min_price=Decimal("0.1"),
        amount_step=Decimal("0.0000001"),
        min_amount=Decimal("0.00001"),
        min_cost=Decimal(1),
        bid_multiplier=BIDS,
        ask_multiplier=ASKS,
        max_open_orders=500,
    ),
    MarketRules(
        base="ETH",
        quote="USDT",
        amount_step=Decimal("0.000001"),
        min_amount=Decimal("0.0001"),
        max_market_amount=Decimal(2000),
        min_cost=Decimal(1),
        bid_multiplier=BIDS,
        ask_multiplier=ASKS,
        max_open_orders=500,
    ),
    MarketRules(
        base="OKB",
        quote="USDT",
        amount_step=Decimal("0.000001"),
        min_amount=Decimal("0.01"),
        max_market_amount=Decimal(5000),
        min_cost=Decimal(1),
        bid_multiplier=BIDS,
        ask_multiplier=ASKS,
        max_open_orders=500,
    ),
)
