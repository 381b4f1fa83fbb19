"""Alpaca on the wire: crypto and US stocks, one trading API and one for market data.

Source: docs.alpaca.markets ("Orders at Alpaca", "Crypto Orders", "Account Activities", the reference of the
trading API), and what users have measured where it is silent. Nobody documents what becomes of a parameter
that does not exist; here it is refused, so that nothing that is sent is passed over.
"""

from tests.lab.alpaca.dialect import AlpacaDialect
from tests.lab.alpaca.markets import MARKETS

__all__ = ["MARKETS", "AlpacaDialect"]
