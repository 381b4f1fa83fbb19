"""What an account held: when the venue was last asked, hour by hour, and what no trade explains of it."""

from __future__ import annotations

from decimal import Decimal

from django.db import models

from database.money import MoneyField
from exchanges.valuation import Valuation, lines_from_json


class Balance(models.Model):
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="balances"
    )
    currency = models.CharField(max_length=40)
    free = MoneyField()
    used = MoneyField(help_text="Held by open orders.")
    at = models.DateTimeField("as of")

    class Meta:
        ordering = ["connection", "currency"]
        constraints = [
            models.UniqueConstraint(fields=["connection", "currency"], name="balance_once_per_currency")
        ]

    def __str__(self) -> str:
        return f"{self.currency} of {self.connection}"


class BalanceSnapshot(models.Model):
    """One an hour for each connection that answers. They are kept: an hour is one row, whatever is held."""

    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="snapshots"
    )
    hour = models.DateTimeField(help_text="The full hour that it stands for.")
    taken_at = models.DateTimeField("as of")
    quote = models.CharField(max_length=40, help_text="The currency in which the total is counted.")
    total = MoneyField(help_text="Of what has a price.")
    lines = models.JSONField(
        help_text="Each currency: its amount, and the price it was valued at with its time; no price: null."
    )

    class Meta:
        ordering = ["-taken_at", "-pk"]
        indexes = [models.Index(fields=["-taken_at", "-id"])]
        constraints = [
            models.UniqueConstraint(fields=["connection", "hour"], name="balance_snapshot_once_an_hour")
        ]

    def __str__(self) -> str:
        return f"{self.connection} at {self.hour:%Y-%m-%d %H:%M} UTC"

    @property
    def balance_usdt(self) -> Decimal | None:
        """The total where it is counted in USDT."""
        return self.total if self.quote == "USDT" else None

    @property
    def valuation(self) -> Valuation:
        return Valuation(quote=self.quote, lines=lines_from_json(self.lines))


class BalanceBaseline(models.Model):
    """What the account held when all of it was explained, and the last trade that was counted until then."""

    connection = models.OneToOneField(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="baseline", primary_key=True
    )
    totals = models.JSONField(help_text="By currency, as decimal text.")
    last_trade = models.PositiveBigIntegerField(help_text="The number of its row; 0 before the first.")
    at = models.DateTimeField("as of")

    def __str__(self) -> str:
        return f"baseline of {self.connection}"


class UnexplainedChange(models.Model):
    """A change of a balance that no trade of this desk explains: a deposit, a withdrawal. It is no profit."""

    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.PROTECT, related_name="unexplained_changes"
    )
    currency = models.CharField(max_length=40)
    amount = MoneyField(help_text="Negative: the balance fell.")
    since = models.DateTimeField(help_text="All was explained until then.")
    noticed_at = models.DateTimeField()

    class Meta:
        ordering = ["-noticed_at", "-pk"]
        indexes = [models.Index(fields=["-noticed_at", "-id"])]

    def __str__(self) -> str:
        return f"{self.amount.normalize():+f} {self.currency} at {self.connection}"
