"""Who asks, is it really them, and may they: OKX's documentation, "REST Authentication"."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from datetime import datetime
from enum import StrEnum

from tests.lab.accounts import ApiKey, KeyRing
from tests.lab.clock import Clock
from tests.lab.okx.errors import OkxError, unauthorized
from tests.lab.wire import WireRequest

WINDOW_MS = 30_000
KEY_FORM = r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"
TIME_FORM = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?Z"
HEADERS = (
    ("50103", "OK-ACCESS-KEY"),
    ("50104", "OK-ACCESS-PASSPHRASE"),
    ("50106", "OK-ACCESS-SIGN"),
    ("50107", "OK-ACCESS-TIMESTAMP"),
)


class Right(StrEnum):
    """What a key must be allowed; NONE: nobody is asked who they are."""

    NONE = "none"
    READ = "read_only"
    TRADE = "trade"


def authenticate(request: WireRequest, right: Right, keys: KeyRing, clock: Clock) -> ApiKey | None:
    """The key that may do this. The order of the checks decides which error a doubly wrong request gets."""
    if right is Right.NONE:
        return None
    for code, name in HEADERS:
        if not request.headers.get(name.lower()):
            raise unauthorized(code, f'Request header "{name}" cannot be empty.')
    _check_time(request.headers["ok-access-timestamp"], clock)
    key = _known_key(request, keys)
    if request.headers["ok-access-passphrase"] != key.passphrase:
        raise unauthorized("50105", 'Request header "OK-ACCESS-PASSPHRASE" incorrect.')
    if not hmac.compare_digest(_sign(request, key.secret), request.headers["ok-access-sign"]):
        raise unauthorized("50113", "Invalid Sign")
    if not (key.trading if right is Right.TRADE else key.reading):
        raise unauthorized("50120", "This API key doesn't have permission to use this function")
    if request.headers.get("x-simulated-trading") == "1":
        raise unauthorized("50101", "APIKey does not match current environment.")
    _check_deadline(request, clock)
    return key


def sign(secret: str, message: str) -> str:
    """Base64 of the HMAC-SHA256."""
    return base64.b64encode(hmac.new(secret.encode(), message.encode(), hashlib.sha256).digest()).decode()


def _check_time(written: str, clock: Clock) -> None:
    if not re.fullmatch(TIME_FORM, written):
        raise unauthorized("50112", "Invalid OK-ACCESS-TIMESTAMP")
    sent_ms = datetime.fromisoformat(written).timestamp() * 1000
    if abs(clock.now_ms() - sent_ms) > WINDOW_MS:
        raise unauthorized("50102", "Timestamp request expired")


def _known_key(request: WireRequest, keys: KeyRing) -> ApiKey:
    named = request.headers["ok-access-key"]
    if not re.fullmatch(KEY_FORM, named):
        raise unauthorized("50111", "Invalid OK-ACCESS-KEY")
    key = keys.find(named)
    if key is None or key.is_revoked:
        raise unauthorized("50119", "API key doesn't exist")
    if not key.admits(request.address):
        text = f"Your IP {request.address} is not included in your API key's {named} IP whitelist."
        raise unauthorized("50110", text)
    return key


def _sign(request: WireRequest, secret: str) -> str:
    """Over time, method, path with query, and body, each exactly as sent."""
    target = f"{request.path}?{request.query}" if request.query else request.path
    time = request.headers["ok-access-timestamp"]
    return sign(secret, f"{time}{request.method}{target}{request.body.decode('utf-8', 'replace')}")


def _check_deadline(request: WireRequest, clock: Clock) -> None:
    """A request may say until when it is good, with `expTime`."""
    deadline = request.headers.get("exptime", "")
    if deadline and (not deadline.isdecimal() or clock.now_ms() > int(deadline)):
        text = "The expTime can't be earlier than the current system time. Please adjust and try again."
        raise OkxError("50036", text, status=400)
