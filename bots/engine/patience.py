"""How long a connection that failed is left alone: longer with each failure in a row, never all at once."""

from __future__ import annotations

import random
from dataclasses import dataclass

from bots.engine.condition import Condition
from exchanges.errors import CredentialsError, ProxyAuthError, RateLimitError, VenueClosedError
from exchanges.venues.registry import UnknownVenueError
from vault.keyring import VaultError

LONGEST_WAIT_SECONDS = 60.0
FIRST_REFUSED_WAIT_SECONDS = 15.0
REFUSED_WAIT_SECONDS = 300.0
PAUSE_JITTER_SECONDS = 2.0

# A person has to act first.
REFUSED = (CredentialsError, ProxyAuthError, VenueClosedError, VaultError, UnknownVenueError)


@dataclass
class Patience:
    """failures: in a row. refusals: the last ones of these, that a person has to act upon."""

    failures: int = 0
    refusals: int = 0

    def seconds_after(self, error: Exception, health: Condition | None) -> float:
        """health: None while the connection was not opened."""
        if isinstance(error, REFUSED):
            self.refusals += 1  # what else had failed before says nothing of how long a key stays refused
            return _doubled(FIRST_REFUSED_WAIT_SECONDS, self.refusals - 1, REFUSED_WAIT_SECONDS)
        if isinstance(error, RateLimitError):
            return self._as_long_as_asked(error)
        self.refusals = 0
        if health and health.is_left_alone:
            return health.seconds_to_rest(random.uniform(1.0, 1.1))  # not all of a venue's at once
        return self.seconds()

    def seconds(self) -> float:
        return _doubled(1.0, self.failures, LONGEST_WAIT_SECONDS)

    def _as_long_as_asked(self, error: RateLimitError) -> float:
        wait = self.seconds() if error.retry_after is None else error.retry_after
        return wait + random.uniform(0.0, min(wait, PAUSE_JITTER_SECONDS))  # not all of an address at once

    def end(self) -> None:
        """It works again."""
        self.failures = self.refusals = 0


def _doubled(first: float, times: int, longest: float) -> float:
    return min(first * 2.0 ** min(times, 10), longest) * random.uniform(0.5, 1.0)
