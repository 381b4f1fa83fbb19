"""What the processes of a desk agree on about an address at a venue."""

from __future__ import annotations

from django.db import models


class AddressBudget(models.Model):
    """One venue's limit for one way out. Whoever changes it locks the row first; times are the database's."""

    venue = models.SlugField(max_length=40)
    route = models.CharField(
        max_length=64,
        blank=True,
        help_text="A digest of the proxy without its password; empty: none.",
    )
    held = models.JSONField(default=dict, help_text="By process: its part, what it wants, until when.")
    paused_until = models.DateTimeField(
        null=True, blank=True, help_text="The venue asked for no requests from this address until then."
    )
    speed = models.FloatField(default=1.0, help_text="What of the budget was used at the last refusal.")
    slowed_at = models.DateTimeField(null=True, blank=True)
    updated_at = models.DateTimeField()

    class Meta:
        ordering = ["venue", "route"]
        constraints = [
            models.UniqueConstraint(fields=["venue", "route"], name="address_budget_once_per_way_out")
        ]

    def __str__(self) -> str:
        return f"{self.venue} by {self.route[:8] or 'no proxy'}"
