"""Whose certificates are believed: those of venues, and those of proxies that speak TLS themselves."""

from __future__ import annotations

import ssl
from functools import lru_cache
from pathlib import Path

import certifi

from exchanges.errors import ProxyDownError

LONGEST_BUNDLE = 2**20


@lru_cache(maxsize=1)
def tls_context() -> ssl.SSLContext:
    """Trusts the system's authorities and certifi's."""
    context = ssl.create_default_context()
    context.load_verify_locations(cafile=certifi.where())
    return context


def proxy_tls_context(ca: str) -> ssl.SSLContext:
    """For the TLS of a proxy.

    ca: a file's path or PEM text, whose authorities are trusted instead of the usual ones; empty: those.
    Raises ProxyDownError where it cannot be read.
    """
    if not ca:
        return tls_context()
    pem = ca.replace("\\n", "\n") if "-----BEGIN" in ca else _file_text(ca)
    if "PRIVATE KEY-----" in pem:
        raise ProxyDownError(
            "The proxy's CA bundle holds a private key: give the authority's certificate alone."
        )
    try:
        return ssl.create_default_context(cadata=pem.encode("ascii", "ignore").decode())
    except (ssl.SSLError, ValueError):
        raise ProxyDownError(
            "The proxy's CA bundle is no PEM certificate: paste what begins with -----BEGIN CERTIFICATE-----,"
            " or name a file that holds it."
        ) from None


def _file_text(path: str) -> str:
    reason = "there is no such file"
    try:
        if Path(path).is_file():
            with Path(path).open(encoding="ascii", errors="ignore") as file:
                return file.read(LONGEST_BUNDLE)
    except OSError as error:
        reason = error.strerror or reason
    except ValueError:
        reason = "that is no path"
    raise ProxyDownError(
        f"The proxy's CA bundle cannot be read ({reason}): name a file that web and worker can read, "
        "or paste its PEM text."
    )
