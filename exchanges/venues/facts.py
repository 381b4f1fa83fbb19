"""The form in which a venue's folder states what an operator has to know of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal


@dataclass(frozen=True, kw_only=True)
class CredentialField:
    """One field of a connection's credentials. name: the field of `Credentials` that it fills.

    pattern: a regular expression that all of it matches, where the venue gives it a form of its own, as
        `organizations/[^/]+/apiKeys/.+`. By it a key is known that was entered at the wrong field or venue;
        nothing is refused merely because it does not match. Empty where the form says nothing.
    """

    name: str
    label: str
    hint: str
    pattern: str = ""


@dataclass(frozen=True, kw_only=True)
class Venue:
    """credential_fields: those that the venue asks for, in the order in which it shows them.

    key_page: where a key is made; permissions: what to allow there, in the venue's words.
    client_ids: the form that an order's client id may have, for people.
    maker_fee, taker_fee: of the lowest tier, as fractions; None where only the venue's markets tell.
    order_types: those that it takes, in ccxt's words.
    trading_ended: the day from which it takes no orders; closes: the day after which nothing can be read.
    is_paper_only: there are no real accounts.
    is_synthetic: its prices are computed, so that nothing is asked of a network.
    is_proven: orders were placed, filled, lost and found again there in tests; elsewhere only paper trades.
    supports_post_only: an order can be refused by the venue instead of taking liquidity.
    streams_books: changes of a book are told as they happen.
    market_data_needs_key: not even its markets and prices are shown without a key.
    one_client_per_key: two connections with one key disturb each other (nonces), not only each other's pace.
    usual_quote: the currency in which an account's worth is counted where its owner names none.
    remarks: what else an operator should know, as sentences.
    """

    id: str
    title: str
    credential_fields: tuple[CredentialField, ...]
    key_page: str = ""
    permissions: tuple[str, ...] = ()
    client_ids: str = ""
    maker_fee: Decimal | None = None
    taker_fee: Decimal | None = None
    order_types: tuple[str, ...] = ("limit", "market")
    trading_ended: date | None = None
    closes: date | None = None
    is_paper_only: bool = False
    is_synthetic: bool = False
    is_proven: bool = False
    supports_post_only: bool = True
    streams_books: bool = False
    market_data_needs_key: bool = False
    one_client_per_key: bool = False
    usual_quote: str = "USDT"
    remarks: tuple[str, ...] = ()

    @property
    def no_orders_because(self) -> str:
        """One sentence where the venue takes no orders any more; empty where it does."""
        if self.trading_ended is None:
            return ""
        end = f" and closes on {self.closes}" if self.closes else ""
        began = f"{self.title} ended trading on {self.trading_ended}{end}"
        return f"{began}: balances can be read, no bot can start."


API_KEY = CredentialField(name="api_key", label="API key", hint="From the venue's page for API keys.")
API_SECRET = CredentialField(
    name="api_secret", label="API secret", hint="The venue shows it once, when the key is made."
)
PASSPHRASE = CredentialField(
    name="passphrase", label="Passphrase", hint="The one you chose when you made the key."
)
KEY_AND_SECRET = (API_KEY, API_SECRET)
