"""What Kraken's error texts mean.

Sources: "Error messages" and "Spot REST Rate Limits" of Kraken's documentation, and its support pages.
"""

from __future__ import annotations

from exchanges.errors import (
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    PermissionMissingError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueClosedError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.dialect import Refusal, Ruling


def _says(error: type[VenueError], sentence: str) -> Ruling:
    return Ruling(error=error, sentence=sentence)


def _broken(rule: Rule, sentence: str) -> Ruling:
    return Ruling(error=InvalidOrderError, rule=rule, sentence=sentence)


_UNSURE = Ruling(
    error=VenueDownError,
    sentence="{venue} does not answer for sure ({text}); it is asked again.",
    outcome_unknown=True,
)
_KEY = _says(
    CredentialsError,
    "{venue} does not know the API key: it is wrong, deleted or expired, or this machine's address is not on "
    "its allow-list; check these at {venue}.",
)
_SECRET = _says(
    CredentialsError,
    "{venue} refuses the signature: the private key (secret) does not belong to the API key; enter both "
    "again.",
)
# A request that was delivered twice on its way is answered so the second time, and was carried out the first.
_NONCE = Ruling(
    error=ClockError,
    sentence="{venue} refuses the nonce: another program or connection uses this key, or this machine's "
    "clock went back; give each connection a key of its own, and set the clock (NTP) right.",
    outcome_unknown=True,
)
_RIGHT = _says(
    PermissionMissingError,
    "{venue} does not let this key do that: allow querying funds, orders and trades, and creating and "
    "cancelling orders; if all are allowed, this machine's address is not on the key's allow-list.",
)
_LOCKED = _says(
    RateLimitError,
    "{venue} has locked this key out for some minutes, after too many refused requests; we send fewer.",
)
_CALLS = _says(
    RateLimitError,
    "{venue} wants fewer requests from this key; we wait. Fewer bots on a key, or a higher tier there, help.",
)
_BUSY = _says(RateLimitError, "{venue} wants fewer requests at once; we wait as long as it says.")
_ORDERS = _says(
    RateLimitError,
    "{venue} wants fewer orders and cancels in this market; we wait. A longer refresh time of the bot helps.",
)
_FUNDS = _says(
    InsufficientFundsError,
    "The account at {venue} holds too little for this order and its fee: add funds or lower the amount.",
)
_MARKET = _says(UnknownSymbolError, "{venue} has no such market: check the symbol of the bot.")
_NO_ORDER = _says(OrderNotFoundError, "{venue} has no such order ({text}).")
_NO_OPEN_ORDER = _says(OrderNotFoundError, "{venue} has no such open order ({text}).")
_CLOSED = _says(VenueDownError, "{venue} takes no such orders in this market now ({text}); try again later.")
_ACCOUNT = _says(
    PermissionMissingError,
    "{venue} does not let this account trade here ({text}): complete what the account lacks at {venue}.",
)
_AMOUNT = _broken(Rule.MIN_AMOUNT, "The amount is below {venue}'s smallest: raise it.")
_COST = _broken(Rule.MIN_COST, "The order's cost is below {venue}'s smallest: raise the amount.")
_TICK = _broken(Rule.PRICE_STEP, "The price is off {venue}'s tick ({text}): change it.")
_VOLUME = _broken(Rule.AMOUNT_STEP, "The amount is outside {venue}'s limits or off its step: change it.")
_CROSSES = _broken(Rule.POST_ONLY, "The post-only order would have matched at once, so {venue} refused it.")
_TAKEN = _broken(Rule.DUPLICATE, "{venue} has an open order with this client id already; it is looked up.")
_FULL = _broken(Rule.MAX_OPEN_ORDERS, "{venue} allows no more open orders in this market: lower the levels.")
_REFUSED = _says(RejectedError, "{venue} refuses this: {text}. Check the connection and the bot's settings.")

# (category, part of the words, what it means). The first match counts.
BY_TEXT = (
    ("EAPI", "Invalid key", _KEY),
    ("EAPI", "Invalid signature", _SECRET),
    ("EAPI", "Invalid nonce", _NONCE),
    ("EAPI", "Rate limit", _CALLS),
    ("EAPI", "Feature disabled", _says(VenueClosedError, "{venue} has switched this off: {text}.")),
    ("EGeneral", "Permission denied", _RIGHT),
    ("EGeneral", "Temporary lockout", _LOCKED),
    ("EGeneral", "Too many requests", _BUSY),
    ("EGeneral", "Internal error", _UNSURE),
    ("EGeneral", "Invalid arguments:volume minimum", _AMOUNT),
    ("EGeneral", "Invalid arguments:volume", _VOLUME),
    ("EGeneral", "Invalid arguments:price", _TICK),
    ("EService", "Throttled", _BUSY),
    ("EService", "mode", _CLOSED),
    ("EOrder", "Rate limit", _ORDERS),
    ("EOrder", "Insufficient funds", _FUNDS),
    ("EOrder", "Order minimum", _AMOUNT),
    ("EOrder", "Cost minimum", _COST),
    ("EOrder", "Tick size", _TICK),
    ("EOrder", "Invalid price", _TICK),
    ("EOrder", "Post only", _CROSSES),
    ("EOrder", "Duplicate", _TAKEN),
    ("EOrder", "Orders limit", _FULL),
    ("EOrder", "Unknown order", _NO_OPEN_ORDER),
    ("EOrder", "Invalid order", _NO_ORDER),
    ("EOrder", "Trading agreement", _ACCOUNT),
    ("EQuery", "Unknown asset", _MARKET),
    ("EQuery", "Invalid asset", _MARKET),
    ("EQuery", "Unknown order", _NO_ORDER),
    ("ETrade", "Locked", _ACCOUNT),
)

# Of a category: services may fail after they carried a request out, the others refuse before.
BY_CODE = {
    "EService": _UNSURE,
    "EDatabase": _UNSURE,
    "EAccount": _ACCOUNT,
    "EAuth": _ACCOUNT,
    "ESession": _KEY,
    **dict.fromkeys(("EAPI", "EGeneral", "EQuery", "ETrade", "EFunding", "EBM"), _REFUSED),
    "EOrder": _broken(Rule.OTHER, "{venue} refuses the order: {text}."),
}


def read_refusal(answer: object) -> Refusal | None:
    """Kraken's form is {"error": ["EOrder:Insufficient funds"]}; what begins with W is only a warning."""
    texts = answer.get("error") if isinstance(answer, dict) else None
    if not isinstance(texts, list):
        return None
    error = next((text for text in texts if isinstance(text, str) and text.startswith("E")), None)
    if error is None:
        return None
    category, _, words = error.partition(":")
    return Refusal(code=category, text=words.strip())


def resets_at(refusal: Refusal) -> str:
    """As "Throttled: 1795205028" tells it."""
    return refusal.text.partition("Throttled:")[2].strip()
