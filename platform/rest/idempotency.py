"""A request that acts may name a key: sent again with it, it is answered again and not done again.

The key is taken by a row that can exist once, committed before anything is done. Where the process ends
between the act and its answer, the row stays without an answer: nobody does it again under that key.
"""

from __future__ import annotations

import hashlib
import json

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework import status
from rest_framework.exceptions import ValidationError
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from rest.errors import Conflict, Unprocessable
from rest.models import StoredAnswer

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST = 255
# These answers say that nothing was done, and that the same request may go better later.
NOT_KEPT = {status.HTTP_409_CONFLICT, status.HTTP_429_TOO_MANY_REQUESTS}


def key_of(request: Request) -> str:
    """Empty where none was sent. Raises ValidationError."""
    key: str = request.headers.get(HEADER, "")
    if key and (len(key) > LONGEST or not key.isascii() or not key.isprintable()):
        sentence = f"Write 1 to {LONGEST} printable ASCII characters, for example a UUID."
        raise ValidationError({HEADER: [sentence]})
    return key


def claim(request: Request, user: User, key: str) -> StoredAnswer:
    """A fresh row, or the one with the answer to the same request. Raises Conflict and Unprocessable."""
    now, mark = timezone.now(), fingerprint(request)
    StoredAnswer.objects.filter(user=user, key=key, created_at__lte=now - StoredAnswer.KEPT).delete()
    try:
        with transaction.atomic():
            return StoredAnswer.objects.create(user=user, key=key, fingerprint=mark, created_at=now)
    except IntegrityError:
        return _answered(StoredAnswer.objects.filter(user=user, key=key).first(), mark)


def _answered(row: StoredAnswer | None, mark: str) -> StoredAnswer:
    if row is not None and row.fingerprint != mark:
        raise Unprocessable(f"This {HEADER} came with another request before: choose a new key.")
    if row is None or row.status is None:
        raise Conflict(
            f"The request with this {HEADER} is being done, or it was broken off and nobody knows how it "
            "ended: look at what it was to change, and choose a new key."
        )
    return row


def keep(row: StoredAnswer, response: Response) -> None:
    if response.status_code >= status.HTTP_500_INTERNAL_SERVER_ERROR:
        return  # what was done of it is not known: it stays without an answer
    if response.status_code in NOT_KEPT:
        row.delete()
        return
    row.status, row.body = response.status_code, JSONRenderer().render(response.data).decode()
    row.save(update_fields=["status", "body"])


def replay(row: StoredAnswer) -> Response:
    return Response(json.loads(row.body or "null"), status=row.status, headers={REPLAYED: "true"})


def fingerprint(request: Request) -> str:
    parts = (str(request.method), request.get_full_path(), request.content_type or "")
    return hashlib.sha256("\n".join(parts).encode() + b"\n" + request.body).hexdigest()
