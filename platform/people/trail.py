"""Sign-ins, failed ones, and changes of passwords and second factors, in the audit log."""

from __future__ import annotations

from typing import Any

from allauth.account import signals as account
from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import get_authentication_records
from allauth.mfa import signals as mfa
from allauth.mfa.models import Authenticator
from django.contrib.auth import signals as auth
from django.contrib.auth.models import User
from django.dispatch import receiver
from django.http import HttpRequest

from audit.services import record

NOBODY = "a name that is nobody's"


@receiver(account.user_logged_in)
def on_sign_in(request: HttpRequest, user: User, **signal: Any) -> None:
    steps = [step.get("type", step["method"]) for step in get_authentication_records(request, user)]
    by = " and ".join(dict.fromkeys(steps))
    record(actor=user, action="user.signed_in", target=user, after={"by": by} | _where(request))


@receiver(auth.user_logged_out)
def on_sign_out(request: HttpRequest, user: User | None, **signal: Any) -> None:
    if user is not None:
        record(actor=user, action="user.signed_out", target=user)


@receiver(auth.user_login_failed)
def on_failure(credentials: dict[str, Any], request: HttpRequest | None = None, **signal: Any) -> None:
    """What was typed is not kept: it may be a password at the wrong place. A user's own name is known."""
    found = User.objects.filter(username=credentials.get("username") or "").first()
    target = found or User(username=NOBODY)
    record(actor=None, action="user.sign_in_failed", target=target, after=_where(request))


@receiver(mfa.authentication_failed)
def on_wrong_code(request: HttpRequest, user: User, authenticator: Authenticator, **signal: Any) -> None:
    after = {"second_factor": authenticator.get_type_display()} | _where(request)
    record(actor=None, action="user.second_factor_failed", target=user, after=after)


@receiver(account.password_changed)
def on_new_password(request: HttpRequest, user: User, **signal: Any) -> None:
    record(actor=user, action="user.password_changed", target=user)


@receiver(mfa.authenticator_added)
def on_added(user: User, authenticator: Authenticator, **signal: Any) -> None:
    _record_factor("added", user, authenticator)


@receiver(mfa.authenticator_removed)
def on_removed(user: User, authenticator: Authenticator, **signal: Any) -> None:
    _record_factor("removed", user, authenticator)


@receiver(mfa.authenticator_reset)
def on_reset(user: User, authenticator: Authenticator, **signal: Any) -> None:
    _record_factor("renewed", user, authenticator)


def _record_factor(verb: str, user: User, authenticator: Authenticator) -> None:
    after = {"second_factor": authenticator.get_type_display()}
    record(actor=user, action=f"user.second_factor_{verb}", target=user, after=after)


def _where(request: HttpRequest | None) -> dict[str, str]:
    return {"address": get_adapter().get_client_ip(request)} if request else {}
