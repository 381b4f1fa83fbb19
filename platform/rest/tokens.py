"""Tokens are made and revoked, and their use is noted."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from knox.models import get_digest_token
from knox.settings import CONSTANTS

from audit.services import record
from rest.models import ApiToken, Scope
from vault.redaction import remember

NOTED_EVERY = timedelta(minutes=1)


@transaction.atomic
def create_token(
    *, actor: User | None, owner: User, name: str, scope: str = Scope.READ, expiry: datetime | None = None
) -> tuple[ApiToken, str]:
    """The row, and the token itself, which nobody can show again. Raises ValidationError."""
    if expiry is not None and expiry <= timezone.now():
        raise ValidationError({"expiry": "This time has passed: a token expires in the future, or never."})
    if actor is not None and not _may_make_for(actor, owner):
        sentence = (
            "A token acts as its owner: you make them for yourself, and for whoever may do less than you."
        )
        raise ValidationError({"user": sentence})
    digest, clear = get_digest_token()
    remember(clear)
    token = ApiToken(
        user=owner, name=name.strip(), scope=scope, expiry=expiry, digest=digest,
        token_key=clear[: CONSTANTS.TOKEN_KEY_LENGTH],
    )  # fmt: skip
    token.full_clean()
    token.save(force_insert=True)
    after = {"owner": str(owner), "scope": scope, "expires": expiry}
    record(actor=actor, action="api_token.created", target=token, after=after)
    return token, clear


def _may_make_for(actor: User, owner: User) -> bool:
    """Nobody gets by a token what they may not do themselves."""
    if actor.pk == owner.pk or actor.is_superuser:
        return True
    within = owner.get_all_permissions() <= actor.get_all_permissions()
    return actor.has_perm("rest.manage_apitokens") and within and not owner.is_superuser


@transaction.atomic
def revoke_token(*, token: ApiToken, actor: User | None) -> None:
    """From now on nobody gets in with it. Twice is once."""
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(actor=actor, action="api_token.revoked", target=token, before={"scope": token.scope})


def note_use(token: ApiToken) -> None:
    """Once a minute at most, so that reading costs no write."""
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    if token.last_used_at is None or token.last_used_at < now - NOTED_EVERY:
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
