"""Coinstore spot on the wire.

Source: the official API document of 2024-08-31 (github.com/yueliang011/coinstore-openapi.github.io), and
where it and the venue differ, what public clients saw. The error numbers are the clients' as well; their
texts are the lab's own words.
"""

from tests.lab.coinstore.dialect import CoinstoreDialect
from tests.lab.coinstore.markets import MARKETS

__all__ = ["MARKETS", "CoinstoreDialect"]
