"""A worker process that runs a part of the desk."""

from __future__ import annotations

from django.db import models


class Runtime(models.Model):
    """One row a living process: who it is and when it was last heard of (the database's clock)."""

    id = models.UUIDField(primary_key=True)
    host = models.CharField(max_length=200)
    boot_id = models.CharField(max_length=40)
    pid = models.PositiveIntegerField()
    process_started = models.CharField(
        max_length=40, help_text="Tells a process from a later one of its number."
    )
    started_at = models.DateTimeField()
    heartbeat_at = models.DateTimeField()
    is_dry_run = models.BooleanField(default=False, help_text="DRY_RUN is set in its environment.")

    class Meta:
        ordering = ["started_at"]

    def __str__(self) -> str:
        return f"{self.host}/{self.pid}"
