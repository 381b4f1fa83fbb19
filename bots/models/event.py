"""What happened to a bot that a person should know."""

from __future__ import annotations

from django.db import models


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

    class Meta:
        ordering = ["-at", "-pk"]
        indexes = [
            models.Index(fields=["connection", "-at"]),
            models.Index(fields=["bot", "-at"]),
            models.Index(fields=["-at", "-id"]),
        ]

    def __str__(self) -> str:
        return self.text
