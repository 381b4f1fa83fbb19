"""What an operator has to know of Coinstore."""

from __future__ import annotations

from decimal import Decimal

from exchanges.venues.facts import CredentialField, Venue

_KEY = CredentialField(
    name="api_key", label="API key", hint="32 hexadecimal digits, from User Center, API Management."
)
_SECRET = CredentialField(
    name="api_secret", label="Secret key", hint="Shown once, when the key is made; 32 hexadecimal digits."
)

VENUE = Venue(
    id="coinstore",
    title="Coinstore",
    credential_fields=(_KEY, _SECRET),
    key_page="https://www.coinstore.com/#/user/bindAuth/ManagementAPI",
    permissions=("Read", "Spot trading"),
    client_ids="1 to 32 characters",
    maker_fee=Decimal("0.002"),
    taker_fee=Decimal("0.002"),
    is_proven=True,
)
