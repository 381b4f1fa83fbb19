"""The column in which a secret rests, encrypted."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import FieldError
from django.db import models

from vault.secret import Secret


class EncryptedField(models.TextField):  # type: ignore[type-arg]
    """Stores `enc1:<key id>:<token>` and reads as a `Secret`.

    It has no lookups (equal secrets have different tokens), is left out of dumpdata, and never hands out
    ciphertext as if it were the secret. Ready-made Django fields were tried: they leak or race.
    """

    description = "A secret, encrypted"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["serialize"] = False
        kwargs.setdefault("blank", True)
        kwargs.setdefault("default", Secret.empty)
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("serialize", None)
        return name, path, args, kwargs

    def get_lookup(self, lookup_name: str) -> Any:
        raise FieldError(f"{self.name} is encrypted and cannot be searched ({lookup_name}).")

    def from_db_value(self, value: str | None, expression: object, connection: object) -> Secret:
        return Secret.from_sealed(value or "")

    def to_python(self, value: Secret | str | None) -> Secret:
        return value if isinstance(value, Secret) else Secret(value or "")

    def get_prep_value(self, value: Secret | str | None) -> str:
        return self.to_python(value).sealed()

    def value_to_string(self, obj: models.Model) -> str:
        return ""
