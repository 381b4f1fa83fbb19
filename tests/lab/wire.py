"""A request and its answer as the dialects see them: bytes and headers, no web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from tests.lab.accounts import KeyRing
from tests.lab.exchange import Exchange


@dataclass(frozen=True, kw_only=True)
class WireRequest:
    """query: as sent, without the question mark; headers: names in lower case; address: the sender's."""

    method: str
    host: str
    path: str
    query: str
    body: bytes
    headers: Mapping[str, str]
    address: str


@dataclass(frozen=True, kw_only=True)
class WireAnswer:
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Dialect(Protocol):
    """One venue's way to speak for its exchange."""

    @property
    def venue(self) -> str: ...

    @property
    def hosts(self) -> tuple[str, ...]: ...

    @property
    def exchange(self) -> Exchange: ...

    @property
    def keys(self) -> KeyRing: ...

    def key_of(self, request: WireRequest) -> str | None:
        """The API key that it names, whether or not there is such a key."""

    def answer(self, request: WireRequest) -> WireAnswer: ...

    def answer_again(self, request: WireRequest) -> WireAnswer:
        """To a second delivery of a request that was answered already."""
