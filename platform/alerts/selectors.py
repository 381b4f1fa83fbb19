"""What pages need to know of alerts."""

from __future__ import annotations

from django.contrib.auth.models import AnonymousUser, User

from alerts.models import AlertChannel


def is_told_nothing(person: User | AnonymousUser) -> bool:
    """Whether no channel of theirs is in use."""
    return not AlertChannel.objects.in_use().filter(owner=person.pk).exists()
