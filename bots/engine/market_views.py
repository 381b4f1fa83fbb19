"""What people look at: the books of the pages that are open now, and a price a minute of markets in use.

While nobody looks, no book is written. No venue is asked for any of it: it is what the bots have seen anyway.
It is for eyes only, so it needs no lease: an older book never takes the place of a newer one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from bots.engine.feed import Feed
from bots.engine.sheet import Sheet
from bots.models import MarketView, PricePoint
from database.standing import Standing
from exchanges.types import Book, Level

SHOW_SECONDS = 2.0
PRICE_SECONDS = 60.0
SHOWN_LEVELS = 20


@lru_cache(maxsize=4)
def _question(connection_ids: tuple[UUID, ...]) -> Standing[MarketView]:
    looked_at = MarketView.objects.filter(connection__in=connection_ids, wanted_until__gt=Now())
    return Standing(looked_at.only("connection_id", "symbol", "seen_at"))


def looked_at(connection_ids: Collection[UUID]) -> list[MarketView]:
    """Those of these connections' markets that somebody looks at now."""
    return _question(tuple(connection_ids)).ask()


def show(books: Iterable[tuple[MarketView, Book]]) -> None:
    """One statement for each that is newer than what is shown."""
    for view, book in books:
        is_newer = Q(seen_at=None) | Q(seen_at__lt=book.time)
        MarketView.objects.filter(is_newer, pk=view.pk).update(
            bids=_rows(book.bids), asks=_rows(book.asks), seen_at=book.time
        )


def prices_seen(feed: Feed, sheets: Iterable[Sheet], now: datetime) -> dict[str, Decimal]:
    """By symbol, the middles of those books that are no older than a minute."""
    books = (feed.last_book(symbol) for sheet in sheets for symbol in sheet.shown_symbols)
    fresh = (book for book in books if book and book.age_seconds(now) <= PRICE_SECONDS)
    return {book.symbol: book.mid for book in fresh if book.mid is not None and not book.is_crossed}


def keep_prices(prices: Mapping[tuple[str, str], Decimal], at: datetime) -> None:
    """prices: by venue and symbol. In one statement; the first of a minute stays."""
    minute = at.replace(second=0, microsecond=0)
    PricePoint.objects.bulk_create(
        (
            PricePoint(venue=venue, symbol=symbol, minute=minute, price=price)
            for (venue, symbol), price in prices.items()
        ),
        ignore_conflicts=True,
    )


def _rows(levels: Iterable[Level]) -> list[list[str]]:
    return [[f"{level.price:f}", f"{level.amount:f}"] for level in list(levels)[:SHOWN_LEVELS]]
