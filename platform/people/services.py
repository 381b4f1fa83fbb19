"""What is done for people who cannot sign in any more."""

from __future__ import annotations

from allauth.mfa.models import Authenticator
from django.contrib.auth.models import User
from django.db import transaction

from audit.services import record


@transaction.atomic
def remove_second_factors(*, user: User, actor: User | None) -> list[str]:
    """All of them: the phone is lost, or the key that encrypted them. Returns what was removed, in words."""
    factors = list(Authenticator.objects.select_for_update().filter(user=user))
    names = sorted(str(factor.get_type_display()) for factor in factors)
    Authenticator.objects.filter(pk__in=[factor.pk for factor in factors]).delete()
    if names:
        before = {"second_factors": names}
        record(actor=actor, action="user.second_factors_removed", target=user, before=before)
    return names
