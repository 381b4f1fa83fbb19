"""Quotes both sides of one market around a reference price.

docs/strategies/spread.md has every step with its formula and a worked example.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from decimal import Decimal

from bots.strategies.base import Decision, Quote, Snapshot
from bots.strategies.budget import affordable_amount, needed_funds
from bots.strategies.depth import others_best, others_levels, price_at_depth
from bots.strategies.figures import plain
from bots.strategies.inventory import skew_ratios
from bots.strategies.reference import UNKNOWN, ReferenceKind, reference_price
from bots.strategies.spread_settings import Rung, SpreadSettings
from exchanges.types import ZERO, Level, Market, Side

__all__ = ["ReferenceKind", "Rung", "SpreadSettings", "decide"]


@dataclass(frozen=True, slots=True)
class Draft:
    """Quotes on their way through the steps, bids and asks from the touch outwards, and what was changed."""

    quotes: tuple[Quote, ...]
    remarks: tuple[str, ...] = ()

    def side(self, side: Side) -> list[Quote]:
        return [quote for quote in self.quotes if quote.side is side]

    def then(self, quotes: list[Quote], *remarks: str) -> Draft:
        return Draft(tuple(quotes), self.remarks + remarks)


def decide(snapshot: Snapshot, settings: SpreadSettings) -> Decision:
    """The quotes that should rest now; none, with a reason, when it cannot tell."""
    book = snapshot.book
    if book is not None and book.closed:
        return Decision.stand_aside(f"Stands aside: {book.closed}.")
    if book is not None and book.is_crossed:
        bid, ask = plain(book.bids[0].price), plain(book.asks[0].price)
        return Decision.stand_aside(f"Stands aside: the book is crossed, bid {bid} and ask {ask}.")
    reference = reference_price(snapshot, settings.reference)
    if reference is None or reference <= 0:
        return Decision.stand_aside(f"Stands aside: {UNKNOWN[settings.reference]}.")
    draft = ladder(reference, settings, snapshot.market)
    draft = within_price_band(draft, reference, settings)
    draft = optimised(draft, snapshot, settings)
    draft = skewed_by_inventory(draft, reference, snapshot, settings)
    draft = beyond_minimum_spread(draft, reference, snapshot.market, settings)
    draft = affordable(draft, snapshot)
    draft = not_taking(draft, snapshot, settings)
    draft = above_venue_minimums(draft, snapshot.market)
    draft = apart(draft)
    return Decision(quotes=draft.quotes, reason=_reason(draft, reference), reference_price=reference)


# --- Prices


def ladder(reference: Decimal, settings: SpreadSettings, market: Market) -> Draft:
    """Every order that is wanted, on tick and lot."""
    quotes = [
        Quote(
            side=side,
            price=reference * (1 + _outwards(side) * rung.distance_pct),
            amount=rung.amount,
            level=_level(side, place),
            post_only=settings.post_only,
        )
        for side in Side
        for place, rung in enumerate(settings.rungs(side), start=1)
    ]
    return _rounded(Draft(tuple(quotes)), market)


def within_price_band(draft: Draft, reference: Decimal, settings: SpreadSettings) -> Draft:
    """No bids at or above the ceiling, no asks at or below the floor."""
    ceiling, floor = settings.price_ceiling, settings.price_floor
    if ceiling is not None and reference >= ceiling:
        draft = draft.then(
            draft.side(Side.SELL), f"no bids at or above the price ceiling of {plain(ceiling)}"
        )
    if floor is not None and reference <= floor:
        draft = draft.then(draft.side(Side.BUY), f"no asks at or below the price floor of {plain(floor)}")
    return draft


def optimised(draft: Draft, snapshot: Snapshot, settings: SpreadSettings) -> Draft:
    """The first of a side no better than one step ahead of others; the deeper ones follow it."""
    if not settings.order_optimization or snapshot.book is None:
        return draft
    moved: list[Quote] = []
    for side in Side:
        levels = others_levels(snapshot.book, side, snapshot.open_orders)
        moved += _behind_others(draft.side(side), levels, snapshot.market, settings)
    return _rounded(draft.then(moved), snapshot.market)


def _behind_others(
    quotes: list[Quote], levels: Iterable[Level], market: Market, settings: SpreadSettings
) -> list[Quote]:
    if not quotes:
        return []
    side = quotes[0].side
    depth = settings.bid_optimization_depth if side is Side.BUY else settings.ask_optimization_depth
    top = price_at_depth(levels, depth)
    if top is None:
        return quotes
    first = _further(side, quotes[0].price, _ahead_of(top, side, market))
    distances = {
        _level(side, place): rung.distance_pct for place, rung in enumerate(settings.rungs(side), start=1)
    }
    nearest = distances[quotes[0].level]
    return [
        replace(quote, price=first * (1 + _outwards(side) * (distances[quote.level] - nearest)))
        for quote in quotes
    ]


def _ahead_of(price: Decimal, side: Side, market: Market) -> Decimal:
    """One step better than a price at which others rest."""
    step = market.price_step_at(price)
    return market.ceil_price(price) + step if side is Side.BUY else market.floor_price(price) - step


def beyond_minimum_spread(
    draft: Draft, reference: Decimal, market: Market, settings: SpreadSettings
) -> Draft:
    """Quotes nearer to the reference price than the minimum are moved out to it."""
    if not settings.minimum_spread_pct:
        return draft
    moved = [
        replace(
            quote,
            price=_further(
                quote.side,
                quote.price,
                reference * (1 + _outwards(quote.side) * settings.minimum_spread_pct),
            ),
        )
        for quote in draft.quotes
    ]
    return _rounded(draft.then(moved), market)


def not_taking(draft: Draft, snapshot: Snapshot, settings: SpreadSettings) -> Draft:
    """Without post-only quotes that would trade at once with orders of others."""
    if not settings.post_only or snapshot.book is None:
        return draft
    kept: list[Quote] = []
    remarks: list[str] = []
    for side in Side:
        quotes = draft.side(side)
        facing = others_best(snapshot.book, side.opposite, snapshot.open_orders)
        resting = [q for q in quotes if facing is None or _is_beyond(q.price, facing, side)]
        kept += resting
        if facing is not None and len(resting) < len(quotes):
            left_out = _counted(len(quotes) - len(resting), side)
            remarks.append(
                f"{left_out} left out that would take the {_NAMES[side.opposite]} at {plain(facing)}"
            )
    return draft.then(kept, *remarks)


def apart(draft: Draft) -> Draft:
    """Nothing at all where the settings put a bid at or above an ask."""
    bids, asks = draft.side(Side.BUY), draft.side(Side.SELL)
    if not bids or not asks:
        return draft
    bid, ask = max(quote.price for quote in bids), min(quote.price for quote in asks)
    if bid < ask:
        return draft
    return draft.then([], f"the settings put a bid at {plain(bid)} and an ask at {plain(ask)}")


# --- Sizes


def skewed_by_inventory(
    draft: Draft, reference: Decimal, snapshot: Snapshot, settings: SpreadSettings
) -> Draft:
    """Sizes bent towards the inventory's target."""
    if not settings.inventory_skew:
        return draft
    ratios = skew_ratios(
        base=snapshot.base_total,
        quote=snapshot.quote_total,
        price=reference,
        target_pct=settings.inventory_target_pct,
        range_base=settings.total_amount * settings.inventory_range_multiplier,
    )
    sized = [
        replace(quote, amount=quote.amount * (ratios.bid if quote.side is Side.BUY else ratios.ask))
        for quote in draft.quotes
    ]
    remark = f"sizes of bids x {_short(ratios.bid)} and of asks x {_short(ratios.ask)} for the inventory"
    return _rounded(draft.then(sized, remark), snapshot.market)


def affordable(draft: Draft, snapshot: Snapshot) -> Draft:
    """From the touch outwards: what the funds pay for, the last one cut to what is left."""
    market = snapshot.market
    funds = {Side.BUY: snapshot.quote_balance, Side.SELL: snapshot.base_balance}
    kept: list[Quote] = []
    short: dict[Side, int] = {Side.BUY: 0, Side.SELL: 0}
    for quote in draft.quotes:
        left = funds[quote.side]
        amount = affordable_amount(quote, funds=left, market=market, fee=market.maker_fee)
        is_cut = amount < quote.amount
        short[quote.side] += is_cut
        funds[quote.side] = ZERO if is_cut else left - needed_funds(quote, market.maker_fee)
        if amount > 0:
            kept.append(replace(quote, amount=amount))
    currencies = {Side.BUY: market.quote, Side.SELL: market.base}
    remarks = [
        f"{_counted(count, side)} cut or left out for lack of {currencies[side]}"
        for side, count in short.items()
        if count
    ]
    return draft.then(kept, *remarks)


def above_venue_minimums(draft: Draft, market: Market) -> Draft:
    """Without quotes that the venue would refuse for their size."""
    kept = [quote for quote in draft.quotes if _is_large_enough(quote, market)]
    remarks = [
        f"{_counted(missing, side)} left out below the venue's minimum size"
        for side in Side
        if (missing := sum(q.side is side for q in draft.quotes) - sum(q.side is side for q in kept))
    ]
    return draft.then(kept, *remarks)


def _is_large_enough(quote: Quote, market: Market) -> bool:
    return quote.amount >= (market.min_amount or ZERO) and quote.cost >= (market.min_cost or ZERO)


def _rounded(draft: Draft, market: Market) -> Draft:
    """Onto tick and lot, without what becomes nothing by it."""
    rounded = [
        replace(
            quote,
            price=market.round_price(quote.price, quote.side),
            amount=market.floor_amount(quote.amount),
        )
        for quote in draft.quotes
    ]
    kept = [quote for quote in rounded if quote.price > 0 and quote.amount > 0]
    remarks = [
        f"{_counted(missing, side)} left out whose price or size would be 0"
        for side in Side
        if (missing := sum(q.side is side for q in rounded) - sum(q.side is side for q in kept))
    ]
    return draft.then(kept, *remarks)


# --- Sides and words

_NAMES = {Side.BUY: "bid", Side.SELL: "ask"}


def _outwards(side: Side) -> int:
    """The sign of the direction away from the touch."""
    return -1 if side is Side.BUY else 1


def _further(side: Side, one: Decimal, other: Decimal) -> Decimal:
    return min(one, other) if side is Side.BUY else max(one, other)


def _is_beyond(price: Decimal, facing: Decimal, side: Side) -> bool:
    return price < facing if side is Side.BUY else price > facing


def _level(side: Side, place: int) -> str:
    return f"{_NAMES[side]} {place}"


def _counted(count: int, side: Side) -> str:
    return f"{count} {_NAMES[side]}{'' if count == 1 else 's'}"


def _short(ratio: Decimal) -> str:
    return plain(round(ratio, 3))


def _reason(draft: Draft, reference: Decimal) -> str:
    bids, asks = len(draft.side(Side.BUY)), len(draft.side(Side.SELL))
    if draft.quotes:
        what = f"Quotes {_counted(bids, Side.BUY)} and {_counted(asks, Side.SELL)} around {plain(reference)}"
    else:
        what = f"Stands aside at a reference price of {plain(reference)}"
    return f"{'; '.join((what, *draft.remarks))}."
