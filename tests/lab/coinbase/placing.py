"""Orders as they are sent: read, checked, and placed or refused inside HTTP 200."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from tests.lab.coinbase import errors
from tests.lab.coinbase.call import Call
from tests.lab.coinbase.errors import FailedError, bad_argument
from tests.lab.coinbase.names import order_id
from tests.lab.coinbase.payloads import Json, created
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.market import LabMarket
from tests.lab.orders import Kind, Order, RefusedError, Side, Ticket, TimeInForce
from tests.lab.rules import SMALLEST, MarketRules

NUMBER = re.compile(r"[0-9]{1,20}(\.[0-9]{1,20})?")
# What each configuration holds: (all of these, exactly one of these, perhaps these).
CONFIGURATIONS: dict[str, tuple[frozenset[str], frozenset[str], frozenset[str]]] = {
    "limit_limit_gtc": (frozenset({"base_size", "limit_price"}), frozenset(), frozenset({"post_only"})),
    "limit_limit_fok": (frozenset({"base_size", "limit_price"}), frozenset(), frozenset()),
    "sor_limit_ioc": (frozenset({"base_size", "limit_price"}), frozenset(), frozenset()),
    "market_market_ioc": (frozenset(), frozenset({"base_size", "quote_size"}), frozenset()),
}
_TIMES_IN_FORCE = {"limit_limit_fok": TimeInForce.FOK, "sor_limit_ioc": TimeInForce.IOC}


def create(venue: CoinbaseVenue, call: Call) -> Json:
    """A client id that was used before leads to the order that has it, and to no new one."""
    body = call.body
    client_id, configuration = _text(body, "client_order_id"), body.get("order_configuration")
    if not isinstance(configuration, dict):
        raise bad_argument("order_configuration is required")
    try:
        order = _known(venue, call, client_id) or _create(venue, call, client_id, configuration)
    except FailedError as error:
        return _failed(error, configuration)
    return {
        "success": True,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": order_id(order),
        "success_response": created(order, venue.exchange.market(order.symbol)),
        "order_configuration": venue.configurations[order.symbol, order.id],
    }


def _known(venue: CoinbaseVenue, call: Call, client_id: str) -> Order | None:
    account = call.owner.account
    found = (market.by_client_id(account, client_id) for market in venue.markets)
    return next((order for order in found if order is not None), None)


def _create(venue: CoinbaseVenue, call: Call, client_id: str, configuration: dict[str, Any]) -> Order:
    market = venue.find_market(call.body.get("product_id"))
    if market is None:
        raise FailedError(errors.NO_PRODUCT)
    if call.body.get("side") not in ("BUY", "SELL"):
        raise FailedError(errors.NO_SIDE)
    ticket = _ticket(venue, call, market, client_id, configuration)
    _check(ticket, market.rules)
    try:
        order = venue.exchange.place(ticket)
    except RefusedError as refusal:
        raise FailedError(errors.FAILURES[refusal.reason]) from refusal
    venue.configurations[order.symbol, order.id] = configuration
    return order


def _ticket(
    venue: CoinbaseVenue, call: Call, market: LabMarket, client_id: str, configuration: dict[str, Any]
) -> Ticket:
    name, values = _only_configuration(configuration)
    kind = Kind.MARKET if name == "market_market_ioc" else Kind.LIMIT
    if values.get("post_only"):
        kind = Kind.POST_ONLY
    budget = _number(values, "quote_size")
    return Ticket(
        account=call.owner.account,
        key=call.owner.key,
        symbol=market.rules.symbol,
        side=Side(str(call.body["side"]).lower()),
        kind=kind,
        amount=_number(values, "base_size"),
        budget=None if budget is None else _without_commission(venue, call, budget),
        price=_number(values, "limit_price"),
        time_in_force=_TIMES_IN_FORCE.get(name, TimeInForce.GTC),
        client_id=client_id,
    )


def _only_configuration(configuration: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    name, values = next(iter(configuration.items()), ("", None))
    if len(configuration) != 1 or name not in CONFIGURATIONS or not isinstance(values, dict):
        raise FailedError(errors.BAD_CONFIGURATION)
    needed, choice, perhaps = CONFIGURATIONS[name]
    unknown = values.keys() - needed - choice - perhaps
    if unknown:
        raise bad_argument(f"unknown field {min(unknown)!r}")
    if not needed <= values.keys() or len(choice & values.keys()) != bool(choice):
        raise FailedError(errors.BAD_CONFIGURATION)
    if not isinstance(values.get("post_only", False), bool):
        raise bad_argument("post_only must be a boolean")
    return name, values


def _without_commission(venue: CoinbaseVenue, call: Call, budget: Decimal) -> Decimal:
    """A market order by `quote_size` spends its commission out of it."""
    fees = venue.exchange.accounts[call.owner.account].fees
    return (budget / (1 + max(fees.maker, fees.taker))).quantize(SMALLEST, rounding=ROUND_FLOOR)


def _check(ticket: Ticket, rules: MarketRules) -> None:
    """Coinbase tells apart what the exchange's own rules name alike. Raises FailedError."""
    if ticket.price is not None and ticket.price % rules.price_step:
        raise FailedError(errors.OFF_THE_TICK)
    if ticket.amount is None:
        return
    if ticket.amount % rules.amount_step:
        raise FailedError(errors.OFF_THE_LOT)
    if ticket.amount < rules.min_amount:
        raise FailedError(errors.TOO_SMALL)
    if ticket.amount > rules.max_amount:
        raise FailedError(errors.TOO_LARGE)
    if ticket.price is not None and ticket.price * ticket.amount > rules.max_cost:
        raise FailedError(errors.COSTLY)


def _failed(error: FailedError, configuration: dict[str, Any]) -> Json:
    failure = error.failure
    return {
        "success": False,
        "failure_reason": "UNKNOWN_FAILURE_REASON",
        "order_id": "",
        "error_response": {
            "error": failure.error,
            "message": failure.text,
            "error_details": "",
            "preview_failure_reason": failure.preview,
            "new_order_failure_reason": failure.error,
        },
        "order_configuration": configuration,
    }


def _text(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise bad_argument(f"{name} is required")
    return value


def _number(values: Mapping[str, Any], name: str) -> Decimal | None:
    value = values.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise bad_argument(f"{name} must be a decimal string")
    return Decimal(value)
