"""What an operator has to know of Alpaca."""

from __future__ import annotations

from decimal import Decimal

from exchanges.venues.facts import CredentialField, Venue

VENUE = Venue(
    id="alpaca",
    title="Alpaca",
    credential_fields=(
        CredentialField(
            name="api_key",
            label="API key ID",
            hint="Of the live account: it begins with AK. Those of paper accounts begin with PK.",
            pattern=r"[ACP]K[A-Z0-9]{14,40}",
        ),
        CredentialField(
            name="api_secret",
            label="Secret key",
            hint="Alpaca shows it once, when the key is made.",
            pattern=r"[A-Za-z0-9]{40}|[A-Za-z0-9]{44}",
        ),
    ),
    key_page="https://app.alpaca.markets/brokerage/dashboard/overview",
    permissions=("Trading API, live account; for coins, the account's crypto agreement",),
    client_ids="up to 128 characters, each good only once",
    maker_fee=Decimal("0.0015"),
    taker_fee=Decimal("0.0025"),
    is_proven=True,
    usual_quote="USD",
    supports_post_only=False,
    market_data_needs_key=True,
    remarks=(
        "Coins are pairs (BTC/USD), stocks their tickers against USD (AAPL/USD).",
        "A stock whose ticker is also a coin's is left out.",
        "Stocks trade in the regular session only: outside it a bot stands aside and says until when.",
        "Orders for whole shares rest until they are cancelled, those for parts of a share for the day.",
        "A coin's fee is estimated at the taker's rate of the account's tier: fills do not tell it.",
        "Markets and prices of stocks need a key too, even for paper trading.",
        "In paper trading a stock's order fills only when the quote moves through it.",
    ),
)
