"""Which causes a venue can tell the desk of."""

from __future__ import annotations

from tests.spec.case import Need
from tests.spec.causes import alpaca, binance, bitmart, cause, coinbase, coinstore, kraken, okx
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

# What every venue is asked about, beside its own.
USUAL = (
    cause.WRONG_KEY,
    cause.WRONG_SECRET,
    cause.NO_RIGHT,
    cause.ADDRESS,
    cause.REVOKED,
    cause.CLOCK,
    cause.RATE_LIMIT,
    cause.FUNDS,
    cause.MIN_COST,
    cause.MIN_AMOUNT,
    cause.POST_ONLY,
    cause.DUPLICATE,
    cause.NO_ORDER_TO_CANCEL,
    cause.NO_ORDER,
    cause.MAINTENANCE,
    cause.UNKNOWN_OUTCOME,
)
# Why a venue never tells the desk of one of these.
NEVER = {
    "okx": {
        cause.MIN_AMOUNT.title: "one code for too small a cost or amount",
        cause.POST_ONLY.title: "taken in and cancelled at once: S27",
    },
    "binance": {
        cause.MIN_AMOUNT.title: "as an amount off the step",
    },
    "coinbase": {
        cause.DUPLICATE.title: "the first order is told again: S34",
    },
    "alpaca": {
        cause.WRONG_SECRET.title: "as a wrong key",
        cause.ADDRESS.title: "keys are not bound to addresses",
        cause.CLOCK.title: "nothing is signed",
        cause.MIN_AMOUNT.title: "its minimum is a cost",
        cause.POST_ONLY.title: "there are no post-only orders",
    },
    "coinstore": {
        cause.MIN_COST.title: "one code for all limits of a market",
        cause.MIN_AMOUNT.title: "one code for all limits of a market",
        cause.POST_ONLY.title: "taken in and ended at once: S27",
    },
}


def told_at(stand: Stand) -> list[Cause]:
    """Where no orders are taken, none is refused."""
    known = (*CAUSES[stand.venue], *EVERYWHERE)
    return [found for found in known if found.asked not in WRITES or Need.TRADING not in stand.lacks]


def untold_at(stand: Stand) -> list[Cause]:
    """The usual causes that this venue never tells the desk of."""
    titles = {told.title for told in told_at(stand)}
    writes = () if Need.TRADING not in stand.lacks else WRITES
    return [usual for usual in USUAL if usual.title not in titles and usual.asked not in writes]
