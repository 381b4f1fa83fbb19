"""A loop that knows how its TLS connections came about, so that a test of a connection can tell the way out,
the venue's certificate and the venue itself apart."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Handshake:
    """One that succeeded. host: whose certificate it is; version: TLS's; expires: the certificate.

    began, seconds: on the loop's clock; before it began, the way to the host was opened.
    """

    host: str
    version: str
    expires: datetime | None
    began: float
    seconds: float


class AttentiveLoop(asyncio.SelectorEventLoop):
    """handshakes: with every host, in the order in which they succeeded. Also where TLS runs in a tunnel."""

    def __init__(self) -> None:
        super().__init__()
        self.handshakes: list[Handshake] = []

    async def create_connection(self, *args: Any, **options: Any) -> Any:
        began = self.time()
        made = await super().create_connection(*args, **options)
        self._note(made[0], options, began)
        return made

    async def start_tls(self, *args: Any, **options: Any) -> Any:
        began = self.time()
        transport = await super().start_tls(*args, **options)
        self._note(transport, options, began)
        return transport

    def _note(self, transport: asyncio.BaseTransport | None, options: dict[str, Any], began: float) -> None:
        inside: ssl.SSLObject | None = transport.get_extra_info("ssl_object") if transport else None
        if inside is None:
            return  # a connection without TLS
        self.handshakes.append(
            Handshake(
                host=str(options.get("server_hostname") or ""),
                version=inside.version() or "TLS",
                expires=_expiry(inside),
                began=began,
                seconds=self.time() - began,
            )
        )


def _expiry(inside: ssl.SSLObject) -> datetime | None:
    until = (inside.getpeercert() or {}).get("notAfter")
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC) if isinstance(until, str) else None
