"""What an operator has to know of Coinstore."""

from __future__ import annotations

from exchanges.venues.facts import CredentialField, Venue

_HEX = "[0-9a-f]{32}"
_KEY = CredentialField(
    name="api_key",
    label="API key",
    hint="32 hexadecimal digits, from User Center, API Management.",
    pattern=_HEX,
)
_SECRET = CredentialField(
    name="api_secret",
    label="Secret key",
    hint="32 hexadecimal digits, shown once, when the key is made.",
    pattern=_HEX,
)

VENUE = Venue(
    id="coinstore",
    title="Coinstore",
    credential_fields=(_KEY, _SECRET),
    key_page="https://www.coinstore.com/#/user/bindAuth/ManagementAPI",
    permissions=("Read", "Spot Trading"),
    client_ids="1 to 32 characters",
    remarks=(
        "A key is bound to at most five addresses: let this machine's IPv4 address or its proxy's be one.",
        "Its refusal 1401 stands for an address that is not bound as well as for a missing right.",
        "Ordinary accounts hold at most 50 open orders over all markets; market makers can ask for more.",
        "Orders are accepted first and matched a moment later.",
        "Market buys are not sent, as Coinstore takes an amount of money for them.",
        "It does not say whether a key may withdraw: make the key without that right.",
    ),
    is_proven=True,
)
