"""Compares what the desk believes with what the lab knows. Pure: rows in, findings out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from typing import Any

Row = Mapping[str, Any]
D = Decimal
ZERO = Decimal(0)
SIGNS = {"buy": 1, "sell": -1}
NOT_AT_THE_VENUE = {"rejected", "never_placed"}
# What the venue ends by itself is expired in its words, or canceled, or rejected.
ENDED_BY_VENUE = {"expired", "self_trade"}
ENDED = {"expired", "canceled", "rejected"}
FINAL = {"filled", "canceled", "expired"}


@dataclass
class Verdict:
    """Each list holds sentences; all of them empty is a clean run."""

    differences: list[str] = field(default_factory=list)
    duplicates: list[str] = field(default_factory=list)
    orphans: list[str] = field(default_factory=list)
    breaches: list[str] = field(default_factory=list)
    unleased: list[str] = field(default_factory=list)
    unprotected: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        return not any(vars(self).values())


def judge(account: str, books: Mapping[str, list[Row]], lab: Mapping[str, Any], limits: Row) -> Verdict:
    """One connection. books: the desk's rows of it; lab: orders, trades, balances, journal of its account.

    limits: max_open_orders and max_position of each of its bots, by name.
    """
    verdict = Verdict()
    _orders(verdict, account, books["orders"], lab["orders"])
    _trades(verdict, account, books["trades"], lab["trades"])
    _balances(verdict, account, books["balances"], lab["balances"])
    _positions(verdict, account, books)
    _limits(verdict, books["orders"], lab["journal"], limits)
    _fences(verdict, account, books["orders"], lab["journal"])
    return verdict


def _orders(verdict: Verdict, account: str, ours: Iterable[Row], theirs: Iterable[Row]) -> None:
    mine = {order["client_id"]: order for order in ours}
    seen: set[str] = set()
    for order in theirs:
        client_id = order["client_id"]
        if client_id in seen:
            verdict.duplicates.append(f"{account}: the venue has two orders {client_id}")
        seen.add(client_id)
        known = mine.get(client_id)
        if known is None:
            verdict.orphans.append(f"{account}: the desk has no row of the venue's order {client_id}")
        elif order["state"] == "open" and known["state"] in FINAL | NOT_AT_THE_VENUE:
            verdict.orphans.append(f"{account}: {client_id} rests, and the desk says {known['state']}")
        else:
            _same_order(verdict, account, known, order)
    for client_id in mine.keys() - seen:
        if mine[client_id]["state"] not in NOT_AT_THE_VENUE:
            state = mine[client_id]["state"]
            verdict.differences.append(f"{account}: {client_id} is {state}, and the venue never had it")


def _same_order(verdict: Verdict, account: str, ours: Row, theirs: Row) -> None:
    same_end = theirs["state"] in ENDED_BY_VENUE and ours["state"] in ENDED
    state = ours["state"] if same_end else theirs["state"]
    price = ours["price"] if ours["price"] is None else theirs["price"]  # an order at market has none
    mine = (
        *(ours["state"], ours["venue_id"], _number(ours["price"])),
        *(D(ours[name]) for name in ("amount", "filled", "traded")),
    )
    their = (
        *(state, theirs["venue_id"], _number(price)),
        *(D(theirs[name]) for name in ("amount", "filled", "filled")),
    )
    if mine != their:
        verdict.differences.append(f"{account}: order {ours['client_id']}: desk {mine}, venue {their}")


def _number(text: str | None) -> Decimal | None:
    return None if text is None else D(text)


def _trades(verdict: Verdict, account: str, ours: Iterable[Row], theirs: Iterable[Row]) -> None:
    mine = sorted(
        (
            t["venue_id"],
            t["order__client_id"],
            D(t["price"]),
            D(t["amount"]),
            D(t["fee_amount"]),
            t["fee_currency"],
        )
        for t in ours
    )
    their = sorted(
        (t["venue_id"], t["client_id"], D(t["price"]), D(t["amount"]), D(t["fee"]), t["fee_currency"])
        for t in theirs
    )
    if mine != their:
        missing = [trade for trade in their if trade not in mine]
        added = [trade for trade in mine if trade not in their]
        verdict.differences.append(f"{account}: trades missing {missing}, too many {added}")


def _balances(verdict: Verdict, account: str, ours: Iterable[Row], theirs: Mapping[str, Row]) -> None:
    mine = {row["currency"]: (D(row["free"]), D(row["used"])) for row in ours}
    for currency, row in theirs.items():
        their = (D(row["free"]), D(row["used"]))
        if mine.get(currency, (ZERO, ZERO)) != their:
            verdict.differences.append(f"{account}: {currency}: desk {mine.get(currency)}, venue {their}")


def _positions(verdict: Verdict, account: str, books: Mapping[str, list[Row]]) -> None:
    """Each is the sum of its trades, and what went out came in."""
    owners = {order["client_id"]: order["bot__name"] for order in books["orders"]}
    for position in books["positions"]:
        bot, symbol = position["bot__name"], position["symbol"]
        where = (bot, symbol)
        trades = [t for t in books["trades"] if (owners[t["order__client_id"]], t["symbol"]) == where]
        if not is_sum_of(position, trades, symbol):
            verdict.differences.append(f"{account}: the position of {bot} is not the sum of its trades")


def is_sum_of(holding: Row, trades: Iterable[Row], symbol: str) -> bool:
    """A position's or a round trip's: what it holds moved in, and what it earned came in."""
    trades, (base, quote) = list(trades), symbol.split("/")
    fees = {
        c: sum((D(t["fee_amount"]) for t in trades if t["fee_currency"] == c), ZERO) for c in (base, quote)
    }
    moved = sum((SIGNS[t["side"]] * D(t["amount"]) for t in trades), ZERO) - fees[base]
    income = -sum((SIGNS[t["side"]] * D(t["cost"]) for t in trades), ZERO) - fees[quote]
    return D(holding["amount"]) == moved and D(holding["realised_profit"]) - D(holding["cost"]) == income


def _limits(verdict: Verdict, orders: Iterable[Row], journal: Iterable[Row], limits: Row) -> None:
    """At every moment of the venue's own story: open orders, and the position if all of them filled."""
    owners = {order["client_id"]: order["bot__name"] for order in orders}
    open_amounts: dict[str, dict[str, tuple[int, Decimal]]] = defaultdict(dict)
    positions: dict[str, Decimal] = defaultdict(Decimal)
    for entry in journal:
        bot = owners.get(entry["client_id"])
        if bot is None or entry["event"] == "refused":
            continue
        resting = open_amounts[bot]
        if entry["event"] == "accepted":
            resting[entry["client_id"]] = (SIGNS[entry["side"]], D(entry["amount"]))
        elif entry["event"] == "filled":
            sign, left = resting[entry["client_id"]]
            positions[bot] += sign * D(entry["amount"])
            resting[entry["client_id"]] = (sign, left - D(entry["amount"]))
            if left == D(entry["amount"]):
                del resting[entry["client_id"]]
        else:
            resting.pop(entry["client_id"], None)
        _within(verdict, bot, resting.values(), positions[bot], limits[bot], entry["at_ms"])


def _within(
    verdict: Verdict,
    bot: str,
    resting: Iterable[tuple[int, Decimal]],
    position: Decimal,
    limits: Row,
    time_ms: int,
) -> None:
    rows = list(resting)
    if len(rows) > limits["max_open_orders"]:
        verdict.breaches.append(f"{bot}: {len(rows)} open orders at {time_ms}")
    for sign in (1, -1):
        reach = abs(position + sum((sign * left for side, left in rows if side == sign), ZERO))
        # Fees taken in base make what is owned a little less than what was bought.
        if reach > D(limits["max_position"]) * D("1.01"):
            verdict.breaches.append(f"{bot}: a position of {reach} was possible at {time_ms}")


def _fences(verdict: Verdict, account: str, orders: Iterable[Row], journal: Iterable[Row]) -> None:
    """A worker whose lease had passed to another would send with a smaller fencing number than before."""
    fences = {order["client_id"]: int(order["fence"]) for order in orders}
    arrived = [e for e in journal if e["event"] in {"accepted", "refused"} and e["client_id"] in fences]
    arrived.sort(key=lambda entry: entry["at_ms"])
    for before, after in pairwise(arrived):
        if fences[after["client_id"]] < fences[before["client_id"]] and after["at_ms"] > before["at_ms"]:
            verdict.unleased.append(
                f"{account}: {after['client_id']} was sent under a lease that had passed on"
            )
