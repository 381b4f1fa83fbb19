"""The one way to write an audit row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.contrib.auth.models import User
from django.db import models

from audit.models import AuditEntry

_through: ContextVar[str] = ContextVar("through", default="")


@contextmanager
def acting_in_person() -> Iterator[None]:
    """Around a request: whatever is named within by `act_through` is forgotten at its end."""
    mark = _through.set("")
    try:
        yield
    finally:
        _through.reset(mark)


def act_through(what: str) -> None:
    """What acts for the person from now on, an API token for example: audit rows name it."""
    _through.set(what)


def record(
    *,
    actor: User | None,
    action: str,
    target: models.Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Call it in the transaction that does the thing. `before` and `after` hold what changed, no secrets."""
    return AuditEntry.objects.create(
        actor=actor,
        through=_through.get(),
        action=action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_name=str(target)[:200],
        before=dict(before or {}),
        after=dict(after or {}),
    )
