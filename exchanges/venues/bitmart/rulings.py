"""What BitMart's error codes mean, as far as reading meets them.

Source: "Standard Error Codes" of BitMart's spot API. Orders are refused before they are sent.
"""

from __future__ import annotations

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    OrderNotFoundError,
    PermissionMissingError,
    RateLimitError,
    UnknownSymbolError,
    VenueClosedError,
    VenueDownError,
)
from exchanges.venues.dialect import Refusal, Ruling

SUCCESS = "1000"
_KEY = Ruling(
    error=CredentialsError,
    sentence="{venue} does not know the key ({text}): enter API key, secret and memo again, or make a new "
    "read-only key.",
)
_SIGNATURE = Ruling(
    error=CredentialsError,
    sentence="{venue} refuses the signature ({text}): the secret or the memo does not belong to the API key; "
    "enter all three again.",
)
_FROZEN = Ruling(
    error=CredentialsError,
    sentence="{venue} has frozen the key or the account ({text}): ask its customer service.",
)
_RIGHT = Ruling(
    error=PermissionMissingError,
    sentence="{venue} does not let this key do that ({text}): allow the key to read.",
)
_CLOCK = Ruling(
    error=ClockError,
    sentence="{venue} finds our time outside its window: set this machine's clock (NTP) right.",
)
_LIMIT = Ruling(
    error=RateLimitError, sentence="{venue} wants fewer requests from us; we wait as long as it says."
)
_DOWN = Ruling(error=VenueDownError, sentence="{venue} cannot answer ({text}); it is asked again.")
_NO_ORDER = Ruling(error=OrderNotFoundError, sentence="{venue} has no such order ({text}).")
_NO_MARKET = Ruling(error=UnknownSymbolError, sentence="{venue} has no such market: check the symbol.")

BY_CODE = {
    "30001": _KEY,
    "30002": _KEY,
    "30003": _FROZEN,
    "30004": _SIGNATURE,
    "30005": _SIGNATURE,
    "30006": _CLOCK,
    "30007": _CLOCK,
    "30008": _CLOCK,
    "30010": Ruling(
        error=AddressNotAllowedError,
        sentence="{venue} refuses this machine's address, or its proxy's: add the address to the key's "
        "allow-list.",
    ),
    "30011": Ruling(
        error=CredentialsError, sentence="The key has expired at {venue}: make a new read-only key there."
    ),
    "30012": _RIGHT,
    "30013": _LIMIT,
    "30014": _DOWN,
    "30016": _DOWN,
    "30017": _LIMIT,
    "30019": _RIGHT,
    "50001": _NO_MARKET,
    "50005": _NO_ORDER,
    "50022": _DOWN,
    "50030": _NO_ORDER,
    "50031": _NO_ORDER,
    "50032": _NO_ORDER,
    "50040": Ruling(error=VenueClosedError, sentence="{venue} does not trade this market any more ({text})."),
    "53000": _FROZEN,
    "53005": _RIGHT,
    "60051": _DOWN,
    "70002": _NO_MARKET,
    "70003": _DOWN,
}


def read_refusal(answer: object) -> Refusal | None:
    """BitMart's form is {"code": 30005, "message": "…", "trace": "…", "data": {}}; 1000 is success."""
    if not isinstance(answer, dict) or str(answer.get("code", SUCCESS)) == SUCCESS:
        return None
    text = answer.get("message") or "no reason given"
    return Refusal(code=str(answer["code"]), text=str(text).rstrip("."))
