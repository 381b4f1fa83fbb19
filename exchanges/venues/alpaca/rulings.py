"""What Alpaca's error codes mean.

Source: docs.alpaca.markets ("Orders at Alpaca", "User Protection") and the answers that its users quote: the
same code stands for many things, so the words decide. ccxt takes some of them for network errors.
"""

from __future__ import annotations

from exchanges.errors import (
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    PermissionMissingError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
)
from exchanges.venues.dialect import Refusal, Ruling

NO_CODE = "none"  # some answers are words only

_KEY_REFUSED = Ruling(
    error=CredentialsError,
    sentence="{venue} refuses the key ({text}): key or secret is wrong, revoked, of a paper account, or "
    "without permission for this; make a key for the live account there and enter both again.",
)
_LIMIT = Ruling(
    error=RateLimitError, sentence="{venue} wants fewer requests from this account; we wait as it says."
)
_DOWN = Ruling(
    error=VenueDownError, sentence="{venue} had an internal trouble ({text}); it is asked again.",
    outcome_unknown=True,
)  # fmt: skip
_SUSPENDED = Ruling(
    error=PermissionMissingError,
    sentence="{venue} takes no orders from this account ({text}): allow trading in its settings there.",
)
_NO_FUNDS = Ruling(
    error=InsufficientFundsError,
    sentence="The account at {venue} holds too little for this order ({text}): add funds or lower the "
    "amount.",
)
_NO_ORDER = Ruling(error=OrderNotFoundError, sentence="{venue} has no such order ({text}).")
_ENDED = Ruling(error=OrderNotFoundError, sentence="{venue} has no such open order any more ({text}).")
_NO_ASSET = Ruling(
    error=UnknownSymbolError, sentence="{venue} does not trade this ({text}): check the symbol of the bot."
)


def _broken(rule: Rule, sentence: str) -> Ruling:
    return Ruling(error=InvalidOrderError, rule=rule, sentence=sentence)


_REFUSED = _broken(Rule.OTHER, "{venue} refuses the order: {text}.")
_DUPLICATE = _broken(Rule.DUPLICATE, "{venue} has an order with this client id already; it is looked up.")
_COST = _broken(Rule.MIN_COST, "The order is too small for {venue} ({text}): raise the amount.")
_LEAST = _broken(Rule.MIN_AMOUNT, "The amount does not suit {venue} ({text}): change it.")
_TICK = _broken(Rule.PRICE_STEP, "The price is off {venue}'s tick ({text}): change it.")
_WHOLE = _broken(Rule.AMOUNT_STEP, "{venue} trades this in whole shares only ({text}): change the amount.")
_OWN = _broken(
    Rule.OTHER,
    "{venue} refuses the order because it could meet an order of this account on the other side ({text}): "
    "cancel that one, or quote further apart.",
)

# The first match counts.
BY_TEXT = (
    (NO_CODE, "forbidden", _KEY_REFUSED),
    (NO_CODE, "unauthorized", _KEY_REFUSED),
    (NO_CODE, "too many requests", _LIMIT),
    (NO_CODE, "rate limit", _LIMIT),
    (NO_CODE, "invalid symbol", _NO_ASSET),
    (NO_CODE, "service unavailable", _DOWN),
    (NO_CODE, "internal server error", _DOWN),
    (NO_CODE, "timed out", _DOWN),
    ("40010001", "must be unique", _DUPLICATE),
    ("42210000", "must be unique", _DUPLICATE),
    ("40310000", "insufficient", _NO_FUNDS),
    ("40310000", "cost basis", _COST),
    ("40310000", "wash trade", _OWN),
    ("40310000", "opposite side", _OWN),
    ("40310000", "fractionable", _WHOLE),
    ("40310000", "by user request", _SUSPENDED),
    ("40310000", "not allowed", _SUSPENDED),
    ("40310000", "blocked", _SUSPENDED),
    ("40310000", "restricted", _SUSPENDED),
    ("42210000", "sub-penny", _TICK),
    ("42210000", "price increment", _TICK),
    ("42210000", "trade increment", _LEAST),
    ("42210000", "qty must be >", _LEAST),
    ("42210000", "order is already in", _ENDED),
    ("42210000", "not cancelable", _ENDED),
    ("42210000", "pending cancel", _ENDED),
    ("42210000", "asset", _NO_ASSET),
    ("40410000", "asset", _NO_ASSET),
    ("40410000", "symbol", _NO_ASSET),
)

BY_CODE = {
    "40010000": Ruling(error=RejectedError, sentence="{venue} cannot read the request: {text}."),
    "40010001": _REFUSED,
    "40110000": _KEY_REFUSED,
    "40310000": _REFUSED,
    "40310100": _broken(
        Rule.OTHER, "{venue} protects the account as one of a pattern day trader and refuses: {text}."
    ),
    "40410000": _NO_ORDER,
    "42210000": _REFUSED,
    "42910000": _LIMIT,
    "50010000": _DOWN,
    "50410000": _DOWN,
}


def read_refusal(answer: object) -> Refusal | None:
    """Alpaca's form is {"code": 40310000, "message": "…"}, sometimes without the code."""
    if not isinstance(answer, dict) or not isinstance(answer.get("message"), str):
        return None
    code = answer.get("code")
    return Refusal(code=NO_CODE if code is None else str(code), text=answer["message"].rstrip("."))
