"""OKX spot on the wire.

Source: OKX's API documentation, v5 (www.okx.com/docs-v5/en), and the requests and answers that ccxt 4.5.90
and python-okx 0.4.4 know.
"""

from tests.lab.okx.dialect import OkxDialect
from tests.lab.okx.markets import MARKETS

__all__ = ["MARKETS", "OkxDialect"]
