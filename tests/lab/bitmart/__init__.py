"""BitMart spot on the wire, after its trading ended: what is there can be read.

Source: developer-pro.bitmart.com, spot, 2025, and the answers quoted in ccxt 4.5.66. How it refuses an order
now is not known; here with one of its codes for a market that is not available.
"""

from tests.lab.bitmart.dialect import BitmartDialect
from tests.lab.bitmart.markets import MARKETS

__all__ = ["MARKETS", "BitmartDialect"]
