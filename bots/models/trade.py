"""One fill, counted once by its venue id: the trade log, from which positions come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q

from bots.models.books import DRY_RUN_HELP, books_in_use
from database.money import MoneyField
from exchanges.types import Liquidity, Side


class TradeQuerySet(models.QuerySet["Trade"]):
    def current(self) -> TradeQuerySet:
        """Those of the books in use."""
        return self.filter(books_in_use("connection"))


class Trade(models.Model):
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="trades", db_index=False
    )
    order = models.ForeignKey("bots.Order", on_delete=models.PROTECT, related_name="trades")
    bot = models.ForeignKey("bots.Bot", on_delete=models.PROTECT, related_name="trades", db_index=False)
    is_dry_run = models.BooleanField(default=False, help_text=DRY_RUN_HELP)
    venue_id = models.CharField(max_length=80)
    symbol = models.CharField(max_length=80)
    side = models.CharField(max_length=4, choices=[(side.value, side.value.capitalize()) for side in Side])
    price = MoneyField()
    amount = MoneyField()
    cost = MoneyField(help_text="Price times amount, in quote currency.")
    fee_amount = MoneyField(default="0")
    fee_currency = models.CharField(max_length=40, blank=True)
    liquidity = models.CharField(
        max_length=5, blank=True, choices=[(kind.value, kind.value.capitalize()) for kind in Liquidity]
    )
    realised_profit = MoneyField(
        default="0", help_text="What this fill earned against the average cost, fees in quote included."
    )
    time = models.DateTimeField(help_text="The venue's time.")
    recorded_at = models.DateTimeField(auto_now_add=True)

    objects = TradeQuerySet.as_manager()

    class Meta:
        ordering = ["-time", "-pk"]
        # Each is a cost of every fill: a bot's and a connection's own serve as their foreign keys' index too,
        # and the constraint begins with what people search for. A real desk's rows are not in the last one.
        indexes = [
            models.Index(fields=["bot", "-time"]),
            models.Index(fields=["connection", "-time"]),
            models.Index(fields=["-time", "-id"]),
            models.Index(fields=["-time"], name="trade_dry_run", condition=Q(is_dry_run=True)),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["venue_id", "connection", "symbol", "is_dry_run"], name="trade_counted_once"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="trade_amount_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.side} {self.amount.normalize():f} {self.symbol} @ {self.price.normalize():f}"
