"""What Binance's error codes mean.

Source: Binance's "Error codes" of the spot REST API.
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
    Rule,
    UnknownSymbolError,
    VenueClosedError,
    VenueDownError,
)
from exchanges.venues.dialect import Refusal, Ruling

# The venue says the same for a wrong key, an address that is not allowed and a missing permission; after
# one good call ccxt takes it for a temporary ban, which it is not.
_KEY_REFUSED = Ruling(
    error=CredentialsError,
    sentence="{venue} refuses the key (-2015): it is wrong, or this machine's address is not on its "
    "allow-list, or it lacks the permission; check these three at {venue}.",
)
_LIMIT = "{venue} wants fewer requests from us; we wait as long as it says."
_DOWN = "{venue} had an internal trouble ({text}); it is asked again."
_UNSURE = "{venue} does not know the outcome itself ({text}); it is looked up."


def _broken(rule: Rule, sentence: str) -> Ruling:
    return Ruling(error=InvalidOrderError, rule=rule, sentence=sentence)


BY_CODE = {
    "-1000": Ruling(error=VenueDownError, sentence=_DOWN, outcome_unknown=True),
    "-1001": Ruling(error=VenueDownError, sentence=_DOWN, outcome_unknown=True),
    "-1002": Ruling(
        error=PermissionMissingError,
        sentence="{venue} does not let this key do that: allow reading and spot trading for the key.",
    ),
    "-1003": Ruling(error=RateLimitError, sentence=_LIMIT, of_address=True),
    "-1006": Ruling(error=VenueDownError, sentence=_UNSURE, outcome_unknown=True),
    "-1007": Ruling(error=VenueDownError, sentence=_UNSURE, outcome_unknown=True),
    "-1008": Ruling(
        error=VenueDownError, sentence="{venue} is overloaded and carried nothing out; try again later."
    ),
    "-1013": _broken(Rule.OTHER, "{venue} refuses the order: {text}. Check its price and amount."),
    "-1015": Ruling(
        error=RateLimitError, sentence="{venue} wants fewer orders from this account; we wait as it says."
    ),
    "-1016": Ruling(
        error=VenueDownError, sentence="{venue} is shutting this service down; it is tried again later."
    ),
    "-1020": Ruling(error=VenueClosedError, sentence="{venue} does not support this operation: {text}."),
    "-1021": Ruling(
        error=ClockError,
        sentence="{venue} finds our time outside its window: set this machine's clock (NTP) right.",
    ),
    "-1022": Ruling(
        error=CredentialsError,
        sentence="{venue} refuses the signature: the API secret does not belong to the API key; enter both "
        "again.",
    ),
    "-1111": _broken(Rule.AMOUNT_STEP, "{venue} refuses the order: price or amount has too many digits."),
    "-1121": Ruling(
        error=UnknownSymbolError, sentence="{venue} has no such market: check the symbol of the bot."
    ),
    "-2011": Ruling(error=OrderNotFoundError, sentence="{venue} has no such open order ({text})."),
    "-2013": Ruling(error=OrderNotFoundError, sentence="{venue} has no such order ({text})."),
    "-2010": _broken(Rule.OTHER, "{venue} refuses the order: {text}."),
    "-2014": Ruling(
        error=CredentialsError, sentence="{venue} says that the API key has the wrong form: enter it again."
    ),
    "-2015": _KEY_REFUSED,
    "-2026": Ruling(
        error=OrderNotFoundError, sentence="{venue} has archived this order: it ended unfilled long ago."
    ),
}

_FEWER_ORDERS = Ruling(
    error=RateLimitError, sentence="{venue} wants fewer orders from this account; we wait as it says."
)
_MARKET_CLOSED = _broken(Rule.OTHER, "{venue} has closed this market for now.")
_MAY_NOT_TRADE = Ruling(
    error=PermissionMissingError,
    sentence="{venue} does not let this account or key trade here ({text}): allow spot trading for the key.",
)
_NO_FUNDS = Ruling(
    error=InsufficientFundsError,
    sentence="The account at {venue} holds too little for this order: add funds or lower the amount.",
)
_COST = _broken(Rule.MIN_COST, "The order's cost is outside {venue}'s limits: change the amount.")
_LOT = _broken(Rule.AMOUNT_STEP, "The amount is outside {venue}'s limits or off its step: change it.")
_TICK = _broken(Rule.PRICE_STEP, "The price is outside {venue}'s limits or off its tick: change it.")
_FAR = _broken(Rule.PRICE_RANGE, "The price is too far from the market for {venue}: quote nearer to it.")
_FULL = _broken(Rule.MAX_OPEN_ORDERS, "{venue} allows no more open orders in this market: lower the levels.")
_POSITION = _broken(Rule.MAX_AMOUNT, "{venue} limits the position in this market: lower the amount.")
_CROSSES = _broken(Rule.POST_ONLY, "The post-only order would have matched at once, so {venue} refused it.")
_DUPLICATE = _broken(Rule.DUPLICATE, "{venue} has an order with this client id already; it is looked up.")

# Several meanings share these two codes; the text tells them apart. The first match counts.
BY_TEXT = (
    ("-1013", "NOTIONAL", _COST),
    ("-1013", "LOT_SIZE", _LOT),
    ("-1013", "PERCENT_PRICE", _FAR),
    ("-1013", "PRICE_FILTER", _TICK),
    ("-1013", "MAX_NUM", _FULL),
    ("-1013", "MAX_POSITION", _POSITION),
    ("-1013", "Market is closed", _MARKET_CLOSED),
    ("-1013", "quantity", _LOT),
    ("-1013", "price", _TICK),
    ("-2010", "insufficient balance", _NO_FUNDS),
    ("-2010", "immediately match", _CROSSES),
    ("-2010", "Duplicate order", _DUPLICATE),
    ("-2010", "too many new orders", _FEWER_ORDERS),
    ("-2010", "maximum", _FULL),
    ("-2010", "Market is closed", _MARKET_CLOSED),
    ("-2010", "not permitted", _MAY_NOT_TRADE),
    ("-2010", "may not place", _MAY_NOT_TRADE),
)


def read_refusal(answer: object) -> Refusal | None:
    """Binance's form is {"code": -2015, "msg": "…"}; codes that are not negative are no errors."""
    if not isinstance(answer, dict):
        return None
    code = str(answer.get("code", ""))
    return Refusal(code=code, text=str(answer.get("msg", "")).rstrip(".")) if code.startswith("-") else None
