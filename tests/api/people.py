"""Owners, their tokens, and requests as programs send them."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from django.contrib.auth.models import Permission, User
from django.test import Client

from rest.tokens import create_token


def an_owner(name: str, *permissions: str) -> User:
    """A person with these permissions ("bots.operate_bot"), and no other."""
    user = User.objects.create_user(name)
    for permission in permissions:
        app_label, codename = permission.split(".")
        user.user_permissions.add(
            Permission.objects.get(content_type__app_label=app_label, codename=codename)
        )
    return user


def a_token(owner: User, scope: str = "read", name: str = "Grafana", expiry: datetime | None = None) -> str:
    return create_token(actor=None, owner=owner, name=name, scope=scope, expiry=expiry)[1]


class Program:
    """A client of the API: JSON in and out, with a token."""

    def __init__(self, token: str) -> None:
        self.client = Client(headers={"Authorization": f"Token {token}"})

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(f"/api{path}", headers=_named(headers))

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("post", path, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self._send("patch", path, body, headers)

    def _send(self, method: str, path: str, body: Any, headers: dict[str, str]) -> Any:
        sent = b"" if body is None else json.dumps(body).encode()
        send = getattr(self.client, method)
        return send(f"/api{path}", data=sent, content_type="application/json", headers=_named(headers))


def _named(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


def errors(answer: Any) -> list[tuple[str, str | None]]:
    """(code, attr) of each, after a look at the shape."""
    told = answer.json()
    assert set(told) == {"type", "errors"}, told
    assert answer.headers["Content-Type"].startswith("application/json")
    return [(error["code"], error["attr"]) for error in told["errors"]]
