"""Tells what trades explain of a change of balances, and what nothing explains: a deposit, a withdrawal.

Pure: looks and trades come as arguments, times in seconds of any clock that only goes forward. Balances
and trades are asked for apart and either may lag, so a look is explained when the trades up to *some* point
of their order explain it. What none explains must stay the same over several looks before it is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, localcontext

from exchanges.types import ZERO, Side

Amounts = Mapping[str, Decimal]  # by currency

PERSISTS_SECONDS = 120.0
LOOKS_TO_BELIEVE = 3
SPACING_SECONDS = 10.0  # looks that are nearer to each other count as one
CALM_SECONDS = 30.0
GIVE_UP_SECONDS = 600.0  # a difference that never holds still is told all the same
ROUNDING = Decimal("0.00001")  # of what was traded: venues round costs and fees more coarsely than trades
_DIGITS = 76  # twice what a column holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One trade that was counted. number: grows with each; changes: what it did to each currency."""

    number: int
    changes: Amounts


@dataclass(frozen=True, kw_only=True, slots=True)
class Baseline:
    """What the account held when everything was explained, the steps up to `number` included."""

    totals: Amounts
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Look:
    """totals: free and held together, so that a hold changes nothing. number: of the last step known then."""

    at: float
    totals: Amounts
    number: int


@dataclass(frozen=True, kw_only=True, slots=True)
class Books:
    """looks: those since the baseline that are not explained yet, oldest first."""

    baseline: Baseline | None = None
    looks: tuple[Look, ...] = ()

    @property
    def is_open(self) -> bool:
        """Something is to be explained yet: look again soon."""
        return self.baseline is None or bool(self.looks)


def changes_of(
    side: Side, symbol: str, *, amount: Decimal, cost: Decimal, fees: Iterable[tuple[str, Decimal]]
) -> Amounts:
    """What a fill does to the balances; fees in whatever currency they were paid."""
    base, _, quote = symbol.partition("/")
    sign = 1 if side is Side.BUY else -1
    return _sum([{base: sign * amount}, {quote: -sign * cost}, *({name: -fee} for name, fee in fees)])


def note(books: Books, look: Look, steps: Sequence[Step]) -> tuple[Books, Amounts]:
    """The books after one more look; and what no trade explains, once it has held long enough, else nothing.

    steps: all that follow the baseline, in order.
    """
    looks = _with(books.looks, look)
    if books.baseline is None:
        return _begin(looks), {}
    for place in reversed(range(len(looks))):
        number = _explained_by(books.baseline, steps, looks[place])
        if number is not None:
            baseline = Baseline(totals=looks[place].totals, number=number)
            return Books(baseline=baseline, looks=looks[place + 1 :]), {}
    return _unexplained(replace(books, looks=looks), books.baseline, steps)


def _with(looks: tuple[Look, ...], look: Look) -> tuple[Look, ...]:
    if len(looks) > 1 and look.at - looks[-2].at < SPACING_SECONDS:
        looks = looks[:-1]
    return (*looks, look)


def _begin(looks: tuple[Look, ...]) -> Books:
    """The first baseline is a look in calm: nothing was counted for a while, and nothing changed."""
    last = looks[-1]
    looks = tuple(look for look in looks if look.number == last.number)
    unchanged = [look.at for look in looks if look.totals == last.totals]
    if last.at - unchanged[0] >= CALM_SECONDS or last.at - looks[0].at >= GIVE_UP_SECONDS:
        return Books(baseline=Baseline(totals=last.totals, number=last.number))
    return Books(looks=looks)


def _explained_by(baseline: Baseline, steps: Sequence[Step], look: Look) -> int | None:
    """The number of the last step up to which the look is what was expected."""
    for differences, number in reversed(_differences(baseline, steps, look)):
        if not differences:
            return number
    return None


def _differences(
    baseline: Baseline, steps: Sequence[Step], look: Look
) -> list[tuple[dict[str, Decimal], int]]:
    """For each number of steps that may be in the look: (what they leave unexplained, the last one)."""
    left = _sum([look.totals, {name: -total for name, total in baseline.totals.items()}])
    moved: dict[str, Decimal] = {}
    found = [(_beyond_rounding(left, moved), baseline.number)]
    for step in steps:
        left = _sum([left, {name: -change for name, change in step.changes.items()}])
        moved = _sum([moved, {name: abs(change) for name, change in step.changes.items()}])
        found.append((_beyond_rounding(left, moved), step.number))
    return found


def _beyond_rounding(left: Amounts, moved: Amounts) -> dict[str, Decimal]:
    return {name: amount for name, amount in left.items() if abs(amount) > ROUNDING * moved.get(name, ZERO)}


def _unexplained(books: Books, baseline: Baseline, steps: Sequence[Step]) -> tuple[Books, Amounts]:
    looks = books.looks
    settled = looks[:-1]  # the trades of the last look may still be on their way
    if not settled:
        return books, {}
    difference, number = _best(baseline, steps, settled[-1])
    is_overdue = looks[-1].at - looks[0].at >= GIVE_UP_SECONDS
    if not is_overdue and not _holds(baseline, steps, settled, difference):
        return books, {}
    after = Baseline(totals=settled[-1].totals, number=number)
    return Books(baseline=after, looks=looks[len(settled) :]), difference


def _best(baseline: Baseline, steps: Sequence[Step], look: Look) -> tuple[dict[str, Decimal], int]:
    """What fewest currencies leave unexplained, with as many steps as that allows."""
    return min(reversed(_differences(baseline, steps, look)), key=lambda found: len(found[0]))


def _holds(
    baseline: Baseline, steps: Sequence[Step], looks: Sequence[Look], difference: Mapping[str, Decimal]
) -> bool:
    """Whether the last looks, enough of them and for long enough, all leave this same difference."""
    agreeing: list[Look] = []
    for look in reversed(looks):
        if not any(found == difference for found, _ in _differences(baseline, steps, look)):
            break
        agreeing.append(look)
    return len(agreeing) >= LOOKS_TO_BELIEVE and agreeing[0].at - agreeing[-1].at >= PERSISTS_SECONDS


def _sum(parts: Iterable[Amounts]) -> dict[str, Decimal]:
    """Exact; currencies that come to nothing are left out."""
    total: dict[str, Decimal] = {}
    with localcontext(prec=_DIGITS):
        for part in parts:
            for name, amount in part.items():
                total[name] = total.get(name, ZERO) + amount
    return {name: amount for name, amount in total.items() if amount}


def sentence(unexplained: Amounts) -> str:
    """For people: what changed, and what it may have been."""
    rose = [f"{name} rose by {_plain(amount)}" for name, amount in sorted(unexplained.items()) if amount > 0]
    fell = [f"{name} fell by {_plain(amount)}" for name, amount in sorted(unexplained.items()) if amount < 0]
    if rose and fell:
        guess = "a trade that was made elsewhere?"
    else:
        guess = "a deposit?" if rose else "a withdrawal, or a fee that no trade shows?"
    told = [*rose, *fell]
    words = told[0] if len(told) == 1 else f"{', '.join(told[:-1])} and {told[-1]}"
    return f"{words}, which no trade of this desk explains: {guess} It is not counted as profit."


def _plain(amount: Decimal) -> str:
    return f"{abs(amount).normalize():f}"
