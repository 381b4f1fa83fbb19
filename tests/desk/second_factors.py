"""A person at the sign-in page."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from tests.desk.authenticator import code_of

PASSWORD = "open-the-desk-77"
LOGIN = "/accounts/login/"


def a_person(name: str = "olga", **fields: Any) -> User:
    return User.objects.create_user(name, password=PASSWORD, **fields)


def sign_in(browser: Client, name: str = "olga", password: str = PASSWORD) -> Any:
    return browser.post(LOGIN, {"username": name, "password": password, "next": "/admin/"})


def set_up_an_app(browser: Client) -> str:
    """Of who is signed in: an authenticator app. Returns the secret that the page showed."""
    url = reverse("mfa_activate_totp")
    secret = str(browser.get(url).context["form"].secret)
    answer = browser.post(url, {"code": code_of(secret)})
    assert answer.status_code == 302, answer.content.decode()
    return secret
