"""How fast we may ask: a leaky bucket in constant time. Pure: the clock is an argument.

A bucket drains at `rate` and holds `burst`. A request goes at once while it fits; else it books its place
and is told how long to wait. Costs are in the venue's own units (Binance: 1 is a weight of 5). What costs
nothing waits for nobody, but for a pause.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

# ccxt's rate limit spends a venue's whole allowance; this much of it is ours to plan with.
SHARE_OF_LIMIT = 0.9
BURST_SECONDS = 5.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Budget:
    """rate: cost units per second; burst: cost units that may go at once after a pause."""

    rate: float
    burst: float

    @classmethod
    def from_interval(cls, interval_ms: float) -> Budget:
        """interval_ms: ccxt's `rateLimit`, the milliseconds that a request of cost 1 takes up."""
        rate = SHARE_OF_LIMIT * 1000 / interval_ms
        return cls(rate=rate, burst=max(1.0, rate * BURST_SECONDS))


@dataclass(frozen=True, kw_only=True, slots=True)
class PaceState:
    """level: what is in the bucket at `at`; paused_until: nothing goes before. Seconds of one clock."""

    level: float = 0.0
    at: float = 0.0
    paused_until: float = 0.0


def reserve(budget: Budget, state: PaceState, *, now: float, cost: float) -> tuple[PaceState, float]:
    """Book `cost`: (the state after it, the seconds to wait before sending)."""
    level = _level_at(budget, state, now) + cost
    behind = (level - max(budget.burst, cost)) / budget.rate if cost else 0.0
    wait = max(0.0, behind, state.paused_until - now)
    return replace(state, level=level, at=max(now, state.at)), wait


def seconds_until_idle(budget: Budget, state: PaceState, *, now: float) -> float:
    """Until the bucket is empty: a task of several requests then has the whole burst before it."""
    return max(_level_at(budget, state, now) / budget.rate, state.paused_until - now, 0.0)


def pause(state: PaceState, *, now: float, seconds: float) -> PaceState:
    """Send nothing for `seconds`. A shorter pause never ends a longer one."""
    return replace(state, paused_until=max(state.paused_until, now + seconds))


def _level_at(budget: Budget, state: PaceState, now: float) -> float:
    return max(0.0, state.level - max(0.0, now - state.at) * budget.rate)
