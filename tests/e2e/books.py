"""The desk's books of one connection against those of its venue, to the last digit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Protocol

from tests.lab.control import Control

D = Decimal
ZERO = Decimal(0)
SIGNS = {"buy": 1, "sell": -1}
NOT_AT_THE_VENUE = {"rejected", "never_placed"}
# What the venue ends by itself is expired in its words, or canceled, or rejected.
ENDED_BY_VENUE = {"expired", "self_trade"}
ENDED = {"expired", "canceled", "rejected"}

Rows = Sequence[Mapping[str, Any]]
Books = Mapping[str, Rows]


def of_connection(books: Books, name: str) -> Books:
    """What report.py told, of one connection; decisions and events are left out."""
    own = {
        table: [row for row in books[table] if row["connection__name"] == name]
        for table in ("orders", "trades", "balances", "round_trips")
    }
    positions = [row for row in books["positions"] if row["bot__connection__name"] == name]
    return own | {"positions": positions}


class Told(Protocol):
    """What a house of the lab tells of an account: its process's control, or the commands behind it."""

    def orders(self, *, account: str) -> Rows: ...

    def trades(self, *, account: str) -> Rows: ...

    def balances(self, *, account: str) -> Mapping[str, Mapping[str, Any]]: ...


def books_agree(books: Books, venue: Control | Told, account: str, *, tells_liquidity: bool = True) -> None:
    """books: of one connection; tells_liquidity: the venue says whether a fill made or took."""
    orders_agree(books["orders"], venue.orders(account=account))
    trades_agree(books["trades"], venue.trades(account=account))
    if tells_liquidity:
        liquidity_agrees(books["trades"], venue.trades(account=account))
    balances_agree(books["balances"], venue.balances(account=account))
    positions_agree(books)
    round_trips_agree(books)


def orders_agree(ours: Rows, theirs: Rows) -> None:
    known = {order["client_id"]: order for order in theirs}
    told = {order["client_id"]: order for order in ours}
    absent = {name: told[name]["state"] for name in told.keys() - known.keys()}
    assert set(absent.values()) <= NOT_AT_THE_VENUE, absent
    assert known.keys() <= told.keys()
    for client_id, their in known.items():
        order = told[client_id]
        assert order["venue_id"] == their["venue_id"]
        assert order["state"] in (ENDED if their["state"] in ENDED_BY_VENUE else {their["state"]})
        assert _decimals(order, "amount", "filled") == _decimals(their, "amount", "filled")
        assert _price(order) == _price(their)
        assert order["traded"] == order["filled"]
        assert order["settled_at"] is not None


def trades_agree(ours: Rows, theirs: Rows) -> None:
    told = [
        (trade["venue_id"], trade["order__client_id"], trade["side"],
         *_decimals(trade, "price", "amount", "cost", "fee_amount"), trade["fee_currency"])
        for trade in ours
    ]  # fmt: skip
    known = [
        (trade["venue_id"], trade["client_id"], trade["side"],
         *_decimals(trade, "price", "amount", "cost", "fee"), trade["fee_currency"])
        for trade in theirs
    ]  # fmt: skip
    assert sorted(told) == sorted(known)


def liquidity_agrees(ours: Rows, theirs: Rows) -> None:
    makers = {trade["venue_id"] for trade in theirs if trade["is_maker"]}
    assert {trade["venue_id"] for trade in ours if trade["liquidity"] == "maker"} == makers
    assert {trade["liquidity"] for trade in ours} <= {"maker", "taker"}


def balances_agree(ours: Rows, theirs: Mapping[str, Mapping[str, Any]]) -> None:
    assert held(ours) == held([{**row, "currency": currency} for currency, row in theirs.items()])
    assert all(D(row["used"]) == 0 for row in ours)


def held(balances: Rows) -> dict[str, list[Decimal]]:
    """Free and used, of each currency of which there is any."""
    rows = {row["currency"]: _decimals(row, "free", "used") for row in balances}
    return {currency: amounts for currency, amounts in rows.items() if any(amounts)}


def positions_agree(books: Books) -> None:
    """Every bot's position is what its trades moved, and what went out came in."""
    bots = {order["client_id"]: order["bot__name"] for order in books["orders"]}
    assert {position["bot__name"] for position in books["positions"]} == set(bots.values())
    for position in books["positions"]:
        trades = [t for t in books["trades"] if bots[t["order__client_id"]] == position["bot__name"]]
        position_agrees(position, trades)


def round_trips_agree(books: Books) -> None:
    """Every round trip's sums are those of its trades, and it has no order that is not settled."""
    for trip in books["round_trips"]:
        orders = {
            order["client_id"]: order for order in books["orders"] if order["round_trip_id"] == trip["id"]
        }
        trades = [trade for trade in books["trades"] if trade["order__client_id"] in orders]
        if trades:
            holding_agrees(trip, trades)
        for side, amount, cost in (("entry", "entered", "entry_cost"), ("exit", "exited", "exit_cost")):
            some = [t for t in trades if (t["side"] == trip["side"]) is (side == "entry")]
            sums = [sum((D(t[name]) for t in some), ZERO) for name in ("amount", "cost")]
            assert _decimals(trip, amount, cost) == sums
        assert {order["state"] for order in orders.values()} <= ENDED | {"filled"} | NOT_AT_THE_VENUE


def position_agrees(position: Mapping[str, Any], trades: Rows) -> None:
    holding_agrees(position, trades)
    realised = sum((D(t["realised_profit"]) for t in trades), ZERO)
    assert D(position["realised_profit"]) == realised


def holding_agrees(position: Mapping[str, Any], trades: Rows) -> None:
    base, quote = position["symbol"].split("/")
    fees = {
        currency: sum((D(t["fee_amount"]) for t in trades if t["fee_currency"] == currency), ZERO)
        for currency in (base, quote)
    }
    moved = sum((SIGNS[t["side"]] * D(t["amount"]) for t in trades), ZERO)
    income = -sum((SIGNS[t["side"]] * D(t["cost"]) for t in trades), ZERO)
    assert D(position["amount"]) == moved - fees[base]
    assert _decimals(position, "fees_base", "fees_quote") == [fees[base], fees[quote]]
    assert D(position["realised_profit"]) - D(position["cost"]) == income - fees[quote]


def _decimals(row: Mapping[str, Any], *names: str) -> list[Decimal]:
    return [D(row[name]) for name in names]


def _price(order: Mapping[str, Any]) -> Decimal | None:
    """None at market."""
    return None if order["price"] is None else D(order["price"])
