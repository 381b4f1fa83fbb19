"""allauth's forms for passkeys. An answer that no browser gives is refused in one sentence."""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import Any

from allauth.mfa.webauthn import forms
from cryptography.exceptions import InvalidSignature
from django.core.exceptions import ValidationError

# What fido2 raises, deep inside, on parts that are missing, of another type, cut short or forged.
NONSENSE = (LookupError, TypeError, ValueError, AttributeError, struct.error, InvalidSignature)
REFUSED = "The browser's answer is not that of a passkey of this desk: try again."


def _refusing_nonsense(clean: Callable[[], Any]) -> Any:
    """Raises ValidationError."""
    try:
        return clean()
    except NONSENSE:
        raise ValidationError(REFUSED) from None


class LoginForm(forms.LoginWebAuthnForm):  # type: ignore[misc]  # allauth is not typed
    def clean_credential(self) -> Any:
        return _refusing_nonsense(super().clean_credential)


class AuthenticateForm(forms.AuthenticateWebAuthnForm):  # type: ignore[misc]  # allauth is not typed
    def clean_credential(self) -> Any:
        return _refusing_nonsense(super().clean_credential)


class ReauthenticateForm(forms.ReauthenticateWebAuthnForm):  # type: ignore[misc]  # allauth is not typed
    def clean_credential(self) -> Any:
        return _refusing_nonsense(super().clean_credential)


class AddForm(forms.AddWebAuthnForm):  # type: ignore[misc]  # allauth is not typed
    def clean(self) -> Any:
        return _refusing_nonsense(super().clean)
