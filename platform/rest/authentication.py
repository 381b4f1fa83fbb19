"""Who asks: a token in the header, or a person's session in the admin (which needs a CSRF token to act)."""

from __future__ import annotations

from django.contrib.auth.models import User
from knox.auth import TokenAuthentication
from knox.crypto import hash_token
from rest_framework.exceptions import AuthenticationFailed

from rest.models import ApiToken
from rest.tokens import note_use

LONGEST = 200


class TokenDoor(TokenAuthentication):  # type: ignore[misc]  # knox is not typed
    """`Authorization: Token desk_…`. knox's own check deletes tokens as it reads; this one changes no more
    than the time of the last use."""

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        row = _row_of(token)
        if row is None:
            raise AuthenticationFailed("This token is not known here: copy it again, or make another one.")
        if row.revoked_at is not None:
            raise AuthenticationFailed(f"The token “{row}” was revoked: make another one.")
        if row.is_expired:
            raise AuthenticationFailed(f"The token “{row}” has expired: make another one.")
        if not row.user.is_active:
            raise AuthenticationFailed(f"The owner of the token “{row}” is not active any more.")
        note_use(row)
        return row.user, row


def _row_of(token: bytes) -> ApiToken | None:
    """Looked up by its hash: how long that takes says nothing of what is stored."""
    if len(token) > LONGEST or not token.isascii():
        return None
    rows = ApiToken.objects.select_related("user")
    found: ApiToken | None = rows.filter(digest=hash_token(token.decode("ascii"))).first()
    return found
