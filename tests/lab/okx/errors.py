"""OKX's error codes, texts and HTTP statuses (its documentation, "Error Code")."""

from __future__ import annotations

from tests.lab.orders import Kind, Reason, RefusedError, Side, Ticket
from tests.lab.rules import MarketRules


class OkxError(Exception):
    """status: the HTTP status of an answer that is this error as a whole; orders have theirs inside a 200."""

    def __init__(self, code: str, text: str, *, status: int = 200) -> None:
        super().__init__(f"{code} {text}")
        self.code = code
        self.text = text
        self.status = status


def unauthorized(code: str, text: str) -> OkxError:
    return OkxError(code, text, status=401)


def empty(name: str) -> OkxError:
    return OkxError("50014", f"Parameter {name} cannot be empty", status=400)


def bad_parameter(name: str) -> OkxError:
    return OkxError("51000", f"Parameter {name} error", status=400)


def no_instrument() -> OkxError:
    return OkxError("51001", "Instrument ID, Instrument ID code, or Spread ID doesn't exist.")


def no_order_named() -> OkxError:
    return OkxError("51003", "Either client order ID or order ID is required.", status=400)


def no_order() -> OkxError:
    return OkxError("51603", "Order does not exist")


def not_cancelable() -> OkxError:
    text = "Cancellation failed as the order has been filled, canceled or does not exist."
    return OkxError("51400", text)


def too_frequent() -> OkxError:
    return OkxError("50011", "Too Many Requests", status=429)


_PLAIN = {
    Reason.MARKET_CLOSED: ("51022", "Trading of this instrument is suspended."),
    Reason.ACCOUNT_DISABLED: ("51009", "Order placement function is blocked by the platform."),
    Reason.PRICE_FILTER: ("51000", "Parameter px error"),
    Reason.MARKET_LOT_SIZE: ("51202", "Market order amount exceeds the maximum amount."),
    Reason.DUPLICATE: ("51016", "Client order ID already exists."),
    Reason.NO_LIQUIDITY: ("51109", "No available offer"),
}
_TOO_SMALL = OkxError("51020", "Your order should meet or exceed the minimum order amount.")


def from_refusal(refusal: RefusedError, ticket: Ticket, rules: MarketRules) -> OkxError:
    """What OKX says when the exchange refuses a new order."""
    if refusal.reason in _PLAIN:
        return OkxError(*_PLAIN[refusal.reason])
    if refusal.reason is Reason.INSUFFICIENT_FUNDS:
        currency = rules.quote if ticket.side is Side.BUY else rules.base
        return OkxError("51008", f"Order failed. Insufficient {currency} balance in account.")
    if refusal.reason is Reason.PERCENT_PRICE:
        return _beyond_the_limit(ticket)
    if refusal.reason is Reason.MAX_OPEN_ORDERS:
        most = rules.max_open_orders
        return OkxError(
            "51174",
            f"The number of {rules.symbol} pending orders reached the upper limit of {most} (orders).",
        )
    if refusal.reason is Reason.NOTIONAL:
        return _bad_cost(ticket, rules)
    return _bad_amount(ticket, rules) if refusal.reason is Reason.LOT_SIZE else no_instrument()


def _beyond_the_limit(ticket: Ticket) -> OkxError:
    if ticket.side is Side.BUY:
        return OkxError("51137", "The highest price limit for buy orders is exceeded.")
    return OkxError("51138", "The lowest price limit for sell orders is undercut.")


def _bad_amount(ticket: Ticket, rules: MarketRules) -> OkxError:
    amount = ticket.amount or rules.min_amount
    if amount < rules.min_amount:
        return _TOO_SMALL
    if amount > rules.max_amount:
        return OkxError("51005", "Your order amount exceeds the max order amount.")
    return OkxError("51121", "Order quantity must be a multiple of the lot size.")


def _bad_cost(ticket: Ticket, rules: MarketRules) -> OkxError:
    cost = ticket.budget if ticket.budget is not None else (ticket.amount or 0) * (ticket.price or 0)
    if cost >= rules.min_cost and ticket.kind is not Kind.MARKET:
        return OkxError("51185", f"The maximum value allowed per order is {rules.max_cost} USD")
    return _TOO_SMALL
