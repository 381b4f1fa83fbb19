"""What happened to a bot that a person should know."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Severity(models.TextChoices):
    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class BotEvent(models.Model):
    bot = models.ForeignKey(
        "bots.Bot", null=True, blank=True, on_delete=models.CASCADE, related_name="events", db_index=False
    )
    connection = models.ForeignKey(
        "exchanges.ExchangeConnection", on_delete=models.CASCADE, related_name="events", db_index=False
    )
    at = models.DateTimeField()
    severity = models.CharField(max_length=7, choices=Severity, default=Severity.INFO)
    kind = models.CharField(max_length=40, help_text="What sort of event: started, refused, unknown_order, …")
    text = models.TextField(help_text="One sentence: what happened, and what to do.")
    # Not a number up to which all are told: rows appear in another order than they are numbered.
    told = models.BooleanField(
        default=False, db_default=False, help_text="Whether the alerts' rules were asked about it."
    )

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["connection", "-at"]),
            models.Index(fields=["bot", "-at"]),
            models.Index(fields=["-at", "-id"]),
            models.Index(fields=["id"], name="bot_event_untold", condition=Q(told=False)),
        ]

    def __str__(self) -> str:
        return self.text
