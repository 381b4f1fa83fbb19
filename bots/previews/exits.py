"""Where a scalper's exits would stand if it entered its markets now, without asking its venue."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, localcontext

from django.db.models import Max

from bots.markets import shown_markets
from bots.models import PricePoint, ScalperBot
from bots.selectors import known_prices
from bots.strategies.barriers import Watch, price_at_profit
from database.money import rounded
from exchanges.selectors import markets
from exchanges.types import Market, Side


@dataclass(frozen=True, kw_only=True, slots=True)
class EntryPreview:
    """entry: quote per base, the last known price. amount: base, a whole multiple of the lot.

    fee: of each way, as a fraction. Prices of exits, to 18 places: None where there is no such barrier.
    """

    symbol: str
    side: Side
    entry: Decimal
    amount: Decimal
    fee: Decimal
    stop_loss: Decimal | None
    take_profit: Decimal | None
    trailing_from: Decimal | None


@dataclass(frozen=True, kw_only=True, slots=True)
class ExitsPreview:
    """sentence: what it rests on, or what is missing."""

    entries: Sequence[EntryPreview]
    sentence: str


def preview_exits(bot: ScalperBot) -> ExitsPreview:
    """One entry a market and side, of the markets that the bot's page shows."""
    wanted = shown_markets(bot)
    prices = known_prices(bot) | _newest_prices(bot.connection.venue, wanted)
    with localcontext(prec=40):
        entries = [
            _entry(bot, market, side, prices[market.symbol])
            for market in markets(bot.connection.venue, symbols=wanted)
            if market.symbol in prices
            for side in _sides(bot)
        ]
    return ExitsPreview(entries=entries, sentence=_sentence(wanted, entries))


def _newest_prices(venue: str, symbols: Collection[str]) -> dict[str, Decimal]:
    points = PricePoint.objects.filter(venue=venue, symbol__in=symbols)
    newest = points.order_by().values("symbol").annotate(newest=Max("minute")).values("newest")
    return dict(points.filter(minute__in=newest).order_by("minute").values_list("symbol", "price"))


def _sides(bot: ScalperBot) -> Iterator[Side]:
    direction = bot.strategy_settings.direction
    return (side for side in Side if direction.allows(side))


def _entry(bot: ScalperBot, market: Market, side: Side, price: Decimal) -> EntryPreview:
    watch = Watch(side=side, entry=price, fee=market.taker_fee)
    barriers = bot.barriers
    follows = barriers.trailing_delta_pct is not None
    return EntryPreview(
        symbol=market.symbol,
        side=side,
        entry=price,
        amount=market.floor_amount(bot.order_cost / price),
        fee=market.taker_fee,
        stop_loss=_price(watch, None if barriers.stop_loss_pct is None else -barriers.stop_loss_pct),
        take_profit=_price(watch, barriers.take_profit_pct),
        trailing_from=_price(watch, barriers.trailing_activation_pct if follows else None),
    )


def _price(watch: Watch, profit_pct: Decimal | None) -> Decimal | None:
    return None if profit_pct is None else rounded(price_at_profit(watch, profit_pct))


def _sentence(wanted: Collection[str], entries: Sequence[EntryPreview]) -> str:
    known = len({entry.symbol for entry in entries})
    if not wanted:
        return "It names no market and has traded in none yet: start the bot, and look again."
    if not known:
        return "No price of its markets is known yet: start the bot, and look again."
    missing = len(wanted) - known
    rest = f"; {missing} more have no known price" if missing else ""
    return f"From the last known prices of {known} market{'s' if known > 1 else ''}{rest}."
