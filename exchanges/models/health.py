"""How a connection's venue answers, as its worker saw it last."""

from __future__ import annotations

from django.db import models

from exchanges.health import Grade, State


class ConnectionHealth(models.Model):
    """One row a connection, from its worker's first look on. Requests and errors are of the last minutes
    (`exchanges.health.WINDOW_SECONDS`); latencies are of answers, in ms."""

    STATES = [(State.CLOSED, "Closed"), (State.OPEN, "Open"), (State.HALF_OPEN, "Half-open")]
    GRADES = [(Grade.GOOD, "Good"), (Grade.FAIR, "Fair"), (Grade.POOR, "Poor")]

    connection = models.OneToOneField(
        "exchanges.ExchangeConnection", on_delete=models.CASCADE, related_name="health", primary_key=True
    )
    score = models.PositiveSmallIntegerField(help_text="0 to 100.")
    grade = models.CharField(max_length=4, choices=GRADES)
    state = models.CharField("breaker", max_length=9, choices=STATES)
    median_ms = models.PositiveIntegerField(null=True)
    p95_ms = models.PositiveIntegerField(null=True)
    requests = models.PositiveIntegerField()
    errors = models.PositiveIntegerField()
    error_rate = models.FloatField(help_text="From 0 to 1.")
    budget_used = models.FloatField(help_text="Of the rate limit, from 0 to 1.")
    cause = models.TextField(blank=True, help_text="The last error, in one sentence.")
    unanswered_since = models.DateTimeField(
        null=True, help_text="The last answer before the errors of now; empty while it answers."
    )
    silent_since = models.DateTimeField(
        null=True, help_text="When it had not answered for so long that its bots were stopped."
    )
    changed_at = models.DateTimeField(help_text="When grade or breaker changed last.")
    updated_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"health of {self.connection}"
