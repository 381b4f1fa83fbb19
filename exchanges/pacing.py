"""How fast we may ask: a leaky bucket in constant time. Pure: the clock is an argument.

A bucket drains at `rate` and holds `burst`. Orders and cancels may fill it, and book their place at once
where it is full; reads may fill a part of it and wait until they fit, so that no order waits for a read that
has not left. Costs are in the venue's own units (Binance: 1 is a weight of 5). What costs nothing waits for
nobody, but for a pause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import inf

# ccxt's rate limit spends a venue's whole allowance; this much of it is ours to plan with.
SHARE_OF_LIMIT = 0.9
BURST_SECONDS = 5.0
READ_SHARE = 0.8

# A venue that refuses us although we kept the budget allows less than we think.
SLOWER = 0.8
SLOWEST = 0.2
SETTLING_SECONDS = 10.0  # refusals within are answers to what was on its way already
RECOVERY_PER_SECOND = (1 - SLOWER) / 600


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """rate: cost units per second; burst: cost units that may go at once when nothing went before;
    read_share: how much of the burst reads may use, 1 where orders are counted apart."""

    rate: float
    burst: float
    read_share: float = READ_SHARE

    @classmethod
    def from_interval(cls, interval_ms: float) -> Budget:
        """interval_ms: ccxt's `rateLimit`, the milliseconds that a request of cost 1 takes up."""
        rate = SHARE_OF_LIMIT * 1000 / interval_ms
        return cls(rate=rate, burst=max(1.0, rate * BURST_SECONDS))

    def part(self, share: float) -> Budget:
        return replace(self, rate=self.rate * share, burst=self.burst * share)

    def room(self, *, reads: bool) -> float:
        return self.burst * self.read_share if reads else self.burst


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceState:
    """level: what is in the bucket at `at`, later than now while a pause lasts; paused_until: nothing goes
    before; speed: what of the budget was used at `slowed_at`, 1 but after refusals. Seconds of one clock."""

    level: float = 0.0
    at: float = 0.0
    paused_until: float = 0.0
    speed: float = 1.0
    slowed_at: float = -inf


def seconds_to_wait(
    budget: Budget, state: PaceState, *, now: float, cost: float, reads: bool = False, ahead: float = 0.0
) -> float:
    """Before `cost` may go, unless something else is booked meanwhile. ahead: the cost of reads before it."""
    left = max(0.0, state.paused_until - now)
    if not cost:
        return left
    allowed = budget.part(speed_at(state, now))
    behind = level_at(budget, state, now) + ahead + cost - max(allowed.room(reads=reads), cost)
    if behind <= 0:
        return left
    return max(left, max(0.0, state.at - now) + behind / allowed.rate)


def book(budget: Budget, state: PaceState, *, now: float, cost: float) -> PaceState:
    return replace(state, level=level_at(budget, state, now) + cost, at=max(now, state.at))


def seconds_until_idle(budget: Budget, state: PaceState, *, now: float) -> float:
    """Until the bucket is empty: a task of several requests then has the whole burst before it."""
    rate = budget.rate * speed_at(state, now)
    return max(0.0, state.at - now) + level_at(budget, state, now) / rate


def pause(budget: Budget, state: PaceState, *, now: float, seconds: float) -> PaceState:
    """Send nothing for `seconds`. A shorter pause never ends a longer one. Behind it the reads' part of the
    bucket is full, so that what waited goes one after another."""
    until = now + seconds
    if until <= state.paused_until:
        return state
    level = max(level_at(budget, state, until), budget.part(speed_at(state, now)).room(reads=True))
    return replace(state, level=level, at=max(until, state.at), paused_until=until)


def slow_down(state: PaceState, *, now: float) -> PaceState:
    """A venue has refused for its limit: once for all that was on its way, less from now on."""
    if now - max(state.slowed_at, state.paused_until) < SETTLING_SECONDS:
        return state
    return replace(state, speed=max(SLOWEST, speed_at(state, now) * SLOWER), slowed_at=now)


def slowed_to(state: PaceState, speed: float, *, now: float) -> PaceState:
    """Another has met the refusal."""
    return replace(state, speed=speed, slowed_at=now)


def speed_at(state: PaceState, now: float) -> float:
    return min(1.0, state.speed + max(0.0, now - state.slowed_at) * RECOVERY_PER_SECOND)


def heard(
    budget: Budget, state: PaceState, *, now: float, used: float, elapsed: float, share: float = 1.0
) -> PaceState:
    """The venue says that `used` cost units went in `elapsed` seconds of its window, by whomever.

    The level is raised to that of a bucket that has been filled so since the window began, and never lowered:
    what is still on its way the venue has not counted yet. budget: ours; share: its part of the address's.
    """
    told = share * used - budget.rate * speed_at(state, now) * elapsed
    if told <= level_at(budget, state, now):
        return state
    return replace(state, level=told, at=max(now, state.at))


def resized(before: Budget, after: Budget, state: PaceState, *, now: float) -> PaceState:
    """The same bucket, larger or smaller, with as much room left as before: what is added to it is full,
    since another had it until now and may have used it; what is taken from it is given away full."""
    level = level_at(before, state, now) + after.burst - before.burst
    return replace(state, level=max(0.0, level), at=max(now, state.at))


def level_at(budget: Budget, state: PaceState, now: float) -> float:
    """The speed grows only, but when it is cut: that of `at` never drains too much."""
    drained = max(0.0, now - state.at) * budget.rate * speed_at(state, state.at)
    return max(0.0, state.level - drained)
