"""Kraken spot on the wire.

Source: docs.kraken.com, "Spot REST" and "Spot WebSocket v2", 2026: authentication, rate limits, errors and
the pages of the endpoints.
"""

from tests.lab.kraken.dialect import KrakenDialect
from tests.lab.kraken.markets import MARKETS

__all__ = ["MARKETS", "KrakenDialect"]
