"""A past for the desk's demo bots, so that pages show what they show after days; `manage.py shell` runs it.

Prices are those that the demo market had then. Orders, trades, round trips and snapshots are written as a
worker would have left them, and each position ends where it began: a worker goes on from there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

from django.contrib.auth.models import Group, User
from django.utils import timezone

from bots.accounting import Fill, Holding, apply_fill, ratio
from bots.models import Bot, Order, Position, PricePoint, RoundTrip, ScalperBot, SpreadBot, Trade
from config import demo
from exchanges.models import BalanceSnapshot, ExchangeConnection
from exchanges.types import Side
from exchanges.valuation import Line, Price, lines_as_json
from exchanges.venues.demo import FEE, PAIRS, mid_ticks
from tests.e2e.desk import ADMIN_PASSWORD

D = Decimal
WORLD = "botdesk"  # the demo market's seed
DAY, WEEK, MINUTE, HOUR = timedelta(days=1), timedelta(days=7), timedelta(minutes=1), timedelta(hours=1)
QUOTED_EVERY, TRIP_EVERY, TRIP_LASTS = 9 * MINUTE, 37 * MINUTE, 2 * MINUTE
EDGE = D("0.0015")
TRIP_COST = D(200)


def plant() -> None:
    """The two demo bots with a day of trades and a week of balances; people of each role."""
    demo.create_demo_bots()
    now = timezone.now()
    maker, scalper = SpreadBot.objects.get(), ScalperBot.objects.get()
    _quotes(maker, now)
    for symbol in scalper.symbols.split(", "):
        _round_trips(scalper, symbol, now)
    _prices([maker.symbol, *scalper.symbols.split(", ")], now)
    _balances(maker.connection, now)
    for name in ("Operator", "Viewer", "Client"):
        User.objects.create_user(name.lower(), password=ADMIN_PASSWORD).groups.add(
            Group.objects.get(name=name)
        )


def _mid(symbol: str, at: datetime) -> Decimal:
    return mid_ticks(WORLD, symbol, int(at.timestamp() * 1000)) * PAIRS[symbol].market.price_step


def _times(since: datetime, until: datetime, step: timedelta) -> Iterator[datetime]:
    while since < until:
        yield since
        since += step


@dataclass
class Book:
    """Of one bot in one market: what was filled, one after the other."""

    bot: Bot
    symbol: str
    holding: Holding = field(default_factory=Holding)
    orders: list[Order] = field(default_factory=list)
    trades: list[Trade] = field(default_factory=list)

    def fill(self, side: Side, price: Decimal, amount: Decimal, at: datetime, **order: object) -> Trade:
        """An order that was filled at once and as a whole, with its trade."""
        cost = price * amount
        self.holding, earned = apply_fill(
            self.holding, Fill(side=side, amount=amount, cost=cost, fee_quote=cost * FEE)
        )
        number = f"{self.symbol}-{at:%d%H%M%S}-{side}"
        common = {"connection": self.bot.connection, "bot": self.bot, "symbol": self.symbol, "side": side}
        self.orders.append(Order(
            **common, **order, venue_id=number, fence=1, price=price, amount=amount, filled=amount,
            traded=amount, average=price, state="filled", created_at=at - MINUTE, submitted_at=at - MINUTE,
            closed_at=at, settled_at=at,
        ))  # fmt: skip
        self.trades.append(Trade(
            **common, order=self.orders[-1], venue_id=number, price=price, amount=amount, cost=cost,
            fee_amount=cost * FEE, fee_currency="USDT", liquidity="maker", realised_profit=earned, time=at,
        ))  # fmt: skip
        return self.trades[-1]

    def save(self) -> None:
        Order.objects.bulk_create(self.orders)
        Trade.objects.bulk_create(self.trades)
        today = timezone.now().replace(hour=0, minute=0, second=0, microsecond=0)
        before = sum((D(trade.realised_profit) for trade in self.trades if trade.time < today), D(0))
        position = Position(bot=self.bot, symbol=self.symbol, day=today.date(), day_start_profit=before)
        position.holding = self.holding
        position.save()


def _quotes(bot: SpreadBot, now: datetime) -> None:
    """A bid that filled, and an ask that filled a little later."""
    book, market = Book(bot, bot.symbol), PAIRS[bot.symbol].market
    for at in _times(now - DAY, now - QUOTED_EVERY, QUOTED_EVERY):
        for side, when, factor in (
            (Side.BUY, at, 1 - EDGE),
            (Side.SELL, at + QUOTED_EVERY / 2, 1 + EDGE),
        ):
            price = market.round_price(_mid(bot.symbol, when) * factor, side)
            level = "bid 1" if side is Side.BUY else "ask 1"
            book.fill(side, price, D(bot.order_amount), when, level=level, post_only=True)
    book.save()


def _round_trips(bot: ScalperBot, symbol: str, now: datetime) -> None:
    book, market = Book(bot, symbol), PAIRS[symbol].market
    first = now - DAY + len(symbol) * HOUR / 7
    for at in _times(first, now - TRIP_EVERY, TRIP_EVERY * 3):
        bought, sold = _mid(symbol, at), _mid(symbol, at + TRIP_LASTS)
        entry = market.round_price(bought, Side.BUY)
        amount = market.floor_amount(TRIP_COST / entry)
        trip = _trip(bot, symbol, at)
        book.fill(Side.BUY, entry, amount, at, round_trip=trip)
        book.fill(Side.SELL, market.round_price(sold, Side.SELL), amount, at + TRIP_LASTS, round_trip=trip)
        _close(trip, *book.trades[-2:])
    book.save()


def _trip(bot: ScalperBot, symbol: str, at: datetime) -> RoundTrip:
    trip: RoundTrip = RoundTrip.objects.create(
        bot=bot, connection=bot.connection, symbol=symbol, side=Side.BUY, state="closed",
        created_at=at - MINUTE, opened_at=at, closed_at=at + TRIP_LASTS,
        opened_because=f"{symbol} moved by more than 0.08 % within 30 s.",
    )  # fmt: skip
    return trip


def _close(trip: RoundTrip, entry: Trade, leave: Trade) -> None:
    profit = D(entry.realised_profit) + D(leave.realised_profit)
    trip.entered, trip.entry_cost, trip.entry_fees = entry.amount, entry.cost, entry.fee_amount
    trip.exited, trip.exit_cost = leave.amount, leave.cost
    trip.realised_profit, trip.fees_quote = profit, D(entry.fee_amount) + D(leave.fee_amount)
    trip.profit_pct = ratio(profit, D(entry.cost) + D(entry.fee_amount))
    trip.closing = "take_profit" if profit > 0 else "time_limit"
    trip.save()


def _prices(symbols: list[str], now: datetime) -> None:
    PricePoint.objects.bulk_create(
        PricePoint(venue="demo", symbol=symbol, minute=minute, price=_mid(symbol, minute))
        for symbol in symbols
        for minute in _times((now - DAY).replace(second=0, microsecond=0), now, MINUTE)
    )


def _balances(connection: ExchangeConnection, now: datetime) -> None:
    """What the account held was worth more or less as the market moved."""
    for hour in _times((now - WEEK).replace(minute=0, second=0, microsecond=0), now - HOUR, HOUR):
        price = Price(value=_mid("BTC/USDT", hour), at=hour, symbol="BTC/USDT")
        lines = [
            Line(currency="USDT", amount=D(10000), price=Price(value=D(1), at=hour, symbol="USDT")),
            Line(currency="BTC", amount=D("0.1"), price=price),
        ]
        BalanceSnapshot.objects.create(
            connection=connection, hour=hour, taken_at=hour, quote="USDT",
            total=D(10000) + price.value / 10, lines=lines_as_json(lines),
        )  # fmt: skip
