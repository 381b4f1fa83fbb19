"""What a bot's page shows of its markets: their names, the book with the bot's own orders, the inventory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from bots.models import AnyBot, MarketView, Order, Position, RoundTrip, SpreadBot
from exchanges.models import Balance
from exchanges.types import ZERO, Side

Own = dict[tuple[str, Decimal], Decimal]  # by side and price: base

SHOWN_LEVELS = 10
SHOWN_MARKETS = 30


@dataclass(frozen=True, kw_only=True)
class ShownLevel:
    """own: base, what of it is the bot's. share: of the largest amount that is shown, 0 to 1."""

    price: Decimal
    amount: Decimal
    own: Decimal
    share: Decimal


@dataclass(frozen=True, kw_only=True)
class ShownBook:
    """The best first. seen_at: None before a worker has shown it."""

    bids: Sequence[ShownLevel]
    asks: Sequence[ShownLevel]
    seen_at: datetime | None

    @property
    def mid(self) -> Decimal | None:
        return (self.bids[0].price + self.asks[0].price) / 2 if self.bids and self.asks else None

    @property
    def spread_pct(self) -> Decimal | None:
        """A fraction of the middle: 0.01 is one per cent."""
        return (self.asks[0].price - self.bids[0].price) / self.mid if self.mid else None


@dataclass(frozen=True, kw_only=True)
class Inventory:
    """share: of base in the value of base and quote, 0 to 1. target: None where the bot does not mind."""

    share: Decimal
    target: Decimal | None


def shown_markets(bot: AnyBot) -> list[str]:
    """A spread bot's one; of a scalper those of its open positions, of its list, and where it has traded."""
    if isinstance(bot, SpreadBot):
        return [bot.symbol]
    trips = RoundTrip.objects.current().at_work().filter(bot=bot).values_list("symbol", flat=True)
    traded = Position.objects.current().filter(bot=bot).values_list("symbol", flat=True)[:SHOWN_MARKETS]
    return list(dict.fromkeys([*trips, *bot.listed_symbols, *traded]))[:SHOWN_MARKETS]


def shown_book(bot: AnyBot, symbol: str, orders: Iterable[Order]) -> ShownBook:
    """orders: the bot's live ones."""
    view = MarketView.objects.filter(connection=bot.connection_id, symbol=symbol).first()
    if view is None:
        return ShownBook(bids=(), asks=(), seen_at=None)
    own: Own = defaultdict(Decimal)
    for order in orders:
        if order.symbol == symbol and order.price is not None:
            own[order.side, order.price] += order.amount - order.filled
    bids, asks = (_levels(rows) for rows in (view.bids, view.asks))
    largest = max([amount for _, amount in (*bids, *asks)], default=ZERO)
    return ShownBook(
        bids=_side(Side.BUY, bids, own, largest),
        asks=_side(Side.SELL, asks, own, largest),
        seen_at=view.seen_at,
    )


def inventory(bot: SpreadBot) -> Inventory | None:
    """At the last mark; None while that or the balances are not known, and in a dry run, which has others."""
    position = Position.objects.current().filter(bot=bot, symbol=bot.symbol).first()
    if bot.connection.is_dry_run or position is None or position.mark_price is None:
        return None
    base, _, quote = bot.symbol.partition("/")
    rows = Balance.objects.filter(connection=bot.connection_id, currency__in=[base, quote])
    held = {row.currency: row.free + row.used for row in rows}
    value = held.get(base, ZERO) * position.mark_price
    total = value + held.get(quote, ZERO)
    if total <= 0:
        return None
    target = Decimal(bot.inventory_target_pct) if bot.inventory_skew else None
    return Inventory(share=value / total, target=target)


def _levels(rows: Iterable[Sequence[str]]) -> list[tuple[Decimal, Decimal]]:
    return [(Decimal(price), Decimal(amount)) for price, amount in list(rows)[:SHOWN_LEVELS]]


def _side(side: Side, levels: list[tuple[Decimal, Decimal]], own: Own, largest: Decimal) -> list[ShownLevel]:
    """The best levels, and below them those where the bot's own orders rest; of these its own is all that is
    known."""
    known = {price for price, _ in levels}
    beyond = [(price, amount) for (its, price), amount in own.items() if its == side and price not in known]
    beyond.sort(reverse=side is Side.BUY)
    return [
        ShownLevel(
            price=price,
            amount=amount,
            own=own.get((side.value, price), ZERO),
            share=min(amount / largest, Decimal(1)) if largest else ZERO,
        )
        for price, amount in (*levels, *beyond[:SHOWN_LEVELS])
    ]
