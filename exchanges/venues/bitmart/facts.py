"""What an operator has to know of BitMart."""

from __future__ import annotations

from datetime import date

from exchanges.venues.facts import CredentialField, Venue

_KEY = CredentialField(
    name="api_key",
    label="Access key",
    hint="40 hexadecimal digits, from the page for API keys.",
    pattern="[0-9a-f]{40}",
)
_SECRET = CredentialField(
    name="api_secret",
    label="Secret key",
    hint="64 hexadecimal digits, shown once, when the key is made.",
    pattern="[0-9a-f]{64}",
)
_MEMO = CredentialField(
    name="passphrase", label="Memo", hint="The memo that you gave the key when you made it; it signs, too."
)

VENUE = Venue(
    id="bitmart",
    title="BitMart",
    credential_fields=(_KEY, _SECRET, _MEMO),
    key_page="https://www.bitmart.com/api-config/en-US",
    permissions=("Read-only",),
    client_ids="1 to 32 letters and digits",
    order_types=(),
    remarks=(
        "Take out what the account holds before it closes.",
        "Balances need the key alone; only the test of a connection proves the secret and the memo.",
    ),
    trading_ended=date(2026, 8, 26),
    closes=date(2027, 1, 31),
)
