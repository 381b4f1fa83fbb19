"""Where the spec stands at each venue: a market, its prices, and what there is not, and why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    PermissionMissingError,
    Rule,
    VenueError,
)
from tests.lab.accounts import FeeSchedule
from tests.spec.case import Case, Need


@dataclass(frozen=True, kw_only=True)
class Stand:
    """symbol, other_symbol: markets of the lab's house; price, other_price: where they trade, in quote.

    amount, other_amount: base; an order of it at that price is above every minimum, and its half too.
    unknown_order: an order's id in the venue's form that names none.
    lacks: what the venue does not have, each with the reason, for the table in docs/venues.md.
    fees: what the account pays; third_currency: what pays instead, where the venue has such a thing.
    errors of its own, where the venue tells less than others: no_right, wrong_clock, wrong_address.
    names_address: its refusal says which address it saw.
    rules: what the desk can tell of a broken rule, where it is less than the rule itself.
    returns_first: a client id that is used again is answered with the first order, and places nothing.
    lists_min_cost: its market list tells the smallest cost.
    cycle_seconds: how often one key may look at one bot's market and account, for long.
    time_step_ms: how exactly it tells when a trade was; open_orders_page: orders on one page.
    """

    venue: str
    symbol: str = "BTC/USDT"
    other_symbol: str = "ETH/USDT"
    price: Decimal = Decimal(50_000)
    other_price: Decimal = Decimal(2_500)
    amount: Decimal = Decimal("0.01")
    other_amount: Decimal = Decimal("0.1")
    unknown_order: str
    lacks: Mapping[Need, str] = field(default_factory=dict)
    fees: FeeSchedule = field(default_factory=FeeSchedule)
    third_currency: str = ""
    no_right: type[VenueError] = PermissionMissingError
    wrong_clock: type[VenueError] = ClockError
    wrong_address: type[VenueError] = AddressNotAllowedError
    names_address: bool = False
    rules: Mapping[Rule, Rule] = field(default_factory=dict)
    returns_first: bool = False
    lists_min_cost: bool = True
    cycle_seconds: int = 1
    time_step_ms: int = 1
    open_orders_page: int = 100

    def rule(self, broken: Rule) -> Rule:
        return self.rules.get(broken, broken)

    def lacking(self, case: Case) -> str:
        """Why this case cannot be put to this venue; empty where it can."""
        return "; ".join(why for need, why in self.lacks.items() if need in case.needs)


BINANCE = Stand(
    venue="binance",
    unknown_order="987654321",
    third_currency="BNB",
    lacks={
        Need.PASSPHRASE: "keys have no passphrase",
    },
    # One code for a wrong key, an address that is not allowed and a missing right.
    no_right=CredentialsError,
    wrong_address=CredentialsError,
    rules={Rule.MIN_AMOUNT: Rule.AMOUNT_STEP},
)

OKX = Stand(
    venue="okx",
    unknown_order="1000000987654321098",
    third_currency="OKB",
    lists_min_cost=False,
    names_address=True,
    lacks={
        Need.RETRY_AFTER: "it does not say how long to stay away",
    },
    # One code for too small an amount and too small a cost.
    rules={Rule.MIN_AMOUNT: Rule.MIN_COST},
)

COINSTORE = Stand(
    venue="coinstore",
    unknown_order="1722000000099999",
    lacks={
        Need.PASSPHRASE: "keys have no passphrase",
        Need.WITHDRAWAL_RIGHT: "nobody says what a key may do",
        Need.FEE_IN_THIRD: "no third currency pays fees",
        Need.RETRY_AFTER: "no answer says how long to stay away",
    },
    # One code for an address that is not allowed and a missing right.
    no_right=CredentialsError,
    wrong_address=CredentialsError,
    rules={
        Rule.MIN_COST: Rule.OTHER,
        Rule.MIN_AMOUNT: Rule.AMOUNT_STEP,
        Rule.MAX_OPEN_ORDERS: Rule.OTHER,
    },
    time_step_ms=1000,
)

COINBASE = Stand(
    venue="coinbase",
    symbol="BTC/USD",
    other_symbol="ETH/USD",
    unknown_order="00000000-00de-4000-8000-000000000000",
    lacks={
        Need.PASSPHRASE: "keys have no passphrase",
        Need.FEE_IN_BASE: "fees are in quote on both sides",
        Need.FEE_IN_THIRD: "no third currency pays fees",
        Need.RETRY_AFTER: "no answer says how long to stay away",
    },
    # One plain word for a wrong key, a wrong time and an address that is not allowed.
    wrong_clock=CredentialsError,
    wrong_address=CredentialsError,
    # It does not say which rule a rejection by its matching engine is about.
    rules={Rule.MAX_OPEN_ORDERS: Rule.OTHER},
    returns_first=True,
    open_orders_page=250,
)

ALPACA = Stand(
    venue="alpaca",
    symbol="BTC/USD",
    other_symbol="ETH/USD",
    unknown_order="a1faca01-0000-4000-8000-0000000f4240",
    lacks={
        Need.PASSPHRASE: "keys have no passphrase",
        Need.OPEN_DATA: "nothing is told without a key, but prices of coins",
        Need.CANCELS_END: "a second cancel is answered as the first was",
        Need.SIGNED_TIME: "nothing is signed, so no time is",
        Need.ADDRESS_LIST: "keys are not bound to addresses",
        Need.WITHDRAWAL_RIGHT: "nobody says whether a key may withdraw",
        Need.POST_ONLY: "there are no post-only orders",
        Need.LIQUIDITY: "fills do not say whether they made or took",
        Need.FEE_IN_THIRD: "no third currency pays fees",
        Need.ORDER_CAP: "open orders are not limited",
    },
    open_orders_page=500,
)

KRAKEN = Stand(
    venue="kraken",
    cycle_seconds=10,
    symbol="BTC/USD",
    other_symbol="ETH/USD",
    unknown_order="OQCLML-BW3P3-BUCMWZ",
    lacks={
        Need.PASSPHRASE: "keys have no passphrase",
        Need.SIGNED_TIME: "a nonce has to grow, and may tell any time",
        Need.FEE_IN_BASE: "the desk asks for fees in quote, on both sides",
        Need.FEE_IN_THIRD: "no third currency pays fees",
        Need.RETRY_AFTER: "its counters do not say when they have decayed",
    },
    # It tells a missing right from an address that is not allowed by no word.
    wrong_address=PermissionMissingError,
)

BITMART = Stand(
    venue="bitmart",
    unknown_order="183000000009999900",
    lacks={
        Need.TRADING: "its trading ended on 2026-08-26",
        Need.PUBLIC_TRADES: "its public trades have no ids",
        Need.DAY_VOLUMES: "nothing is traded there any more",
        Need.WITHDRAWAL_RIGHT: "it does not say what a key may do",
        Need.FEE_IN_THIRD: "no third currency is known to pay fees",
    },
    open_orders_page=200,
)

STANDS: tuple[Stand, ...] = (BINANCE, OKX, KRAKEN, COINBASE, ALPACA, COINSTORE, BITMART)
