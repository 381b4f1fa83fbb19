"""A situation written down as one JSON object, for the question: what would a spread bot quote?

Numbers may be JSON numbers or strings. Spreads are fractions (0.01 is one per cent); only the distances in
`order_override` are in per cent. The market has six significant digits and no minimum sizes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from bots.strategies.base import Snapshot
from bots.strategies.fields import Fields, ScenarioError, kind, read_number, read_object
from bots.strategies.figures import plain
from bots.strategies.reference import ReferenceKind
from bots.strategies.spread_settings import Rung, SpreadSettings
from exchanges.types import ZERO, Book, Level, Market, Side

SYMBOL = "BASE/QUOTE"
MOST_LEVELS = 50
_SMALLEST = Decimal("0.000001")
_WHEN = datetime(2000, 1, 1, tzinfo=UTC)  # the decision does not depend on it

_REQUIRED = ("bid_spread", "ask_spread", "order_amount", "base_balance", "quote_balance")
_OPTIONAL = (
    "book",
    "mid",
    "reference_price",
    "order_levels",
    "order_level_spread",
    "order_level_amount",
    "order_override",
    "maker_fee",
    "minimum_spread",
    "price_ceiling",
    "price_floor",
    "order_optimization_enabled",
    "order_optimization_depth",
    "bid_order_optimization_depth",
    "ask_order_optimization_depth",
    "inventory_skew",
    "post_only",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    snapshot: Snapshot
    settings: SpreadSettings


def read_scenario(text: str) -> Scenario:
    """Raises ScenarioError."""
    parsed = read_object(text)
    fields = Fields("", parsed)
    if "input" in parsed:
        raise ScenarioError("This looks like a whole row of scenarios: give only its “input”.")
    fields.refuse_unknown((*_REQUIRED, *_OPTIONAL))
    fields.require(_REQUIRED)
    settings = _settings(fields)
    _refuse_meeting_quotes(settings)
    return Scenario(snapshot=_snapshot(fields), settings=settings)


# --- Settings


def _settings(fields: Fields) -> SpreadSettings:
    skew = fields.part("inventory_skew")
    depth = fields.not_negative("order_optimization_depth")
    bid_depth, ask_depth = "bid_order_optimization_depth", "ask_order_optimization_depth"
    return SpreadSettings(
        reference=ReferenceKind.OTHER_MARKET if _given_reference(fields) else ReferenceKind.MID,
        bid_spread_pct=fields.fraction("bid_spread"),
        ask_spread_pct=fields.fraction("ask_spread"),
        minimum_spread_pct=fields.fraction("minimum_spread"),
        order_amount=fields.positive("order_amount") or ZERO,
        levels=_levels(fields),
        level_spread_pct=fields.fraction("order_level_spread"),
        level_amount=fields.not_negative("order_level_amount"),
        level_overrides=_overrides(fields.value("order_override")),
        price_ceiling=_bound(fields, "price_ceiling"),
        price_floor=_bound(fields, "price_floor"),
        order_optimization=fields.flag("order_optimization_enabled", default=False),
        bid_optimization_depth=depth if fields.value(bid_depth) is None else fields.not_negative(bid_depth),
        ask_optimization_depth=depth if fields.value(ask_depth) is None else fields.not_negative(ask_depth),
        post_only=fields.flag("post_only", default=True),
        **({} if skew is None else _skew(skew)),
    )


def _skew(fields: Fields) -> dict[str, Any]:
    keys = ("target_base_pct", "range_multiplier")
    fields.refuse_unknown(keys)
    fields.require(keys[:1])
    target = fields.not_negative("target_base_pct")
    if target > 1:
        raise ScenarioError(f"“inventory_skew.target_base_pct” must be from 0 to 1, not {plain(target)}.")
    return {
        "inventory_skew": True,
        "inventory_target_pct": target,
        "inventory_range_multiplier": fields.positive("range_multiplier") or Decimal(1),
    }


def _bound(fields: Fields, key: str) -> Decimal | None:
    """A price, or null or -1 for none."""
    return None if fields.number(key) == -1 else fields.positive(key)


def _levels(fields: Fields) -> int:
    number = fields.number("order_levels")
    if number is None:
        return 1
    if number != number.to_integral_value() or not 1 <= number <= MOST_LEVELS:
        raise ScenarioError(
            f"“order_levels” must be a whole number from 1 to {MOST_LEVELS}, not {plain(number)}."
        )
    return int(number)


def _overrides(value: Any) -> tuple[Rung, ...]:
    """[["buy", "0.5", "0.7"], …]: side, distance in per cent, amount; also as the values of an object."""
    if value is None:
        return ()
    rows = list(value.values()) if isinstance(value, dict) else value
    if not isinstance(rows, list):
        raise ScenarioError(f"“order_override” must be a list, not {kind(value)}.")
    return tuple(_override(place, row) for place, row in enumerate(rows, start=1))


def _override(place: int, row: Any) -> Rung:
    name = f"entry {place} of “order_override”"
    if not isinstance(row, list) or len(row) != 3 or row[0] not in list(Side):
        raise ScenarioError(f'The {name} must be like ["buy", "0.5", "0.7"]: side, per cent, amount.')
    distance = read_number(row[1], f"The distance in {name}")
    amount = read_number(row[2], f"The amount in {name}")
    if not 0 <= distance < 100:
        raise ScenarioError(
            f"The distance in {name} must be from 0 to less than 100 per cent, not {plain(distance)}."
        )
    if amount <= 0:
        raise ScenarioError(f"The amount in {name} must be more than 0, not {plain(amount)}.")
    return Rung(Side(row[0]), distance / 100, amount)


def _refuse_meeting_quotes(settings: SpreadSettings) -> None:
    bids, asks = settings.rungs(Side.BUY), settings.rungs(Side.SELL)
    if bids and asks and bids[0].distance_pct == asks[0].distance_pct == 0 == settings.minimum_spread_pct:
        raise ScenarioError("With both spreads 0 the bid would stand at the ask's price.")
    ceiling, floor = settings.price_ceiling, settings.price_floor
    if ceiling is not None and floor is not None and ceiling <= floor:
        raise ScenarioError(
            f"The price ceiling of {plain(ceiling)} must be above the price floor of {plain(floor)}."
        )


# --- Snapshot


def _snapshot(fields: Fields) -> Snapshot:
    book = _book(fields.part("book"))
    reference = _given_reference(fields)
    if reference is None and (book is None or book.mid is None):
        raise ScenarioError("There is no price to quote around: give “reference_price”, “mid”, or a book.")
    base, quote = fields.not_negative("base_balance"), fields.not_negative("quote_balance")
    return Snapshot(
        now=_WHEN,
        market=_market(fields.fraction("maker_fee")),
        book=book,
        base_balance=base,
        quote_balance=quote,
        base_total=base,
        quote_total=quote,
        other_mid=reference,
    )


def _given_reference(fields: Fields) -> Decimal | None:
    mid = fields.positive("mid")
    return fields.positive("reference_price") or mid


def _market(maker_fee: Decimal) -> Market:
    return Market(
        symbol=SYMBOL,
        base="base currency",
        quote="quote currency",
        price_step=_SMALLEST,
        amount_step=_SMALLEST,
        price_digits=6,
        maker_fee=maker_fee,
    )


def _book(fields: Fields | None) -> Book | None:
    if fields is None:
        return None
    fields.refuse_unknown(("best_bid", "best_ask", "bids", "asks"))
    bids, asks = _levels_of(fields, "bids", "best_bid"), _levels_of(fields, "asks", "best_ask")
    book = Book(
        symbol=SYMBOL,
        bids=tuple(sorted(bids, reverse=True)),
        asks=tuple(sorted(asks)),
        time=_WHEN,
    )
    if book.is_crossed:
        bid, ask = plain(book.bids[0].price), plain(book.asks[0].price)
        raise ScenarioError(f"The book is crossed: its bid {bid} is not below its ask {ask}.")
    return book


def _levels_of(fields: Fields, several: str, best: str) -> list[Level]:
    rows = fields.value(several)
    if rows is None:
        price = fields.positive(best)
        return [] if price is None else [Level(price, Decimal(1))]
    if fields.value(best) is not None:
        raise ScenarioError(f"Give either “book.{several}” or “book.{best}”, not both.")
    if not isinstance(rows, list):
        raise ScenarioError(f"“book.{several}” must be a list of [price, amount], not {kind(rows)}.")
    return [_level(f"entry {place} of “book.{several}”", row) for place, row in enumerate(rows, start=1)]


def _level(name: str, row: Any) -> Level:
    if not isinstance(row, list) or len(row) != 2:
        raise ScenarioError(f'The {name} must be like ["99.5", "10"]: price, amount.')
    price, amount = read_number(row[0], f"The price in {name}"), read_number(row[1], f"The amount in {name}")
    if price <= 0 or amount <= 0:
        raise ScenarioError(f"Price and amount in {name} must be more than 0.")
    return Level(price, amount)
