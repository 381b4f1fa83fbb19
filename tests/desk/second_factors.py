"""What an authenticator app does, and a person at the sign-in page."""

from __future__ import annotations

import base64
import hmac
import struct
import time
from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

PASSWORD = "open-the-desk-77"
LOGIN = "/accounts/login/"


def code_of(secret: str, *, steps_ahead: int = 0) -> str:
    """The six digits that the app shows now (RFC 6238), or some half minutes later."""
    counter = struct.pack(">Q", int(time.time()) // 30 + steps_ahead)
    digest = hmac.digest(base64.b32decode(secret), counter, "sha1")
    place = digest[-1] & 0x0F
    (number,) = struct.unpack(">I", digest[place : place + 4])
    return f"{(number & 0x7FFFFFFF) % 1_000_000:06d}"


def a_person(name: str = "olga", **fields: Any) -> User:
    return User.objects.create_user(name, password=PASSWORD, **fields)


def sign_in(browser: Client, name: str = "olga", password: str = PASSWORD) -> Any:
    return browser.post(LOGIN, {"username": name, "password": password, "next": "/admin/"})


def set_up_an_app(browser: Client) -> str:
    """Of who is signed in: an authenticator app. Returns the secret that the page showed."""
    url = reverse("mfa_activate_totp")
    secret = str(browser.get(url).context["form"].secret)
    answer = browser.post(url, {"code": code_of(secret, steps_ahead=-1)})
    assert answer.status_code == 302, answer.content.decode()
    return secret
