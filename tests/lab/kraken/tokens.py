"""Tokens that open an account's channels: good for a quarter of an hour, and as long as somebody listens."""

from __future__ import annotations

import secrets

from tests.lab.accounts import ApiKey
from tests.lab.clock import Clock
from tests.lab.kraken.errors import KrakenError

TOKEN_SECONDS = 900


class Tokens:
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._given: dict[str, tuple[ApiKey, int]] = {}

    def give(self, key: ApiKey) -> str:
        token = secrets.token_urlsafe(32)
        self._given[token] = (key, self._clock.true_ms())
        return token

    def owner(self, token: str) -> ApiKey:
        """Raises KrakenError where nobody has it, or has it any more."""
        key, since_ms = self._given.get(token, (None, 0))
        if key is None or key.is_revoked or self._clock.true_ms() - since_ms > TOKEN_SECONDS * 1000:
            raise KrakenError("ESession:Invalid session")
        return key
