"""How allauth behaves here: nobody signs up, tries are few, and second factors rest in the vault."""

from __future__ import annotations

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from django.http import HttpRequest

from people.second_factor import UnreadableFactorError, is_required_of
from vault.keyring import SecretUnreadableError, keyring
from vault.redaction import remember

TOO_MANY_TRIES = "Too many failed tries: wait five minutes, then try again."
NO_SUCH_LOGIN = "User name and password do not belong together."


class DeskAccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth is not typed
    error_messages = DefaultAccountAdapter.error_messages | {
        "too_many_login_attempts": TOO_MANY_TRIES,
        "rate_limited": TOO_MANY_TRIES,
        "username_password_mismatch": NO_SUCH_LOGIN,
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """By name and address: who knows a name keeps nobody out who comes from elsewhere."""
        name = super()._get_login_attempts_cache_key(request, **credentials)
        return f"{name}:{self.get_client_ip(request)}"

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """The desk has no mail server and needs none."""


class DeskMFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]  # allauth is not typed
    error_messages = DefaultMFAAdapter.error_messages | {
        "cannot_delete_authenticator": "REQUIRE_MFA asks you for a second factor: add another one first.",
        "incorrect_code": "This code is wrong or was used already: wait for the next one.",
    }

    def encrypt(self, text: str) -> str:
        remember(text)
        return keyring().seal(text)

    def decrypt(self, encrypted_text: str) -> str:
        """Raises UnreadableFactorError where its key is lost: a form that asks for a code says it."""
        try:
            text = keyring().unseal(encrypted_text)
        except SecretUnreadableError:
            raise UnreadableFactorError from None
        remember(text)
        return text

    def can_delete_authenticator(self, authenticator: Authenticator) -> bool:
        """The last one stays where one is required."""
        others = Authenticator.objects.filter(user=authenticator.user).exclude(pk=authenticator.pk)
        has_another = others.exclude(type=Authenticator.Type.RECOVERY_CODES).exists()
        return has_another or not is_required_of(authenticator.user)
