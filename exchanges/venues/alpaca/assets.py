"""Alpaca's list of assets as ccxt's markets, without what nobody reads: there are ten thousand stocks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

MAKER_FEE, TAKER_FEE = "0.0015", "0.0025"
# Of buys for dollars; the listed minimum amounts are smaller than that.
LEAST_COIN_COST_USD, LEAST_STOCK_COST_USD = "10", "1"
# Prices of a dollar and more; below, four decimals are allowed and two are valid too.
STOCK_PRICE_STEP = "0.01"
# Alpaca takes nine decimals and keeps six.
PART_OF_A_SHARE = "0.000001"


def coins_of(assets: Iterable[Mapping[str, Any]]) -> set[str]:
    return {name for asset in assets for name in asset["symbol"].split("/")}


def coin_market(client: Any, asset: Mapping[str, Any]) -> Any:
    base, quote = asset["symbol"].split("/")
    least = LEAST_COIN_COST_USD if quote == "USD" else None
    return client.safe_market_structure(
        _common(asset, base, quote)
        | {
            "active": asset["tradable"],
            "maker": MAKER_FEE,
            "taker": TAKER_FEE,
            "precision": {"amount": asset["min_trade_increment"], "price": asset["price_increment"]},
            "limits": {"amount": {"min": asset["min_order_size"]}, "cost": {"min": least}},
        }
    )


def stock_market(client: Any, asset: Mapping[str, Any]) -> Any:
    in_parts = asset["fractionable"]
    step = PART_OF_A_SHARE if in_parts else "1"
    return client.safe_market_structure(
        _common(asset, asset["symbol"], "USD")
        | {
            "active": True,
            "maker": "0",
            "taker": "0",
            "precision": {"amount": step, "price": STOCK_PRICE_STEP},
            "limits": {
                "amount": {"min": step},
                "cost": {"min": LEAST_STOCK_COST_USD if in_parts else None},
            },
        }
    )


def _common(asset: Mapping[str, Any], base: str, quote: str) -> dict[str, Any]:
    return {
        "id": asset["symbol"],
        "symbol": f"{base}/{quote}",
        "base": base,
        "quote": quote,
        "baseId": base,
        "quoteId": quote,
        "type": "spot",
        "spot": True,
        "contract": False,
        "info": {"class": asset["class"]},
    }
