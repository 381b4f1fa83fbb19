"""The only way out of the lab: the venues' production hosts, and all of them lead to loopback."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.lab.authority import client_context
from tests.lab.hosts import ALL_HOSTS

LOOPBACK = "127.0.0.1"


class LabResolver(AbstractResolver):
    """Answers (known host, any port) with the lab's address; refuses every other name."""

    def __init__(self, port: int) -> None:
        self._port = port

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        if host not in ALL_HOSTS:
            raise OSError(f"the lab knows no host {host}")
        return [
            ResolveResult(
                hostname=host,
                host=LOOPBACK,
                port=self._port,
                family=socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
        ]

    async def close(self) -> None:
        """Nothing is held."""


def lab_connector(
    port: int,
    ca_file: Path,
    *,
    kind: Callable[..., aiohttp.TCPConnector] = aiohttp.TCPConnector,
    **options: Any,
) -> aiohttp.TCPConnector:
    """A connector of the kind and with the options asked for, but the lab's resolver and trust.

    Names written as addresses never reach a resolver, so those are refused when the socket is made.
    """
    options |= {
        "resolver": LabResolver(port),
        "ssl": client_context(ca_file),
        "family": socket.AF_INET,
        "use_dns_cache": False,
        "socket_factory": _loopback_socket,
    }
    return kind(**options)


def _loopback_socket(address: Any) -> socket.socket:
    family, kind, protocol, _, target = address
    if not ipaddress.ip_address(target[0]).is_loopback:
        raise OSError(f"the lab does not connect to {target[0]}")
    return socket.socket(family, kind, protocol)
