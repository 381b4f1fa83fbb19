"""What a bot decided last, and why."""

from __future__ import annotations

from django.db import models

from database.money import MoneyField


class Decision(models.Model):
    """One row a bot, written when what it says changes."""

    bot = models.OneToOneField("bots.Bot", on_delete=models.CASCADE, related_name="decision")
    reason = models.TextField()
    reference_price = MoneyField(null=True, blank=True)
    quotes = models.JSONField(default=list, help_text="What should rest: side, price, amount, level.")
    refusals = models.JSONField(default=list, help_text="What the limits refused: quote, rule, sentence.")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return self.reason
