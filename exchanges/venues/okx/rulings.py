"""What OKX's error codes mean.

Source: OKX's API documentation, v5, "Error Code". An order's own code (`sCode`) stands inside an answer of
HTTP 200, whose code is then "1" or "2".
"""

from __future__ import annotations

from collections.abc import Iterable

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    PermissionMissingError,
    RateLimitError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.dialect import Refusal, Ruling


def _says(error: type[VenueError], sentence: str) -> Ruling:
    return Ruling(error=error, sentence=sentence)


def _broken(rule: Rule, sentence: str) -> Ruling:
    return Ruling(error=InvalidOrderError, rule=rule, sentence=sentence)


def _unsure(sentence: str) -> Ruling:
    """For a lookup it is only trouble; an order or a cancel may have been carried out."""
    return Ruling(error=VenueDownError, sentence=sentence, outcome_unknown=True)


def _each(codes: str, ruling: Ruling) -> Iterable[tuple[str, Ruling]]:
    return ((code, ruling) for code in codes.split())


_KEY_UNKNOWN = _says(
    CredentialsError,
    "{venue} does not know the API key: it is wrong, deleted or expired; {venue} lets keys without an "
    "allow-list expire after two weeks without use.",
)
_KEY_INCOMPLETE = _says(
    CredentialsError, "{venue} misses a part of the key ({text}): enter key, secret and passphrase again."
)
_SECRET_WRONG = _says(
    CredentialsError,
    "{venue} refuses the signature: the API secret does not belong to the API key; enter both again.",
)
_PASSPHRASE_WRONG = _says(
    CredentialsError,
    "{venue} refuses the passphrase: enter the one that was chosen when the key was made, which is not the "
    "account's password.",
)
_OTHER_WORLD = _says(
    CredentialsError,
    "{venue} says that the key is one for demo trading, or of another of its sites: make a key for live "
    "trading there.",
)
_NO_RIGHT = _says(
    PermissionMissingError,
    "{venue} does not let this key do that ({text}): allow Read and Trade for the key.",
)
_NEEDS_ADDRESS = _says(
    PermissionMissingError, "{venue} asks for a key that is bound to an address: add this machine's to it."
)
_ADDRESS = _says(
    AddressNotAllowedError,
    "{venue} refuses the address {address}: add it to the API key's allow-list (IP whitelist).",
)
_REGION = _says(
    AddressNotAllowedError,
    "{venue} does not serve the address {address}: reach it from a country that it serves.",
)
_RESTRICTED = _says(
    PermissionMissingError,
    "{venue} has restricted this account ({text}): it cannot trade before {venue}'s support has lifted that.",
)
_ACCOUNT_MODE = _says(
    PermissionMissingError,
    "The account's mode at {venue} does not allow this order ({text}): choose Spot mode in its settings.",
)
_CLOCK = _says(
    ClockError,
    "{venue} finds our time more than 30 s off: set this machine's clock (NTP) right.",
)
_TOO_LATE = _says(
    ClockError,
    "The order came to {venue} after its time and was not placed: the way there is slow, or this machine's "
    "clock is behind.",
)
_LIMIT = _says(RateLimitError, "{venue} wants fewer requests from us; we wait.")
_FEWER_ORDERS = _says(RateLimitError, "{venue} wants fewer orders from this account; we wait.")
_MAINTENANCE = _unsure("{venue} is under maintenance ({text}); it is asked again.")
_BUSY = _unsure("{venue} had an internal trouble ({text}); it is asked again.")
_TIMED_OUT = _unsure("{venue} does not know the outcome itself ({text}); it is looked up.")
_CANCELLING = _unsure("{venue} is already cancelling this order; it is looked up.")

_NO_MARKET = _says(UnknownSymbolError, "{venue} has no such market: check the symbol of the bot.")
_MARKET_CLOSED = _broken(Rule.OTHER, "{venue} has closed this market for now ({text}).")
_NOT_HERE = _broken(
    Rule.OTHER, "{venue} does not offer this market where the account is registered: choose another one."
)
_NO_FUNDS = _says(
    InsufficientFundsError,
    "The account at {venue} holds too little for this order ({text}): add funds or lower the amount; what "
    "lies in {venue}'s funding account has to be moved to the trading account first.",
)
# The smallest amount is known from the market and kept; what OKX adds to it is a smallest cost.
_TOO_SMALL = _broken(
    Rule.MIN_COST, "The order's cost or amount is below {venue}'s minimum for this market: raise the amount."
)
_TOO_LARGE = _broken(
    Rule.MAX_AMOUNT, "The order is larger than {venue} allows in this market ({text}): lower the amount."
)
_LOT = _broken(Rule.AMOUNT_STEP, "The amount is off {venue}'s step ({text}): change it.")
_TICK = _broken(Rule.PRICE_STEP, "The price is off {venue}'s tick, or is none ({text}): change it.")
_FAR = _broken(
    Rule.PRICE_RANGE, "The price is outside {venue}'s limits ({text}): quote nearer to the market."
)
_FULL = _broken(
    Rule.MAX_OPEN_ORDERS, "{venue} allows no more open orders here ({text}): lower the bot's levels."
)
_CROSSES = _broken(Rule.POST_ONLY, "The post-only order would have matched at once, so {venue} refused it.")
_DUPLICATE = _broken(Rule.DUPLICATE, "{venue} has an order with this client id already; it is looked up.")
_OTHER = _broken(Rule.OTHER, "{venue} refuses the order: {text}.")
_GONE = _says(OrderNotFoundError, "{venue} has no such open order ({text}).")
_NO_ORDER = _says(OrderNotFoundError, "{venue} has no such order ({text}).")

BY_CODE = dict(
    [
        *_each("50111 50119 50008", _KEY_UNKNOWN),
        *_each("50103 50104 50106", _KEY_INCOMPLETE),
        *_each("50105", _PASSPHRASE_WRONG),
        *_each("50113", _SECRET_WRONG),
        *_each("50101", _OTHER_WORLD),
        *_each("50030 50114 50120", _NO_RIGHT),
        *_each("50035", _NEEDS_ADDRESS),
        *_each("50110", _ADDRESS),
        *_each("50121", _REGION),
        *_each("50007 50009 50012 50027 50028 50100 51009 51024 51732 51733", _RESTRICTED),
        *_each("51010", _ACCOUNT_MODE),
        *_each("50102 50107 50112", _CLOCK),
        *_each("50036", _TOO_LATE),
        *_each("50011 50040", _LIMIT),
        *_each("50061", _FEWER_ORDERS),
        *_each("50001 50005", _MAINTENANCE),
        *_each("50013 50026", _BUSY),
        *_each("50004 51054 51149", _TIMED_OUT),
        *_each("51410", _CANCELLING),
        *_each("51001 51002 51012 51014 51015 51026", _NO_MARKET),
        *_each("51021 51022 51027 51028 51029 51030 51110 51124", _MARKET_CLOSED),
        *_each("51155 51734 51773", _NOT_HERE),
        *_each("51008 51119 51127 51131 51736 51764", _NO_FUNDS),
        *_each("51020 51100 51118 51120 51132 50122", _TOO_SMALL),
        *_each("51004 51005 51101 51185 51201 51202 51203", _TOO_LARGE),
        *_each("51121", _LOT),
        *_each("51204", _TICK),
        *_each("51006 51031 51116 51122 51135 51136 51137 51138 51250 51252", _FAR),
        *_each("51025 51102 51103 51117 51174", _FULL),
        *_each("51019", _CROSSES),
        *_each("51011 51016", _DUPLICATE),
        *_each("51000 51003 51109 51111 51112 51129 51403 51404 51407 51408", _OTHER),
        *_each("51400 51401 51402 51405", _GONE),
        *_each("51503 51509 51603", _NO_ORDER),
    ]
)

# One code for whatever is wrong with a parameter; its text names it. The first match counts.
BY_TEXT = (
    ("51000", "parameter px ", _TICK),
    ("51000", "parameter sz ", _LOT),
)


def read_refusal(answer: object) -> Refusal | None:
    """{"code": "50111", "msg": "…"}, or the code of the one order that the answer is about."""
    if not isinstance(answer, dict):
        return None
    rows = answer.get("data")
    for row in rows if isinstance(rows, list) else ():
        if isinstance(row, dict) and _is_error(row.get("sCode")):
            return Refusal(code=str(row["sCode"]), text=_words(row.get("sMsg")))
    if not _is_error(answer.get("code")):
        return None
    return Refusal(code=str(answer["code"]), text=_words(answer.get("msg")))


def _is_error(code: object) -> bool:
    return isinstance(code, str) and code.isdecimal() and int(code) > 0


def _words(text: object) -> str:
    return str(text or "").strip().rstrip(".")
