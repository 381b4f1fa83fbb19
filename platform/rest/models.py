"""Who may ask the API, and what was answered to requests that act."""

from __future__ import annotations

import uuid
from datetime import timedelta

from django.conf import settings
from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken


class Scope(models.TextChoices):
    READ = "read", "Read: it sees what its owner sees"
    CONTROL = "control", "Control: it may also do what its owner may do"


class ApiToken(AbstractAuthToken):  # type: ignore[misc]  # knox is not typed
    """A key to the API. The token itself is shown once, when it is made; its hash is all that is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80, help_text="What uses it, for example “Grafana”.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="api_tokens", verbose_name="owner"
    )
    scope = models.CharField(max_length=7, choices=Scope, default=Scope.READ)
    digest = models.CharField(max_length=128, unique=True, editable=False)
    token_key = models.CharField(
        "begins with",
        max_length=25,
        editable=False,
        help_text="Enough to tell it from others, not to use it.",
    )
    created = models.DateTimeField(auto_now_add=True)
    expiry = models.DateTimeField(
        "expires", null=True, blank=True, help_text="UTC. Empty: it does not expire."
    )
    last_used_at = models.DateTimeField(
        null=True, blank=True, editable=False, help_text="To the minute; empty: never."
    )
    revoked_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        ordering = ["-created", "-pk"]
        verbose_name = "API token"
        permissions = [("manage_apitokens", "Can make API tokens for others, and see and revoke everybody's")]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name"],
                name="api_token_name_unique_per_owner",
                violation_error_message="This owner has a token of this name already.",
            )
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()


class StoredAnswer(models.Model):
    """What was answered to a request with an Idempotency-Key; while `status` is empty, it is being done."""

    KEPT = timedelta(hours=24)

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, help_text="SHA-256 of method, address and body.")
    status = models.PositiveSmallIntegerField(null=True)
    body = models.TextField(blank=True, default="", help_text="As it was sent, in JSON.")
    created_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "key"], name="stored_answer_once_per_key"),
        ]

    def __str__(self) -> str:
        return f"answer to {self.key}"
