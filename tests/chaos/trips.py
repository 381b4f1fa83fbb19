"""Round trips after a run: their sums, their ends, and never two exits for one amount. Pure: rows in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

from tests.chaos.verdict import Verdict, is_sum_of

Row = Mapping[str, Any]
Books = Mapping[str, Sequence[Row]]
D = Decimal
ZERO = D(0)
ENDED = {"closed", "missed"}
FEES = D("0.02")  # of the position: a fee in base makes what is to be closed a little more or less
DUST_COST = D(15)  # quote: more than any venue's least order costs
SUMS = ("amount", "entered", "exited", "entry_cost", "exit_cost")


def judge_trips(verdict: Verdict, books: Books, journal: Sequence[Row]) -> None:
    """One connection's, after its bots have stopped; journal: of its account."""
    orders = {order["client_id"]: order for order in books["orders"]}
    trades: dict[int, list[Row]] = defaultdict(list)
    for trade in books["trades"]:
        trip = orders[trade["order__client_id"]]["round_trip_id"]
        if trip is not None:
            trades[trip].append(trade)
    for trip in books["round_trips"]:
        _sums(verdict, trip, trades[trip["id"]])
        _end(verdict, trip)
    _positions(verdict, books)
    _never_two_exits(verdict, books, journal)


def _sums(verdict: Verdict, trip: Row, trades: Sequence[Row]) -> None:
    """Of its orders' trades, to the last digit."""
    entries = [trade for trade in trades if trade["side"] == trip["side"]]
    exits = [trade for trade in trades if trade["side"] != trip["side"]]
    sums = (_sum(entries, "amount"), _sum(exits, "amount"), _sum(entries, "cost"), _sum(exits, "cost"))
    said = tuple(D(trip[name]) for name in SUMS[1:])
    if said != sums or not is_sum_of(trip, trades, trip["symbol"]):
        verdict.differences.append(f"{name_of(trip)} is not the sum of its trades: {said}, {sums}")


def _end(verdict: Verdict, trip: Row) -> None:
    """Closed or missed, and nothing is left of it that a venue would take."""
    if trip["state"] not in ENDED:
        verdict.differences.append(f"{name_of(trip)} is {trip['state']} after its bot has stopped")
    elif D(trip["entered"]):
        left = abs(D(trip["amount"])) * D(trip["entry_cost"]) / D(trip["entered"])
        if left > DUST_COST:
            verdict.differences.append(f"{name_of(trip)} has ended, and {left:f} are left: no dust")
    elif trip["state"] == "closed":
        verdict.differences.append(f"{name_of(trip)} is closed, and was never open")


def _positions(verdict: Verdict, books: Books) -> None:
    """A scalper's is the sum of its trips."""
    trips: dict[tuple[str, str], list[Row]] = defaultdict(list)
    for trip in books["round_trips"]:
        trips[trip["bot__name"], trip["symbol"]].append(trip)
    for position in books["positions"]:
        mine = trips.get((position["bot__name"], position["symbol"]))
        if mine is not None and _figures([position]) != _figures(mine):
            verdict.differences.append(f"the position of {position['bot__name']} is not the sum of its trips")


def _figures(rows: list[Row]) -> tuple[Decimal, Decimal]:
    """(base that is held, quote that came in)."""
    return _sum(rows, "amount"), _sum(rows, "realised_profit") - _sum(rows, "cost")


def _never_two_exits(verdict: Verdict, books: Books, journal: Sequence[Row]) -> None:
    """At every moment of the venue's own story, what rests to close a trip is no more than it holds."""
    for trip in books["round_trips"]:
        most = ZERO
        for at, held, resting in states(trip, books["orders"], journal):
            most = max(most, held)
            if resting > held + most * FEES:
                sentence = f"{name_of(trip)}: exits of {resting} rested for a position of {held} at {at}"
                verdict.breaches.append(sentence)
                break


def states(
    trip: Row, orders: Iterable[Row], journal: Iterable[Row]
) -> Iterable[tuple[float, Decimal, Decimal]]:
    """(seconds since the epoch, base that is held, base that exits rest for), from each event on."""
    sides = {order["client_id"]: order["side"] for order in orders if order["round_trip_id"] == trip["id"]}
    held, resting = ZERO, dict[str, Decimal]()
    for entry in journal:
        client_id = entry["client_id"]
        if client_id not in sides or entry["event"] == "refused":
            continue
        is_exit, amount = sides[client_id] != trip["side"], D(entry["amount"] or 0)
        if entry["event"] == "filled":
            held += -amount if is_exit else amount
            if is_exit:
                resting[client_id] -= amount
        elif is_exit and entry["event"] == "accepted":
            resting[client_id] = amount
        elif is_exit:
            resting.pop(client_id, None)
        yield entry["at_ms"] / 1000, held, sum(resting.values(), ZERO)


def name_of(trip: Row) -> str:
    return f"round trip {trip['id']} of {trip['bot__name']}"


def _sum(rows: Iterable[Row], name: str) -> Decimal:
    return sum((D(row[name]) for row in rows), ZERO)
