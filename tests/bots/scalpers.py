"""Scalpers and their round trips, as tests of the doors need them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.utils import timezone

from bots import services
from bots.models import Order, RoundTrip, ScalperBot
from exchanges.models import ExchangeConnection, Market

D = Decimal
SETTINGS: dict[str, Any] = {
    "name": "Scalper", "symbols": "BTC/USDT", "order_cost": D(50), "entry_move_pct": D("0.005"),
    "stop_loss_pct": D("0.01"), "take_profit_pct": D("0.02"),
}  # fmt: skip


def a_scalper(connection: ExchangeConnection, **settings: Any) -> ScalperBot:
    return services.create_scalper_bot(actor=None, **(SETTINGS | {"connection": connection} | settings))


def a_market(symbol: str = "BTC/USDT", **rules: Any) -> Market:
    base, _, quote = symbol.partition("/")
    known = {
        "venue": "binance", "symbol": symbol, "base": base, "quote": quote, "price_step": D("0.01"),
        "amount_step": D("0.001"), "min_cost": D(10), "maker_fee": D("0.001"), "taker_fee": D("0.001"),
    }  # fmt: skip
    return Market.objects.create(**(known | rules))


def an_open_trip(bot: ScalperBot, **fields: Any) -> RoundTrip:
    """0.5 BTC bought at 100."""
    now = timezone.now()
    opened = {
        "symbol": "BTC/USDT", "side": "buy", "state": "open", "amount": D("0.5"), "cost": D("50.05"),
        "entered": D("0.5"), "entry_cost": D(50), "entry_fees": D("0.05"), "fees_quote": D("0.05"),
        "opened_because": "It moved by 0.6 % in 60 s.", "created_at": now, "opened_at": now,
    }  # fmt: skip
    return RoundTrip.objects.create(bot=bot, connection=bot.connection, **(opened | fields))


def a_closed_trip(bot: ScalperBot, profit: str = "1.4", **fields: Any) -> RoundTrip:
    """0.5 BTC bought at 100, held for 200 s and sold at 103."""
    now = timezone.now()
    closed = {
        "state": "closed", "amount": D(0), "cost": D(0), "exited": D("0.5"), "exit_cost": D("51.5"),
        "realised_profit": D(profit), "profit_pct": D(profit) / D("50.05"), "closing": "take_profit",
        "opened_at": now - timedelta(seconds=200), "closed_at": now,
    }  # fmt: skip
    return an_open_trip(bot, **(closed | fields))


def its_order(trip: RoundTrip, side: str, venue_id: str, **fields: Any) -> Order:
    known = {
        "fence": 1, "symbol": trip.symbol, "price": D(100), "amount": D("0.5"), "filled": D("0.5"),
        "created_at": timezone.now(), "state": "filled", "settled_at": timezone.now(),
    }  # fmt: skip
    return Order.objects.create(
        connection=trip.connection, bot=trip.bot, round_trip=trip, side=side, venue_id=venue_id,
        **(known | fields),
    )  # fmt: skip
