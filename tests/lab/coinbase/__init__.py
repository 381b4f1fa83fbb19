"""Coinbase Advanced Trade, spot, on the wire.

Source: the Advanced Trade pages of docs.cdp.coinbase.com, July 2026, and what public clients wrote down of
its answers where those pages are silent.
"""

from tests.lab.coinbase.dialect import CoinbaseDialect
from tests.lab.coinbase.markets import MARKETS

__all__ = ["MARKETS", "CoinbaseDialect"]
