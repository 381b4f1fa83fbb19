"""What Coinstore's error codes mean.

The API document names the HTTP statuses only. The other codes are those that several public clients met;
a code that is not here is taken for an answer that settles nothing.
"""

from __future__ import annotations

from exchanges.errors import (
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
)
from exchanges.venues.dialect import Refusal, Ruling


def _broken(rule: Rule, sentence: str) -> Ruling:
    return Ruling(error=InvalidOrderError, rule=rule, sentence=sentence)


_SIGNATURE = Ruling(
    error=CredentialsError,
    sentence="{venue} refuses the key or its signature ({text}): enter API key and secret again, both of the "
    "same key, and check that the key was not deleted.",
)
_DOWN = Ruling(
    error=VenueDownError,
    sentence="{venue} had an internal trouble ({text}); it is asked again.",
    outcome_unknown=True,
)
_NOT_FOUND = Ruling(error=OrderNotFoundError, sentence="{venue} has no such open order ({text}).")
_NO_FUNDS = Ruling(
    error=InsufficientFundsError,
    sentence="The account at {venue} holds too little for this order: add funds or lower the amount.",
)
_LIMITS = _broken(
    Rule.OTHER, "{venue} refuses the order: {text}. Its limits for this market are broken; change the amount."
)

BY_CODE = {
    "400": Ruling(
        error=RejectedError,
        sentence="{venue} finds the request malformed ({text}); check the bot's settings.",
    ),
    "401": _SIGNATURE,
    "429": Ruling(
        error=RateLimitError, sentence="{venue} wants fewer requests from us; we wait as long as it says."
    ),
    "500": _DOWN,
    "503": _DOWN,
    "1101": _NO_FUNDS,
    "1401": Ruling(
        error=CredentialsError,
        sentence="{venue} refuses the key (1401): this machine's IPv4 address, or its proxy's, is not on the "
        "key's allow-list, or the key lacks the right; check the list, and that it may Read and trade.",
    ),
    "3005": _SIGNATURE,
    "3011": Ruling(
        error=UnknownSymbolError, sentence="{venue} has no such market: check the symbol of the bot."
    ),
    "3012": _LIMITS,
    "3013": _LIMITS,
    "3014": _LIMITS,
    "3015": _LIMITS,
    "3103": _NOT_FOUND,
    "3104": _broken(Rule.AMOUNT_STEP, "The amount is off {venue}'s step or limits ({text}): change it."),
    "3106": _broken(Rule.PRICE_STEP, "The price is off {venue}'s tick or limits ({text}): change it."),
    "3111": _broken(Rule.DUPLICATE, "{venue} has an order with this client id already; it is looked up."),
    "3113": _NO_FUNDS,
    "4003": _NOT_FOUND,
    "6001": _DOWN,
}


def read_refusal(answer: object) -> Refusal | None:
    """Coinstore's form is {"code": 3103, "message": "…"}, or msg; 0 and "0" are success."""
    if not isinstance(answer, dict) or str(answer.get("code", "0")) == "0":
        return None
    text = answer.get("message") or answer.get("msg") or "no reason given"
    return Refusal(code=str(answer["code"]), text=str(text).rstrip("."))
