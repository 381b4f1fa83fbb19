"""Binance spot on the wire.

Source: rest-api.md, errors.md and filters.md of github.com/binance/binance-spot-api-docs, July 2026.
"""

from tests.lab.binance.dialect import BinanceDialect
from tests.lab.binance.markets import MARKETS

__all__ = ["MARKETS", "BinanceDialect"]
