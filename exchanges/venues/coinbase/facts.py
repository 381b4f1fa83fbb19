"""What an operator has to know of Coinbase Advanced Trade."""

from __future__ import annotations

from decimal import Decimal

from exchanges.venues.facts import CredentialField, Venue

_UUID = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_KEY = CredentialField(
    name="api_key",
    label="API key name",
    hint="The whole name, as organizations/…/apiKeys/…, or the id of an Ed25519 key.",
    pattern=rf"organizations/[^/\s]+/apiKeys/[^/\s]+|{_UUID}",
)
_SECRET = CredentialField(
    name="api_secret",
    label="Private key",
    hint="From “-----BEGIN EC PRIVATE KEY-----” to its END line, with line breaks or with \\n; or the 88 "
    "characters of an Ed25519 key.",
    pattern=r"-----BEGIN .*-----END [A-Z ]+-----\s*|[A-Za-z0-9+/]{86}==",
)

VENUE = Venue(
    id="coinbase",
    title="Coinbase Advanced",
    credential_fields=(_KEY, _SECRET),
    key_page="https://portal.cdp.coinbase.com/access/api",
    permissions=("View", "Trade"),
    client_ids="any text, of which UUIDs are advised; one that was used before brings back its first order",
    maker_fee=Decimal("0.006"),
    taker_fee=Decimal("0.012"),
    is_proven=True,
    streams_books=True,
    usual_quote="USD",
    remarks=(
        "A key belongs to one portfolio: its bots see and trade what is in that one.",
        "A wrong key, a wrong clock and an address that is not allowed get the same answer: all are named.",
        "Fees are in quote on both sides; a buy holds its fee along with its cost.",
    ),
)
