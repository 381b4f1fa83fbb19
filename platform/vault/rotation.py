"""Puts stored secrets under the first key, a batch in a transaction, beside a running desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.db import models, transaction
from django.db.models import ExpressionWrapper, F, TextField

from vault.fields import EncryptedField
from vault.keyring import SecretUnreadableError, keyring
from vault.secret import Secret

BATCH = 200
_elsewhere: list[Callable[[], Rotation]] = []


@dataclass(frozen=True)
class Column:
    model: type[models.Model]
    field: str

    def rows(self) -> models.QuerySet[Any]:
        """All rows, archived ones too, with what is stored as `as_stored`."""
        stored = ExpressionWrapper(F(self.field), output_field=TextField())
        return self.model._base_manager.annotate(as_stored=stored)

    def place(self, pk: object) -> str:
        return f"{self.model._meta.label} {pk} {self.field}"


@dataclass(frozen=True)
class Rotation:
    """How many secrets were put under the first key, were there already, or open with no key (where)."""

    rotated: int = 0
    current: int = 0
    unreadable: tuple[str, ...] = ()

    def __add__(self, other: Rotation) -> Rotation:
        return Rotation(
            self.rotated + other.rotated, self.current + other.current, self.unreadable + other.unreadable
        )


def rotates_too(renew: Callable[[], Rotation]) -> None:
    """For secrets that are not in an EncryptedField. renew: puts them under the first key."""
    if renew not in _elsewhere:
        _elsewhere.append(renew)


def rotate_all() -> Rotation:
    total = Rotation()
    for column in encrypted_columns():
        total += rotate(column)
    for renew in _elsewhere:
        total += renew()
    return total


def encrypted_columns() -> Iterator[Column]:
    """Each encrypted column once: an inherited one under the model that declares it."""
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if isinstance(field, EncryptedField):
                yield Column(model, field.name)


def rotate(column: Column) -> Rotation:
    """Safe to run twice: what is current already is left alone."""
    done, last = Rotation(), None
    while True:
        rows = column.rows().order_by("pk")
        with transaction.atomic():
            page = list(
                (rows if last is None else rows.filter(pk__gt=last)).values_list("pk", "as_stored")[:BATCH]
            )
            for pk, stored in page:
                done += _rotate_row(column, pk, stored)
        if len(page) < BATCH:
            return done
        last = page[-1][0]


def _rotate_row(column: Column, pk: object, stored: str | None) -> Rotation:
    while stored:
        if keyring().is_current(stored):
            return Rotation(current=1)
        try:
            renewed = Secret(keyring().unseal(stored))
        except SecretUnreadableError:
            return Rotation(unreadable=(column.place(pk),))
        # Only over what was read: the desk may have saved another secret since.
        if column.rows().filter(pk=pk, as_stored=stored).update(**{column.field: renewed}):
            return Rotation(rotated=1)
        stored = column.rows().filter(pk=pk).values_list("as_stored", flat=True).first()
    return Rotation()
