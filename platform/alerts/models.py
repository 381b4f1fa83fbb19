"""Where messages to people go, what they are told of, and the messages themselves."""

from __future__ import annotations

import uuid
from typing import Any
from zoneinfo import available_timezones

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from alerts.notices import QuietHours
from vault.fields import EncryptedField


def check_time_zone(name: str) -> None:
    if name not in available_timezones():
        raise ValidationError(
            f"“{name}” is no time zone: write it as Europe/Berlin, America/New_York or UTC."
        )


class Severity(models.TextChoices):
    INFO = "info", "Info"
    WARNING = "warning", "Warning"
    ERROR = "error", "Error"


class InUse(models.QuerySet[Any]):
    def in_use(self) -> InUse:
        return self.filter(enabled=True, archived_at=None)


class AlertChannel(models.Model):
    """One address of a person: a chat, a mailbox, a webhook. Apprise knows the services."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text="What people call it, for example “Night shift”.")
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    url = EncryptedField(verbose_name="address")
    service = models.CharField(max_length=80, editable=False, help_text="As Apprise calls it.")
    time_zone = models.CharField(
        max_length=60,
        default="UTC",
        validators=[check_time_zone],
        help_text="Of quiet hours and of the daily report: Europe/Berlin, America/New_York, UTC.",
    )
    report_hour = models.PositiveSmallIntegerField(
        "hour of the daily report",
        null=True,
        blank=True,
        validators=[MaxValueValidator(23)],
        help_text="0 to 23, in that time zone. Empty: no report.",
    )
    enabled = models.BooleanField(default=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    last_report_on = models.DateField(null=True, blank=True, editable=False)
    last_result = models.TextField(blank=True, editable=False, help_text="What came of the last message.")
    last_result_at = models.DateTimeField(null=True, blank=True, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row.")
    retry_at = models.DateTimeField(null=True, blank=True, editable=False)

    objects = InUse.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "alert channel"
        permissions = [("test_alertchannel", "Can test alert channels")]
        constraints = [
            models.UniqueConstraint(
                Lower("name"),
                "owner",
                name="alert_channel_name_unique_per_owner",
                violation_error_message="You have a channel of this name already.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AlertRule(models.Model):
    """What its channel is told of."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text="For example “Errors of the Kraken bots”.")
    channel = models.ForeignKey(AlertChannel, on_delete=models.PROTECT, related_name="rules")
    kinds = models.JSONField(
        default=list, blank=True, help_text="Kinds of events, as the list of events has them. None: all."
    )
    least_severity = models.CharField(max_length=7, choices=Severity, default=Severity.WARNING)
    # Opaque here, and none of them means all: of what the channel's owner may see.
    connection_id = models.UUIDField(null=True, blank=True)
    bot_id = models.UUIDField(null=True, blank=True)
    owner_scope = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="+",
        verbose_name="owner",
        help_text="Of whose connections. Empty: all that the channel's owner sees.",
    )
    cooldown_seconds = models.PositiveIntegerField(
        default=300,
        validators=[MaxValueValidator(86_400)],
        help_text="After a message, more of its kind at that connection waits so long, and goes as one.",
    )
    quiet_from = models.TimeField(null=True, blank=True, help_text="In the channel's time zone.")
    quiet_until = models.TimeField(
        null=True, blank=True, help_text="What happens in quiet hours is sent after them, as one summary."
    )
    errors_wait = models.BooleanField(
        "errors wait too", default=False, help_text="Else errors are sent in quiet hours as well."
    )
    enabled = models.BooleanField(default=True)
    archived_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = InUse.as_manager()

    class Meta:
        ordering = ["name"]
        verbose_name = "alert rule"

    def __str__(self) -> str:
        return self.name

    @property
    def quiet_hours(self) -> QuietHours | None:
        if self.quiet_from is None or self.quiet_until is None:
            return None
        return QuietHours(start=self.quiet_from, end=self.quiet_until, zone=self.channel.time_zone)


class MessageState(models.TextChoices):
    WAITING = "waiting", "Waiting"
    SENDING = "sending", "Sending"
    SENT = "sent", "Sent"
    FAILED = "failed", "Failed"
    DROPPED = "dropped", "Dropped"


class AlertMessage(models.Model):
    """The outbox. While it waits, more of its kind joins it."""

    channel = models.ForeignKey(AlertChannel, on_delete=models.CASCADE, related_name="messages")
    rule = models.ForeignKey(
        AlertRule, null=True, blank=True, on_delete=models.CASCADE, related_name="messages"
    )
    key = models.CharField(max_length=90, help_text="What more is joined with it.")
    title = models.CharField(max_length=200)
    lines = models.JSONField(default=list, help_text="What it tells, the first few.")
    count = models.PositiveIntegerField(default=1, help_text="How many it tells of.")
    severity = models.CharField(max_length=7, choices=Severity, default=Severity.INFO)
    url = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=7, choices=MessageState, default=MessageState.WAITING)
    created_at = models.DateTimeField()
    not_before = models.DateTimeField()
    claimed_until = models.DateTimeField(null=True, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    last_error = models.TextField(blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = "alert message"
        indexes = [
            models.Index(fields=["rule", "key", "-created_at"]),
            models.Index(
                fields=["not_before"],
                name="alert_message_unsent",
                condition=Q(state__in=[MessageState.WAITING, MessageState.SENDING]),
            ),
        ]

    def __str__(self) -> str:
        return self.title
