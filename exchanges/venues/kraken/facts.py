"""What an operator has to know of Kraken."""

from __future__ import annotations

from decimal import Decimal

from exchanges.venues.facts import CredentialField, Venue

_KEY = CredentialField(
    name="api_key",
    label="API key",
    hint="56 characters. Make one for each connection: a key that two programs use fails in both.",
    pattern=r"[A-Za-z0-9+/]{56}",
)
_SECRET = CredentialField(
    name="api_secret",
    label="Private key",
    hint="88 characters that end with ==; Kraken shows it once, when the key is made.",
    pattern=r"[A-Za-z0-9+/]{86}==",
)

VENUE = Venue(
    id="kraken",
    title="Kraken",
    credential_fields=(_KEY, _SECRET),
    key_page="https://pro.kraken.com/app/settings/api",
    permissions=(
        "Query Funds",
        "Query Open Orders & Trades",
        "Query Closed Orders & Trades",
        "Create & Modify Orders",
        "Cancel/Close Orders",
    ),
    client_ids="a UUID, with or without dashes, or 1 to 18 other characters",
    maker_fee=Decimal("0.0025"),
    taker_fee=Decimal("0.004"),
    remarks=(
        "Each request has a larger number (nonce) than the last: use a key for one connection only.",
        "For the same reason the requests of one key go out one after the other.",
        "A key may ask about once in two seconds (tier Intermediate), orders and cancels aside.",
        "Cancels of young orders are dear, in each market by itself: give bots longer refresh times here.",
        "A buy needs its fee in quote on top of its cost.",
        "Its refusal of an address that is not on the allow-list reads like that of a missing permission.",
    ),
    is_proven=True,
    streams_books=True,
    usual_quote="USD",
    one_client_per_key=True,
)
