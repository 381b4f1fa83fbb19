"""One row of everything that the API shows, of one owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import User
from django.utils import timezone

from bots.models import (
    BotEvent,
    Decision,
    Order,
    Position,
    RoundTrip,
    ScalperBot,
    SpreadBot,
    Trade,
)
from exchanges.models import Balance, BalanceSnapshot, ExchangeConnection, Market, UnexplainedChange
from tests.bots.scalpers import a_scalper, an_open_trip
from tests.desk.pages import a_health

D = Decimal
SEEN = "2026-11-25T10:00:00+00:00"
LINES = [
    {"currency": "USDT", "amount": "1000", "price": "1", "price_at": SEEN, "symbol": ""},
    {
        "currency": "BTC", "amount": "0.5", "price": "100", "price_at": SEEN,
        "symbol": "BTC/USDT",
    },
]  # fmt: skip


@dataclass(frozen=True)
class Desk:
    owner: User
    connection: ExchangeConnection
    spread: SpreadBot
    scalper: ScalperBot
    order: Order
    trade: Trade
    trip: RoundTrip


def a_desk(owner: User, name: str = "Main", **connection: Any) -> Desk:
    """At the demo venue, on paper: 1000 USDT and 0.5 BTC at 100, a position, a trade that earned 1.5."""
    now = timezone.now()
    place = ExchangeConnection.objects.create(
        name=name, owner=owner, **({"venue": "demo", "paper_balances": {"USDT": "1000"}} | connection)
    )
    spread = a_spread_bot(place)
    scalper = a_scalper(place)
    order = an_order(spread, state="filled", filled=D("0.5"), closed_at=now, settled_at=now)
    trade = a_trade(order, "1")
    Position.objects.create(bot=spread, symbol="BTC/USDT", amount=D("0.5"), cost=D(50), mark_price=D(101))
    Balance.objects.create(connection=place, currency="USDT", free=D(900), used=D(100), at=now)
    Balance.objects.create(connection=place, currency="BTC", free=D("0.5"), used=D(0), at=now)
    place.balances_at = now
    place.last_snapshot = BalanceSnapshot.objects.create(
        connection=place, hour=now, taken_at=now, quote="USDT", total=D(1050), lines=LINES
    )
    place.save()
    UnexplainedChange.objects.create(
        connection=place, currency="USDT", amount=D(5), since=now, noticed_at=now
    )
    Decision.objects.create(bot=spread, reason="2 quotes around 100", at=now)
    BotEvent.objects.create(bot=spread, connection=place, at=now, kind="started", text="Started.")
    a_health(place)
    Market.objects.get_or_create(
        venue="demo", symbol="BTC/USDT", base="BTC", quote="USDT",
        defaults={name: D("0.01") for name in ("price_step", "amount_step")}
        | {name: D("0.001") for name in ("maker_fee", "taker_fee")},
    )  # fmt: skip
    return Desk(owner, place, spread, scalper, order, trade, an_open_trip(scalper))


def a_spread_bot(connection: ExchangeConnection, name: str = "Maker", **settings: Any) -> SpreadBot:
    known = {
        "symbol": "BTC/USDT", "bid_spread_pct": D("0.01"), "ask_spread_pct": D("0.01"),
        "order_amount": D("0.5"),
    }  # fmt: skip
    return SpreadBot.objects.create(name=name, connection=connection, **(known | settings))


def an_order(bot: SpreadBot, **fields: Any) -> Order:
    known = {
        "fence": 1, "symbol": bot.symbol, "side": "buy", "price": D(100), "amount": D("0.5"), "state": "open",
        "created_at": timezone.now(),
    }  # fmt: skip
    return Order.objects.create(connection=bot.connection, bot=bot, **(known | fields))


def a_trade(order: Order, venue_id: str, *, profit: str = "1.5", time: datetime | None = None) -> Trade:
    return Trade.objects.create(
        connection=order.connection, bot=order.bot, order=order, venue_id=venue_id, symbol=order.symbol,
        side=order.side, price=D(100), amount=D("0.5"), cost=D(50), fee_amount=D("0.05"),
        fee_currency="USDT", realised_profit=D(profit), time=time or timezone.now(),
    )  # fmt: skip
