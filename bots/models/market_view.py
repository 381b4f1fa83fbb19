"""What people see of a market: its book while somebody looks, and a price a minute for a day."""

from __future__ import annotations

from datetime import timedelta

from django.db import models

from database.money import MoneyField


class MarketView(models.Model):
    """The book of one market as a worker saw it last, written while somebody looks at it.

    bids, asks: the best first, [price, amount] each as decimal text.
    """

    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.CASCADE, related_name="market_views"
    )
    symbol = models.CharField(max_length=80)
    wanted_until = models.DateTimeField(help_text="Somebody looks until then, unless they say so again.")
    bids = models.JSONField(default=list)
    asks = models.JSONField(default=list)
    seen_at = models.DateTimeField(null=True, help_text="The time of the book; empty before the first.")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["connection", "symbol"], name="market_view_once_per_market")
        ]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.connection}"


class PricePoint(models.Model):
    """The middle of a market's book, once a minute while a bot is at work in it."""

    KEPT = timedelta(days=1)

    venue = models.CharField(max_length=40)
    symbol = models.CharField(max_length=80)
    minute = models.DateTimeField(help_text="The full minute that it stands for.")
    price = MoneyField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["venue", "symbol", "minute"], name="price_point_once_a_minute")
        ]
        indexes = [models.Index(fields=["minute"])]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.venue}: {self.price.normalize():f}"
