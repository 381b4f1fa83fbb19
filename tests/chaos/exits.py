"""No position without a live exit for longer than a cycle: docs/chaos.md says what counts. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any, NamedTuple

from tests.chaos.trips import DUST_COST, FEES, name_of, states
from tests.chaos.verdict import Verdict

Row = Mapping[str, Any]
D = Decimal
ANSWER_SECONDS = 5.0  # what a venue that answers needs, on a machine that others use too
BOOKS_AGREE_SECONDS = 5.0  # from the first question after a trouble until orders are placed again
BEYOND = D("0.0005")  # how far beyond a barrier the price has to be: the entry's average is the last one


class Span(NamedTuple):
    """Seconds since the epoch."""

    start: float
    end: float


class Price(NamedTuple):
    """The touch of a market at a time; None: that side was empty."""

    at: float
    bid: Decimal | None
    ask: Decimal | None


Prices = Sequence[Price]


class Trouble(NamedTuple):
    """From start to end, in seconds since the epoch. It is over for a connection when that has asked its
    venue again after the end; budget: the most seconds that this may take."""

    start: float
    end: float
    budget: float = math.inf


@dataclass(frozen=True, kw_only=True)
class Care:
    """What a scalper owes its positions. Percentages are fractions; fee: of each way."""

    cycle_seconds: float
    rests: bool
    stop_loss_pct: Decimal
    take_profit_pct: Decimal
    time_limit_seconds: float
    fee: Decimal


def care_of(settings: Row, fee: Decimal) -> Care:
    return Care(
        cycle_seconds=settings["cycle_seconds"],
        rests=settings["rests_take_profit"],
        stop_loss_pct=D(settings["stop_loss_pct"]),
        take_profit_pct=D(settings["take_profit_pct"]),
        time_limit_seconds=settings["time_limit_seconds"],
        fee=fee,
    )


def excuses(troubles: Iterable[Trouble], asked: Sequence[float]) -> list[Span]:
    """When a connection need not have had an exit. asked: when it asked its venue, in order."""

    def over(trouble: Trouble) -> float:
        back = next((at for at in asked if at > trouble.end), math.inf)
        return min(back, trouble.end + trouble.budget) + BOOKS_AGREE_SECONDS

    return joined(Span(trouble.start, over(trouble)) for trouble in troubles)


def judge_exits(
    verdict: Verdict,
    books: Mapping[str, Sequence[Row]],
    journal: Sequence[Row],
    cares: Mapping[str, Care],
    prices: Prices,
    excused: Sequence[Span],
) -> None:
    """One connection's. cares: by bot."""
    for trip in books["round_trips"]:
        care = cares[trip["bot__name"]]
        for span in _unprotected(trip, books["orders"], journal, care, prices):
            seconds = max((left.end - left.start for left in without(span, excused)), default=0.0)
            if seconds > care.cycle_seconds + ANSWER_SECONDS:
                verdict.unprotected.append(
                    f"{name_of(trip)} had no exit for {seconds:.1f} s from {span.start:.1f} on"
                )


def _unprotected(
    trip: Row, orders: Iterable[Row], journal: Sequence[Row], care: Care, prices: Prices
) -> list[Span]:
    """When an exit was owed and none rested for what was held."""
    if not D(trip["entered"]):
        return []  # missed; a fill that the desk does not know of is a difference already
    told = list(states(trip, orders, journal))
    ends = [*(at for at, _, _ in told[1:]), prices[-1].at if prices else math.inf]
    entry = D(trip["entry_cost"]) / D(trip["entered"])
    naked = [
        Span(at, end)
        for (at, held, resting), end in zip(told, ends, strict=False)
        if (held * (1 - FEES) - resting) * entry > DUST_COST and end > at
    ]
    opened = next((at for at, held, _ in told if held), math.inf)
    owed = joined(_owed(trip["side"], entry, opened, care, prices))
    both = [(one, other) for one in joined(naked) for other in owed if _meet(one, other)]
    return [Span(max(one.start, other.start), min(one.end, other.end)) for one, other in both]


def _owed(side: str, entry: Decimal, opened: float, care: Care, prices: Prices) -> Iterator[Span]:
    if care.rests:
        yield Span(opened, math.inf)
        return
    yield Span(opened + care.time_limit_seconds, math.inf)
    for price, later in pairwise(prices):
        close = price.bid if side == "buy" else price.ask
        if close is not None and _is_beyond(side, entry, close, care):
            yield Span(price.at, later.at)


def _is_beyond(side: str, entry: Decimal, close: Decimal, care: Care) -> bool:
    """A barrier, after the fees of both ways."""
    paid, received = (entry, close) if side == "buy" else (close, entry)
    profit = (received * (1 - care.fee) - paid * (1 + care.fee)) / entry
    return profit < -care.stop_loss_pct - BEYOND or profit > care.take_profit_pct + BEYOND


# --- Spans


def joined(spans: Iterable[Span]) -> list[Span]:
    """In order, those that touch as one."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.start <= found[-1].end:
            found[-1] = Span(found[-1].start, max(found[-1].end, span.end))
        else:
            found.append(span)
    return found


def without(span: Span, others: Iterable[Span]) -> list[Span]:
    """What is left of it; others: in order, apart from each other."""
    left, since = [], span.start
    for other in others:
        if other.end <= since or other.start >= span.end:
            continue
        if other.start > since:
            left.append(Span(since, other.start))
        since = max(since, other.end)
    return [*left, Span(since, span.end)] if since < span.end else left


def _meet(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end
