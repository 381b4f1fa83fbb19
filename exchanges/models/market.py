"""A venue's market list, kept so that the web process knows steps and minimums without asking anyone."""

from __future__ import annotations

from django.db import models

from database.money import MoneyField


class Market(models.Model):
    """The row behind `exchanges.types.Market`, which has the rules."""

    venue = models.SlugField(max_length=40)
    symbol = models.CharField(max_length=80)
    base = models.CharField(max_length=40)
    quote = models.CharField(max_length=40)
    price_step = MoneyField()
    amount_step = MoneyField()
    price_digits = models.PositiveSmallIntegerField(null=True, blank=True)
    min_amount = MoneyField(null=True, blank=True)
    max_amount = MoneyField(null=True, blank=True)
    min_cost = MoneyField(null=True, blank=True)
    maker_fee = MoneyField()
    taker_fee = MoneyField()
    active = models.BooleanField(default=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ["venue", "symbol"]
        constraints = [models.UniqueConstraint(fields=["venue", "symbol"], name="market_once_per_venue")]

    def __str__(self) -> str:
        return f"{self.symbol} at {self.venue}"
