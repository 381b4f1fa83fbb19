"""What an operator has to know of OKX."""

from __future__ import annotations

from decimal import Decimal

from exchanges.venues.facts import CredentialField, Venue

_KEY = CredentialField(
    name="api_key",
    label="API key",
    hint="Five groups of digits and letters a to f, as 0a1b2c3d-…; purpose “API trading”, not demo trading.",
    pattern=r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
)
_SECRET = CredentialField(
    name="api_secret",
    label="Secret key",
    hint="32 digits and letters A to F; OKX shows it once, when the key is made.",
    pattern=r"[0-9A-F]{32}",
)
_PASSPHRASE = CredentialField(
    name="passphrase",
    label="Passphrase",
    hint="The one you chose when you made the key; it is not the account's password.",
)

VENUE = Venue(
    id="okx",
    title="OKX",
    credential_fields=(_KEY, _SECRET, _PASSPHRASE),
    key_page="https://www.okx.com/account/my-api",
    permissions=("Read", "Trade"),
    client_ids="1 to 32 letters and digits",
    maker_fee=Decimal("0.0008"),
    taker_fee=Decimal("0.001"),
    is_proven=True,
    streams_books=True,
    remarks=(
        "Bots use the trading account: move money there from the funding account.",
        "A key without an allow-list expires after 14 days without use.",
        "A post-only order that would take is accepted and cancelled at once, so it is shown as cancelled.",
        "Orders carry a deadline of 8 s, so one that was lost on the way does not turn up later.",
    ),
)
