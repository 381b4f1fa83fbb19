"""Kraken's error strings: a category, a colon, and what is wrong. The HTTP status is always 200."""

from __future__ import annotations

from tests.lab.orders import Reason, RefusedError


class KrakenError(Exception):
    """text: as in {"error": [text]}."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


def invalid_argument(name: str = "") -> KrakenError:
    return KrakenError(f"EGeneral:Invalid arguments:{name}" if name else "EGeneral:Invalid arguments")


def permission_denied() -> KrakenError:
    """For a right that the key lacks, and for an address that is not on its allow-list."""
    return KrakenError("EGeneral:Permission denied")


def unknown_pair() -> KrakenError:
    return KrakenError("EQuery:Unknown asset pair")


def unknown_order() -> KrakenError:
    return KrakenError("EOrder:Unknown order")


_REFUSALS = {
    Reason.UNKNOWN_SYMBOL: "EQuery:Unknown asset pair",
    Reason.MARKET_CLOSED: "EService:Market in cancel_only mode",
    Reason.ACCOUNT_DISABLED: "EAccount:Invalid permissions:trading disabled",
    Reason.PRICE_FILTER: "EOrder:Tick size check failed",
    Reason.PERCENT_PRICE: "EOrder:Invalid price",
    Reason.LOT_SIZE: "EOrder:Order minimum not met",
    Reason.MARKET_LOT_SIZE: "EGeneral:Invalid arguments:volume",
    Reason.NOTIONAL: "EOrder:Cost minimum not met",
    Reason.MAX_OPEN_ORDERS: "EOrder:Orders limit exceeded",
    Reason.DUPLICATE: "EOrder:Duplicate cl_ord_id",
    Reason.WOULD_TAKE: "EOrder:Post only order",
    Reason.INSUFFICIENT_FUNDS: "EOrder:Insufficient funds",
    Reason.NO_LIQUIDITY: "EOrder:Insufficient funds",
    Reason.UNKNOWN_ORDER: "EOrder:Unknown order",
}


def from_refusal(refusal: RefusedError) -> KrakenError:
    return KrakenError(_REFUSALS[refusal.reason])
