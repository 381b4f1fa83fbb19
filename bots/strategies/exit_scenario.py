"""A position and a path of prices written down as one JSON object: when, and why, would it be closed?

{"side": "buy", "entry": "100", "filled": "0.9", "fee": "0.0025",
 "barriers": {"stop_loss": "0.05", "take_profit": "0.1", "take_profit_order": "market",
              "trailing_stop": {"activation": "0.02", "delta": "0.01"}, "time_limit": 3600},
 "path": [[0, "100"], [60, "101.5"]]}

Percentages are fractions, times are seconds since the entry. Prices are those at which it would close.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from bots.strategies.barriers import (
    Barriers,
    Exit,
    Watch,
    due_exit,
    followed,
    price_at_profit,
    profit_pct,
    stop_price,
)
from bots.strategies.fields import Fields, ScenarioError, kind, read_number, read_object
from bots.strategies.figures import plain
from bots.strategies.sense import contradictions, oddities
from exchanges.types import ZERO, Side

SIDES = {"buy": Side.BUY, "long": Side.BUY, "sell": Side.SELL, "short": Side.SELL}
ORDERS = ("market", "limit")
_BARRIERS = (
    "stop_loss", "take_profit", "take_profit_order", "tp_order", "trailing_stop", "time_limit",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class ExitScenario:
    """path: (seconds, price). rests_take_profit: as a limit order in the book from the entry on.

    warnings: what is odd about the barriers, one sentence each.
    """

    watch: Watch
    filled: Decimal
    barriers: Barriers
    rests_take_profit: bool
    path: tuple[tuple[Decimal, Decimal], ...]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """reason, price, seconds: None while nothing closes it. stops: the stop price after each step."""

    reason: Exit | None = None
    price: Decimal | None = None
    seconds: Decimal | None = None
    profit_pct: Decimal | None = None
    take_profit_price: Decimal | None = None
    stops: list[Decimal | None] = field(default_factory=list)


def play(scenario: ExitScenario) -> Outcome:
    """Follows the path until the position is closed."""
    watch, barriers = scenario.watch, scenario.barriers
    target = None
    if barriers.take_profit_pct is not None:
        target = price_at_profit(watch, barriers.take_profit_pct)
    stops: list[Decimal | None] = []
    for seconds, price in scenario.path:
        watch = followed(watch, barriers, price)
        stops.append(stop_price(watch, barriers))
        reason = due_exit(watch, barriers, price, seconds)
        if reason is not None:
            rests = scenario.rests_take_profit and reason is Exit.TAKE_PROFIT and target is not None
            closed_at = target if rests and target is not None else price
            return Outcome(
                reason=reason,
                price=closed_at,
                seconds=seconds,
                profit_pct=profit_pct(watch, closed_at),
                take_profit_price=target,
                stops=stops,
            )
    return Outcome(take_profit_price=target, stops=stops)


def read_exit_scenario(text: str) -> ExitScenario:
    """Raises ScenarioError."""
    fields = Fields("", read_object(text))
    fields.refuse_unknown(("side", "entry", "filled", "barriers", "fee", "path"))
    fields.require(("side", "entry", "filled", "path"))
    entry, filled = fields.positive("entry") or ZERO, fields.positive("filled") or ZERO
    wanted = fields.part("barriers") or Fields("barriers.", {})
    wanted.refuse_unknown(_BARRIERS)
    side = SIDES[_one_of("side", fields.value("side"), tuple(SIDES))]
    fee, barriers = fields.fraction("fee"), _barriers(wanted, side)
    return ExitScenario(
        watch=Watch(side=side, entry=entry, fee=fee),
        filled=filled,
        barriers=barriers,
        rests_take_profit=_take_profit_order(wanted) == "limit",
        path=_path(fields.value("path")),
        warnings=tuple(_warnings(wanted, barriers, side, fee)),
    )


def _warnings(fields: Fields, barriers: Barriers, side: Side, fee: Decimal) -> Iterator[str]:
    for name, sentence in contradictions(barriers, side, fee):
        if name == "take_profit_pct":
            raise ScenarioError(sentence)
        yield sentence
    if barriers.trailing_delta_pct is not None and not _names_its_activation(fields):
        yield "The trailing stop has no activation: it begins to follow above break-even, as if it were 0."
    yield from oddities(barriers, side, fee)


def _names_its_activation(fields: Fields) -> bool:
    trailing = fields.value("trailing_stop")
    return isinstance(trailing, dict) and trailing.get("activation") is not None


def _barriers(fields: Fields, side: Side) -> Barriers:
    stop_loss = fields.number("stop_loss")
    if stop_loss is not None and stop_loss < 0:
        where = "above" if side is Side.BUY else "below"
        raise ScenarioError(
            f"“barriers.stop_loss” must be more than 0, not {plain(stop_loss)}: the stop would stand {where} "
            "the entry."
        )
    trailing = _trailing(fields)
    return Barriers(
        stop_loss_pct=_barrier(fields, "stop_loss"),
        take_profit_pct=fields.positive("take_profit"),
        time_limit_seconds=fields.positive("time_limit"),
        **trailing,
    )


def _barrier(fields: Fields, key: str) -> Decimal | None:
    """Above 0 and below 1."""
    fields.positive(key)
    return None if fields.number(key) is None else fields.fraction(key)


def _trailing(fields: Fields) -> dict[str, Decimal]:
    """An object of activation and delta, or the delta alone."""
    value = fields.value("trailing_stop")
    if value is None:
        return {}
    if not isinstance(value, dict):
        return {"trailing_delta_pct": _barrier(fields, "trailing_stop") or ZERO}
    part = Fields("barriers.trailing_stop.", value)
    part.refuse_unknown(("activation", "delta"))
    if part.value("delta") is None:
        raise ScenarioError(
            "“barriers.trailing_stop.delta” is missing: say how far behind the price the stop follows."
        )
    return {
        "trailing_delta_pct": _barrier(part, "delta") or ZERO,
        "trailing_activation_pct": part.not_negative("activation"),
    }


def _take_profit_order(fields: Fields) -> str:
    keys = [key for key in ("take_profit_order", "tp_order") if fields.value(key) is not None]
    orders = {_one_of(f"barriers.{key}", fields.value(key), ORDERS) for key in keys} or {"market"}
    if len(orders) > 1:
        raise ScenarioError("“barriers.take_profit_order” and “barriers.tp_order” contradict each other.")
    return orders.pop()


def _one_of(key: str, value: Any, choices: tuple[str, ...]) -> str:
    found = value.strip().lower() if isinstance(value, str) else ""
    if found not in choices:
        raise ScenarioError(f"“{key}” must be one of {', '.join(choices)}, not “{value}”.")
    return found


def _path(rows: Any) -> tuple[tuple[Decimal, Decimal], ...]:
    if not isinstance(rows, list) or not rows:
        raise ScenarioError('“path” must be a list of [seconds, price], like [[0, "100"], [5, "101"]].')
    path = tuple(_step(place, row) for place, row in enumerate(rows, start=1))
    for place, (before, after) in enumerate(itertools.pairwise(path), start=2):
        if after[0] < before[0]:
            raise ScenarioError(f"Entry {place} of “path” is earlier than the one before it.")
    return path


def _step(place: int, row: Any) -> tuple[Decimal, Decimal]:
    name = f"entry {place} of “path”"
    if not isinstance(row, list) or len(row) != 2:
        shown = f"a list of {len(row)}" if isinstance(row, list) else kind(row)
        raise ScenarioError(f'The {name} must be like [5, "101"]: seconds and price, not {shown}.')
    seconds = read_number(row[0], f"The time in {name}")
    price = read_number(row[1], f"The price in {name}")
    if seconds < 0 or price <= 0:
        raise ScenarioError(f"In {name} the time must not be negative and the price must be more than 0.")
    return seconds, price
