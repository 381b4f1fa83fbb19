"""allauth's forms for a code. One counts once: allauth forgets a used code while it is still good."""

from __future__ import annotations

from typing import Any

from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from django.core.cache import cache

GOOD_SECONDS = (1 + 2 * app_settings.TOTP_TOLERANCE) * app_settings.TOTP_PERIOD


def _use_up(authenticator: Authenticator, code: str) -> None:
    """Raises ValidationError where an app's code was used before. Recovery codes are used up by allauth."""
    if authenticator.type != Authenticator.Type.TOTP:
        return
    digits = "".join(filter(str.isdigit, code))
    if not cache.add(f"people.code.{authenticator.user_id}.{digits}", 1, timeout=GOOD_SECONDS):
        raise get_adapter().validation_error("incorrect_code")


class AuthenticateForm(forms.AuthenticateForm):  # type: ignore[misc]  # allauth is not typed
    def clean_code(self) -> Any:
        code = super().clean_code()
        _use_up(self.authenticator, code)
        return code


class ReauthenticateForm(forms.ReauthenticateForm):  # type: ignore[misc]  # allauth is not typed
    def clean_code(self) -> Any:
        code = super().clean_code()
        _use_up(self.authenticator, code)
        return code
