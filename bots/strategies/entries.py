"""When a scalper opens a position: momentum of the middle, behind gates that each say why they are shut."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bots.strategies.base import Quote
from bots.strategies.figures import per_cent, plain
from bots.strategies.momentum import Mid, move_pct
from bots.strategies.protections import Lock
from bots.strategies.scalper_settings import ScalperSettings
from exchanges.types import ZERO, Book, Level, Market, Side

ENTRY = "entry"


@dataclass(frozen=True, kw_only=True, slots=True)
class View:
    """One market as a scalper sees it.

    mids: of the window and a little before it. free_base, free_quote: what the bot may use.
    median_ms: of the connection's round trips, None before the first.
    positions, connection_positions: open now, of the bot and of its connection.
    """

    now: datetime
    market: Market
    book: Book | None
    mids: Sequence[Mid] = ()
    free_base: Decimal = ZERO
    free_quote: Decimal = ZERO
    median_ms: float | None = None
    positions: int = 0
    connection_positions: int = 0
    locks: Sequence[Lock] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Chance:
    """quote: the entry to place; None: why there is none."""

    quote: Quote | None = None
    reason: str


def look_for_entry(view: View, settings: ScalperSettings) -> Chance:
    """The entry that should be placed now, if any."""
    for gate in _GATES:
        reason = gate(view, settings)
        if reason:
            return Chance(reason=reason)
    book = view.book
    move = move_pct(view.mids, view.now, settings.window_seconds)
    if book is None or move is None:
        return Chance(reason=f"this market was not seen for {settings.window_seconds} s yet")
    moved = f"it moved by {_shown(move)} in {settings.window_seconds} s"
    if abs(move) > settings.believable_move_pct:
        return Chance(
            reason=f"{moved}, more than the {per_cent(settings.believable_move_pct)} that are believed"
        )
    if abs(move) < settings.entry_move_pct:
        return Chance(reason=moved)
    side = Side.BUY if move > 0 else Side.SELL
    if not settings.direction.allows(side):
        return Chance(reason=f"{moved}, and the bot does not trade {side} first")
    return _entry(view, settings, book, side, moved)


def touch_price(book: Book, market: Market, side: Side, through_pct: Decimal) -> Decimal | None:
    """At which an order of this side trades at once, `through_pct` beyond the other side's best price."""
    levels = book.side(side.opposite)
    if not levels:
        return None
    best = levels[0].price
    if side is Side.BUY:
        return market.ceil_price(best * (1 + through_pct))
    return max(market.floor_price(best * (1 - through_pct)), market.price_step_at(best))


# --- Gates: each gives a reason to open nothing, or nothing

Gate = Callable[[View, ScalperSettings], str]


def _book(view: View, settings: ScalperSettings) -> str:
    book = view.book
    if book is None or not book.bids or not book.asks:
        return "there is no two-sided book"
    if book.closed:
        return book.closed
    if book.is_crossed:
        return "the book is crossed"
    if not (book.bids[0].amount and book.asks[0].amount):
        return "nothing can be traded at the touch"
    age = book.age_seconds(view.now)
    return f"the book is {age:.1f} s old" if age > settings.max_book_age_seconds else ""


def _market(view: View, settings: ScalperSettings) -> str:
    return "" if view.market.active else "the market is closed"


def _latency(view: View, settings: ScalperSettings) -> str:
    if not settings.max_latency_ms or view.median_ms is None or view.median_ms <= settings.max_latency_ms:
        return ""
    return f"the venue takes {view.median_ms:.0f} ms, more than {settings.max_latency_ms}"


def _spread(view: View, settings: ScalperSettings) -> str:
    if not settings.max_spread_pct or view.book is None or view.book.mid is None:
        return ""
    spread = (view.book.asks[0].price - view.book.bids[0].price) / view.book.mid
    if spread <= settings.max_spread_pct:
        return ""
    return f"the spread is {_shown(spread)}, more than {per_cent(settings.max_spread_pct)}"


def _depth(view: View, settings: ScalperSettings) -> str:
    if view.book is None:
        return ""
    touch = min(_cost(view.book.bids[0]), _cost(view.book.asks[0]))
    if touch >= settings.min_touch_cost:
        return ""
    return f"only {plain(round(touch, 8))} {view.market.quote} rest at the touch"


def _funds(view: View, settings: ScalperSettings) -> str:
    if view.free_quote >= settings.min_free_quote:
        return ""
    return f"only {plain(view.free_quote)} {view.market.quote} are free"


def _locks(view: View, settings: ScalperSettings) -> str:
    held = next((lock for lock in view.locks if lock.holds(view.market.symbol, view.now)), None)
    return f"{held.reason}; until {held.until:%H:%M:%S} UTC" if held else ""


def _positions(view: View, settings: ScalperSettings) -> str:
    if view.positions >= settings.most_positions:
        return f"{view.positions} of {settings.most_positions} positions are open"
    if view.connection_positions >= settings.most_connection_positions:
        most = settings.most_connection_positions
        return f"{view.connection_positions} of the connection's {most} positions are open"
    return ""


_GATES: tuple[Gate, ...] = (_market, _book, _locks, _positions, _latency, _spread, _depth, _funds)


# --- The order


def _entry(view: View, settings: ScalperSettings, book: Book, side: Side, why: str) -> Chance:
    market = view.market
    price = touch_price(book, market, side, settings.through_pct)
    if price is None:
        return Chance(reason="there is no two-sided book")
    amount = market.floor_amount(settings.order_cost / price)
    refusal = _too_small(market, price, amount) or _too_dear(view, side, price, amount)
    if refusal:
        return Chance(reason=f"{why}, but {refusal}")
    quote = Quote(side=side, price=price, amount=amount, level=ENTRY, post_only=False, symbol=market.symbol)
    return Chance(quote=quote, reason=f"Opens: {why}.")


def _too_small(market: Market, price: Decimal, amount: Decimal) -> str:
    if amount <= 0 or (market.min_amount is not None and amount < market.min_amount):
        return f"{plain(amount)} {market.base} are less than the venue takes"
    if market.min_cost is not None and price * amount < market.min_cost:
        return f"a cost of {plain(price * amount)} {market.quote} is less than the venue takes"
    return ""


def _too_dear(view: View, side: Side, price: Decimal, amount: Decimal) -> str:
    if side is Side.SELL:
        if view.free_base <= 0:
            return f"no {view.market.base} is held that could be sold"
        short = amount > view.free_base
        return f"only {plain(view.free_base)} {view.market.base} are held" if short else ""
    left = view.free_quote - price * amount * (1 + view.market.taker_fee)
    return f"only {plain(view.free_quote)} {view.market.quote} are free" if left < 0 else ""


def _cost(level: Level) -> Decimal:
    return level.price * level.amount


def _shown(fraction: Decimal) -> str:
    return per_cent(round(fraction, 6))
