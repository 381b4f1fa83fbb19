"""How a scalper looks after an open position: it follows the price, and closes what has filled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from bots.strategies.barriers import Exit, Watch, due_exit, followed, price_at_profit
from bots.strategies.base import Quote
from bots.strategies.entries import touch_price
from bots.strategies.figures import plain
from bots.strategies.scalper_settings import ScalperSettings
from exchanges.types import Book, Market, OrderType, Side

TAKE_PROFIT, CLOSE = "take profit", "close"
AS_AT_MARKET_PCT = Decimal("0.02")  # how far beyond the touch, where the venue takes no order at market


@dataclass(frozen=True, kw_only=True, slots=True)
class Closing:
    """reason: why; since: when the present price was chosen; tries: prices so far, the present one among
    them."""

    reason: Exit
    since: datetime
    tries: int = 1


@dataclass(frozen=True, kw_only=True, slots=True)
class Trip:
    """An open position, from its first fill on. amount: base, what is held of it and not closed yet.

    exit_price: of the exit that rests while it is being closed; None: none does.
    takes_market_orders: the venue has refused no order at market for it.
    """

    watch: Watch
    amount: Decimal
    opened_at: datetime
    closing: Closing | None = None
    exit_price: Decimal | None = None
    takes_market_orders: bool = True

    @property
    def exit_side(self) -> Side:
        return self.watch.side.opposite


@dataclass(frozen=True, kw_only=True, slots=True)
class Care:
    """trip: as it is to be remembered. quote: the one exit that should rest now; None: none.

    is_dust: what is left is less than the venue takes, so that nothing can close it.
    """

    trip: Trip
    quote: Quote | None = None
    reason: str
    is_dust: bool = False


def look_after(
    trip: Trip, market: Market, book: Book | None, settings: ScalperSettings, now: datetime
) -> Care:
    """What should rest for this position now: never two exits for one amount."""
    if trip.closing is not None:
        return _close(_priced_anew(trip, settings, now), market, book, settings)
    price = _closing_price(trip, book, settings, now)
    if price is None:
        return Care(
            trip=trip,
            quote=_resting_take_profit(trip, market, settings),
            reason=_blind(trip, book, settings, now),
        )
    trip = _decided(trip, price, settings, now)
    if trip.closing is not None:
        return _close(trip, market, book, settings)
    stop = trip.watch.trailing_stop
    follows = f", its trailing stop at {plain(stop)}" if stop is not None else ""
    held = f"Holds {plain(trip.amount)} {market.base} from {plain(trip.watch.entry)}{follows}."
    return Care(trip=trip, quote=_resting_take_profit(trip, market, settings), reason=held)


def _closing_price(trip: Trip, book: Book | None, settings: ScalperSettings, now: datetime) -> Decimal | None:
    """The side of the book at which it would close; None while that is not known well enough to act on."""
    if book is None or book.is_crossed or book.closed:
        return None
    if book.age_seconds(now) > settings.max_book_age_seconds:
        return None
    levels = book.side(trip.exit_side.opposite)
    return levels[0].price if levels else None


def _decided(trip: Trip, price: Decimal, settings: ScalperSettings, now: datetime) -> Trip:
    watch = followed(trip.watch, settings.barriers, price)
    seconds = Decimal(str(max((now - trip.opened_at).total_seconds(), 0.0)))
    reason = due_exit(watch, settings.barriers, price, seconds)
    closing = None if reason is None else Closing(reason=reason, since=now)
    return replace(trip, watch=watch, closing=closing)


def _priced_anew(trip: Trip, settings: ScalperSettings, now: datetime) -> Trip:
    """A clock that stepped back begins the time of the present price anew."""
    closing = trip.closing
    if closing is None or now < closing.since:
        return trip if closing is None else replace(trip, closing=replace(closing, since=now))
    if (now - closing.since).total_seconds() < settings.exit_seconds:
        return trip
    return replace(trip, closing=replace(closing, since=now, tries=closing.tries + 1), exit_price=None)


def _close(trip: Trip, market: Market, book: Book | None, settings: ScalperSettings) -> Care:
    side, closing = trip.exit_side, trip.closing
    why = f"Closes: {_in_words(closing.reason)}" if closing else "Closes"
    amount = market.floor_amount(trip.amount)
    is_last_resort = closing is not None and closing.tries > settings.exit_tries
    at_market = is_last_resort and trip.takes_market_orders
    beyond = settings.through_pct if at_market or not is_last_resort else AS_AT_MARKET_PCT
    price = trip.exit_price
    if price is None and book is not None and not book.is_crossed:
        price = touch_price(book, market, side, max(beyond, settings.through_pct))
    if price is None:
        return Care(trip=trip, reason=f"{why}, but there is no book to price it by.")
    if is_dust(market, price, amount):
        left = plain(trip.amount)
        return Care(
            trip=trip, is_dust=True, reason=f"{left} {market.base} are left, less than the venue takes."
        )
    quote = Quote(
        side=side,
        price=price,
        amount=amount,
        level=CLOSE,
        post_only=False,
        symbol=market.symbol,
        type=OrderType.MARKET if at_market else OrderType.LIMIT,
    )
    return Care(
        trip=trip, quote=quote, reason=f"{why}, {'at market' if at_market else f'at {plain(price)}'}."
    )


def _resting_take_profit(trip: Trip, market: Market, settings: ScalperSettings) -> Quote | None:
    pct = settings.barriers.take_profit_pct
    if pct is None or not settings.rests_take_profit:
        return None
    price = market.round_price(price_at_profit(trip.watch, pct), trip.exit_side)
    amount = market.floor_amount(trip.amount)
    if price <= 0 or is_dust(market, price, amount):
        return None
    return Quote(
        side=trip.exit_side,
        price=price,
        amount=amount,
        level=TAKE_PROFIT,
        post_only=False,
        symbol=market.symbol,
    )


def is_dust(market: Market, price: Decimal, amount: Decimal) -> bool:
    """Less than the venue takes. amount: on the lot."""
    if amount <= 0 or (market.min_amount is not None and amount < market.min_amount):
        return True
    return market.min_cost is not None and amount * price < market.min_cost


def _blind(trip: Trip, book: Book | None, settings: ScalperSettings, now: datetime) -> str:
    """Why no price can be seen at which it would close."""
    if book is None:
        return "Holds; there is no book to look at."
    age = book.age_seconds(now)
    if age > settings.max_book_age_seconds:
        return f"Holds; the book is {age:.1f} s old."
    if book.is_crossed:
        return "Holds; the book is crossed."
    who = "bids" if trip.exit_side is Side.SELL else "asks"
    return f"Holds; {book.closed or f'nobody {who}'}."


def _in_words(reason: Exit) -> str:
    return reason.replace("_", " ")
