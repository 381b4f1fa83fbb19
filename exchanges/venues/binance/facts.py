"""What an operator has to know of Binance."""

from __future__ import annotations

from decimal import Decimal

from exchanges.venues.facts import CredentialField, Venue

_KEY = CredentialField(
    name="api_key", label="API key", hint="64 letters and digits.", pattern="[A-Za-z0-9]{64}"
)
_SECRET = CredentialField(
    name="api_secret",
    label="API secret",
    hint="The HMAC secret, or the whole PEM text of an RSA or Ed25519 private key.",
)

VENUE = Venue(
    id="binance",
    title="Binance",
    credential_fields=(_KEY, _SECRET),
    key_page="https://www.binance.com/en/my/settings/api-management",
    permissions=("Enable Reading", "Enable Spot & Margin Trading"),
    client_ids="1 to 36 of letters, digits and . : / _ -",
    maker_fee=Decimal("0.001"),
    taker_fee=Decimal("0.001"),
    is_proven=True,
    streams_books=True,
)
