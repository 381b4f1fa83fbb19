"""Who has to have a second factor, and where they are sent until they have one."""

from __future__ import annotations

from collections.abc import Callable

from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser, User
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

SEES_ALL = "exchanges.view_all_connections"
SETUP_NEEDED = (
    "Your sign-in needs a second factor before you go on: set up an authenticator app or a passkey."
)
UNREADABLE = (
    "Your second factor cannot be read, because its encryption key is not in FIELD_ENCRYPTION_KEYS. Ask an "
    "administrator to put the key back, or to remove your second factors."
)


class UnreadableFactorError(ValidationError):
    """A form that asks for a code says it by itself."""

    def __init__(self) -> None:
        super().__init__(UNREADABLE)


def is_required_of(user: User) -> bool:
    """REQUIRE_MFA: off; staff: of everybody but clients, who see their own only; all."""
    required: str = settings.REQUIRE_MFA
    if required == "STAFF":
        return user.is_staff or user.has_perm(SEES_ALL)
    return required == "ALL"


def has_one(user: User) -> bool:
    factors = Authenticator.objects.filter(user=user)
    return bool(factors.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


class SecondFactorMiddleware:
    """Signed in without a second factor that is required, one gets to the pages of one's account only."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if settings.REQUIRE_MFA != "OFF" and not _is_about_the_account(request) and _lacks_one(request.user):
            messages.warning(request, SETUP_NEEDED)
            return redirect("mfa_index")
        return self._get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Pages that show what is kept of a second factor have no form to say it at."""
        if not isinstance(exception, UnreadableFactorError):
            return None
        return render(request, "people/unreadable_factor.html", {"sentence": UNREADABLE}, status=409)


def _is_about_the_account(request: HttpRequest) -> bool:
    account = reverse("account_login").removesuffix("login/")
    return request.path.startswith((account, settings.STATIC_URL, reverse("admin:logout")))


def _lacks_one(user: User | AnonymousUser) -> bool:
    return isinstance(user, User) and is_required_of(user) and not has_one(user)
