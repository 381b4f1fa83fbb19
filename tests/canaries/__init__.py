"""Secrets that must not come out again, in all the forms in which they could, and the search for them."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

API_KEY = "CanaryKey" + "k4711" * 11
API_SECRET = "CanarySecret" + "s0815" * 10 + "=/"
WRONG_KEY = "CanaryWrongKey" + "w2468" * 10
PASSPHRASE = "canary Passphrase & <memo> 42"
USERNAME = "desk"
PASSWORD = "c4nary:p@ss/w%rd#1?\"q\" &+='x'\\"
WRONG_PASSWORD = "canary:wr@ng/%word#2"
HOOK = "CanaryHook" + "h1357" * 8
CANARIES = (API_KEY, API_SECRET, WRONG_KEY, PASSPHRASE, PASSWORD, WRONG_PASSWORD, HOOK)


def forms(secret: str) -> set[str]:
    """As it is, escaped, quoted for URLs, and in base64: alone, and behind the proxy's user name."""
    written = {
        secret,
        repr(secret)[1:-1],
        json.dumps(secret)[1:-1],
        html.escape(secret),
        quote(secret),
        quote(secret, safe=""),
        quote_plus(secret),
        quote(secret, safe="").lower(),
        secret.encode().hex(),
    }
    for plain in (secret, f"{USERNAME}:{secret}"):
        written.add(base64.b64encode(plain.encode()).decode().rstrip("="))
        written.add(base64.urlsafe_b64encode(plain.encode()).decode().rstrip("="))
    return written


FORMS = {secret: forms(secret) for secret in CANARIES}


def leaks(text: str) -> list[str]:
    """What of the canaries stands in the text, each with what is around it."""
    return [f"…{around}…" for around in _found(text)]


def _found(text: str) -> Iterator[str]:
    for secret_forms in FORMS.values():
        for form in secret_forms:
            place = text.find(form)
            if place >= 0:
                yield text[max(0, place - 120) : place + len(form) + 40]
