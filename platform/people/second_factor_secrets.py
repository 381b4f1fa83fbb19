"""Where allauth keeps secrets of second factors: sealed by the vault in its rows, and in sessions as well."""

from __future__ import annotations

from typing import Any

from allauth.core import context
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.forms import ActivateTOTPForm
from allauth.mfa.totp.internal.auth import SECRET_SESSION_KEY
from django.db import transaction

from vault.keyring import SecretUnreadableError, keyring
from vault.rotation import Rotation

NAMES = ("secret", "seed")


class SealedActivateTOTPForm(ActivateTOTPForm):  # type: ignore[misc]  # allauth is not typed
    """The secret that waits for its first code rests sealed in the session's row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        session = context.request.session
        sealed = session.pop(SECRET_SESSION_KEY, "")
        if sealed:
            session[SECRET_SESSION_KEY] = keyring().unseal(sealed)
        super().__init__(*args, **kwargs)
        session[SECRET_SESSION_KEY] = keyring().seal(self.secret)


def renew() -> Rotation:
    """Puts all of them under the first key. What a sign-in changes meanwhile waits for the row."""
    total = Rotation()
    for pk in Authenticator.objects.values_list("pk", flat=True):
        with transaction.atomic():
            for row in Authenticator.objects.select_for_update().filter(pk=pk):
                total += _renew_row(row)
    return total


def _renew_row(row: Authenticator) -> Rotation:
    total = Rotation()
    for name in NAMES:
        sealed = row.data.get(name)
        if sealed and keyring().is_current(sealed):
            total += Rotation(current=1)
        elif sealed:
            total += _renew_one(row, name, sealed)
    return total


def _renew_one(row: Authenticator, name: str, sealed: str) -> Rotation:
    try:
        row.data[name] = keyring().seal(keyring().unseal(sealed))
    except SecretUnreadableError:
        return Rotation(unreadable=(f"mfa.Authenticator {row.pk} {name}",))
    row.save(update_fields=["data"])
    return Rotation(rotated=1)
