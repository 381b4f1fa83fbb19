"""Which venue has which dialect. A venue that is not named here speaks as ccxt expects."""

from __future__ import annotations

from exchanges.venues.alpaca.dialect import DIALECT as ALPACA
from exchanges.venues.binance.dialect import DIALECT as BINANCE
from exchanges.venues.bitmart.dialect import DIALECT as BITMART
from exchanges.venues.coinbase.dialect import DIALECT as COINBASE
from exchanges.venues.coinstore.dialect import DIALECT as COINSTORE
from exchanges.venues.dialect import Dialect
from exchanges.venues.kraken.dialect import DIALECT as KRAKEN
from exchanges.venues.okx.dialect import DIALECT as OKX

_DIALECTS = {
    "alpaca": ALPACA,
    "binance": BINANCE,
    "bitmart": BITMART,
    "coinbase": COINBASE,
    "coinstore": COINSTORE,
    "kraken": KRAKEN,
    "okx": OKX,
}
_PLAIN = Dialect()


def dialect_of(venue_id: str) -> Dialect:
    return _DIALECTS.get(venue_id, _PLAIN)
