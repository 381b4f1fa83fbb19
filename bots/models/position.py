"""What a bot holds of one market: the sum of its trades, kept beside them."""

from __future__ import annotations

from dataclasses import fields
from decimal import Decimal

from django.db import models

from bots.accounting import Holding
from bots.models.books import DRY_RUN_HELP, books_in_use
from database.money import MoneyField


class PositionQuerySet(models.QuerySet["Position"]):
    def current(self) -> PositionQuerySet:
        """Those of the books in use."""
        return self.filter(books_in_use("bot__connection"))


class Position(models.Model):
    """Written in the transaction that records a trade; `bots.accounting` does the sums."""

    bot = models.ForeignKey("bots.Bot", on_delete=models.PROTECT, related_name="positions")
    is_dry_run = models.BooleanField(default=False, help_text=DRY_RUN_HELP)
    symbol = models.CharField(max_length=80)
    amount = MoneyField(default="0", help_text="Base currency; negative: sold more than bought.")
    cost = MoneyField(default="0", help_text="What the amount cost at average, in quote currency.")
    realised_profit = MoneyField(default="0", help_text="In quote currency, after fees paid in it.")
    fees_quote = MoneyField(default="0", help_text="Fees paid in quote currency.")
    fees_base = MoneyField(default="0", help_text="Fees paid in base currency; the amount is after them.")
    mark_price = MoneyField(null=True, blank=True, help_text="The reference price that was seen last.")
    marked_at = models.DateTimeField(null=True, blank=True)
    day = models.DateField(null=True, blank=True, help_text="The UTC day that the next column speaks of.")
    day_start_profit = MoneyField(default="0", help_text="Realised and unrealised profit as that day began.")
    updated_at = models.DateTimeField(auto_now=True)

    objects = PositionQuerySet.as_manager()

    class Meta:
        ordering = ["bot", "symbol"]
        constraints = [
            models.UniqueConstraint(fields=["bot", "symbol", "is_dry_run"], name="position_once_per_market")
        ]

    def __str__(self) -> str:
        return f"{self.symbol} of {self.bot}"

    @property
    def holding(self) -> Holding:
        return Holding(
            amount=Decimal(self.amount),
            cost=Decimal(self.cost),
            realised_profit=Decimal(self.realised_profit),
            fees_quote=Decimal(self.fees_quote),
            fees_base=Decimal(self.fees_base),
        )

    @holding.setter
    def holding(self, holding: Holding) -> None:
        for column in fields(holding):
            setattr(self, column.name, getattr(holding, column.name))
