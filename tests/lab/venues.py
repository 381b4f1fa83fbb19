"""The venues that the lab simulates: the dialect of each, and the markets that it lists."""

from __future__ import annotations

from collections.abc import Callable

from tests.lab import alpaca, binance, bitmart, coinbase, coinstore, kraken, okx
from tests.lab.exchange import Exchange
from tests.lab.rules import MarketRules
from tests.lab.wire import Dialect

VENUES: dict[str, tuple[Callable[[Exchange], Dialect], tuple[MarketRules, ...]]] = {
    "alpaca": (alpaca.AlpacaDialect, alpaca.MARKETS),
    "binance": (binance.BinanceDialect, binance.MARKETS),
    "bitmart": (bitmart.BitmartDialect, bitmart.MARKETS),
    "okx": (okx.OkxDialect, okx.MARKETS),
    "coinbase": (coinbase.CoinbaseDialect, coinbase.MARKETS),
    "coinstore": (coinstore.CoinstoreDialect, coinstore.MARKETS),
    "kraken": (kraken.KrakenDialect, kraken.MARKETS),
}
