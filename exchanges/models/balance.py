"""What the account held when the venue was last asked."""

from __future__ import annotations

from django.db import models

from database.money import MoneyField


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
