"""The column in which a secret rests, encrypted."""

from __future__ import annotations

from typing import Any

from django.core import checks
from django.core.exceptions import FieldError, ValidationError
from django.db import models
from django.db.models.query_utils import DeferredAttribute

from vault.keyring import looks_sealed
from vault.secret import Secret


class _SecretAttribute(DeferredAttribute):
    """Whatever is assigned becomes a Secret at once, so that no clear text waits on the instance."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        is_expression = hasattr(value, "resolve_expression")
        instance.__dict__[self.field.attname] = value if is_expression else self.field.to_python(value)


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """Stores `enc1:<key id>:<token>` and reads as a `Secret`.

    It has no lookups (equal secrets have different tokens), is left out of dumpdata, and never hands out
    ciphertext as if it were the secret. Ready-made Django fields were tried: they leak or race.
    """

    description = "A secret, encrypted"
    descriptor_class = _SecretAttribute

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serialize"] = False
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", Secret.empty)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("serialize", None)
        return name, path, args, kwargs

    def check(self, **kwargs: Any) -> list[checks.CheckMessage]:
        return [*super().check(**kwargs), *self._check_it_is_not_indexed()]

    def _check_it_is_not_indexed(self) -> list[checks.CheckMessage]:
        if not (self.unique or self.db_index):  # type: ignore[attr-defined]
            return []
        return [
            checks.Error(
                "An EncryptedField cannot be unique or indexed: equal secrets have different tokens.",
                hint="Take primary_key, unique and db_index away.",
                obj=self,
                id="vault.E005",
            )
        ]

    def get_lookup(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted and cannot be searched ({lookup_name}).")

    get_transform = get_lookup

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Secret:
        return Secret.from_sealed(value or "")

    def to_python(self, value: Any) -> Secret:
        if isinstance(value, Secret):
            return value
        if not isinstance(value, str | None):
            raise ValidationError(f"{self.name} takes text.")
        if value and looks_sealed(value):
            raise ValidationError(f"{self.name} was given an encrypted secret; enter the secret itself.")
        return Secret(value or "")

    def validate(self, value: Secret, model_instance: models.Model | None) -> None:
        if not value and not self.blank:
            raise ValidationError(self.error_messages["blank"], code="blank")

    def get_prep_value(self, value: Any) -> str:
        return self.to_python(value).sealed()

    def value_to_string(self, obj: models.Model) -> str:
        return ""
