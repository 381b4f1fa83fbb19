"""Which causes a venue can tell the desk of."""

from __future__ import annotations

from tests.spec.case import Need
from tests.spec.causes import alpaca, binance, bitmart, coinbase, coinstore, kraken, okx
from tests.spec.causes.cause import EVERYWHERE, Asked, Cause
from tests.spec.stands import Stand

CAUSES = {
    "binance": binance.CAUSES,
    "okx": okx.CAUSES,
    "kraken": kraken.CAUSES,
    "coinbase": coinbase.CAUSES,
    "alpaca": alpaca.CAUSES,
    "coinstore": coinstore.CAUSES,
    "bitmart": bitmart.CAUSES,
}
WRITES = (Asked.PLACE, Asked.CANCEL)


def told_at(stand: Stand) -> list[Cause]:
    """Where no orders are taken, none is refused."""
    causes = (*CAUSES[stand.venue], *EVERYWHERE)
    return [cause for cause in causes if cause.asked not in WRITES or Need.TRADING not in stand.lacks]
