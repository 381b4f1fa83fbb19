"""One reason for which a venue says no: its answer, and what the desk is to make of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Self

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    RateLimitError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from tests.lab.pages import html_page
from tests.lab.wire import WireAnswer


class Asked(StrEnum):
    """What the desk asked for when it was told."""

    BALANCES = "balances"
    ORDER = "an order by its id"
    PLACE = "to place"
    CANCEL = "to cancel"


@dataclass(frozen=True, kw_only=True)
class Cause:
    """title: the cause as people call it; answer: the venue's, word for word.

    error, rule: what it becomes. says: a pattern that the sentence for the operator matches: the cause or
    the remedy. after_a_good_call: the same key was good a moment ago.
    """

    title: str
    asked: Asked
    error: type[VenueError]
    says: str
    rule: Rule | None = None
    after_a_good_call: bool = False
    answer: WireAnswer = field(default_factory=WireAnswer)

    def told(self, status: int, content: object, headers: Mapping[str, str] | None = None) -> Self:
        """By JSON, or by text where `content` is one."""
        is_text = isinstance(content, str)
        body = str(content) if is_text else json.dumps(content)
        kind = {"Content-Type": "text/plain" if is_text else "application/json"}
        return replace(
            self, answer=WireAnswer(status=status, headers={**kind, **(headers or {})}, body=body.encode())
        )

    def but(self, **changes: Any) -> Self:
        """Where a venue says less, or more, than others do."""
        return replace(self, **changes)


def _broken(title: str, rule: Rule, says: str) -> Cause:
    return Cause(title=title, asked=Asked.PLACE, error=InvalidOrderError, rule=rule, says=says)


# Each with the words that an operator has to read wherever it happens.
WRONG_KEY = Cause(title="wrong key", asked=Asked.BALANCES, error=CredentialsError, says="key")
WRONG_SECRET = Cause(title="wrong secret", asked=Asked.BALANCES, error=CredentialsError, says="secret")
WRONG_PASSPHRASE = Cause(
    title="wrong passphrase", asked=Asked.BALANCES, error=CredentialsError, says="passphrase"
)
NO_RIGHT = Cause(
    title="missing permission", asked=Asked.PLACE, error=PermissionMissingError, says="allow|permission"
)
ADDRESS = Cause(
    title="address not allowed",
    asked=Asked.BALANCES,
    error=AddressNotAllowedError,
    says="address.*allow-list",
)
REVOKED = Cause(
    title="key revoked while it trades",
    asked=Asked.BALANCES,
    error=CredentialsError,
    says="key",
    after_a_good_call=True,
)
CLOCK = Cause(title="clock or nonce", asked=Asked.BALANCES, error=ClockError, says="clock")
RATE_LIMIT = Cause(title="rate limit", asked=Asked.BALANCES, error=RateLimitError, says="fewer")
RATE_LIMIT_OF_ORDERS = Cause(
    title="rate limit of orders", asked=Asked.PLACE, error=RateLimitError, says="fewer"
)
COUNTRY = Cause(
    title="country not served", asked=Asked.BALANCES, error=AddressNotAllowedError, says="country"
).told(451, "Unavailable For Legal Reasons")
FIREWALL = replace(
    Cause(title="firewall", asked=Asked.BALANCES, error=VenueDownError, says="firewall|address"),
    answer=html_page(403, "Forbidden"),
)
FUNDS = Cause(title="insufficient funds", asked=Asked.PLACE, error=InsufficientFundsError, says="too little")
MIN_COST = _broken("below the smallest cost", Rule.MIN_COST, "cost")
MIN_AMOUNT = _broken("below the smallest amount", Rule.MIN_AMOUNT, "amount")
AMOUNT_STEP = _broken("amount off the step", Rule.AMOUNT_STEP, "amount")
PRICE_STEP = _broken("price off the tick", Rule.PRICE_STEP, "price|tick")
POST_ONLY = _broken("post-only would cross", Rule.POST_ONLY, "post-only")
DUPLICATE = _broken("client id used twice", Rule.DUPLICATE, "client id")
NO_ORDER_TO_CANCEL = Cause(
    title="unknown order on cancel", asked=Asked.CANCEL, error=OrderNotFoundError, says="no .*order"
)
NO_ORDER = Cause(
    title="unknown order on lookup", asked=Asked.ORDER, error=OrderNotFoundError, says="no .*order"
)
NO_MARKET = Cause(title="unknown market", asked=Asked.PLACE, error=UnknownSymbolError, says="market")
MAINTENANCE = Cause(title="maintenance", asked=Asked.BALANCES, error=VenueDownError, says="again|later")
NOT_DONE = Cause(
    title="overloaded, nothing was done", asked=Asked.PLACE, error=VenueDownError, says="again|later"
)
UNKNOWN_OUTCOME = Cause(
    title="the venue does not know the outcome",
    asked=Asked.PLACE,
    error=OutcomeUnknownError,
    says="looked up",
)
UNKNOWN_CANCEL = UNKNOWN_OUTCOME.but(title="the venue does not know a cancel's outcome", asked=Asked.CANCEL)
GATEWAY_PAGE = replace(UNKNOWN_OUTCOME, title="a load balancer's page", answer=html_page(502, "Bad Gateway"))
EVERYWHERE = (COUNTRY, FIREWALL, GATEWAY_PAGE)
