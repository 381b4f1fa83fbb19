"""How the address of a proxy is written: `scheme://host:port`, with its login apart.

No sentence here repeats the address, which may hold a password.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from vault.secret import Secret

SCHEMES = ("http", "https", "socks5")
# Others tell apart who resolves names; here the proxy always does.
_ALIASES = {"socks5h": "socks5"}
DIRECT = "direct"  # stands where an address would, and means: through no proxy
LONGEST_LOGIN = 255  # bytes of a user name or a password (RFC 1929)
EXAMPLE = "http://proxy.example:3128"


class ProxyAddressError(ValueError):
    """Its text is one sentence: what is wrong with the address, and how to write it."""


@dataclass(frozen=True, kw_only=True)
class ProxyLogin:
    """An address and the raw user name and password that belong to it."""

    url: str
    username: str
    password: Secret


def proxy_url(text: str) -> str:
    """The address as it is kept: `scheme://host:port`. Raises ProxyAddressError."""
    if "@" in text:
        raise ProxyAddressError(
            "Take the user name and password out of the proxy's address and put them into their own "
            "fields below, where they are encrypted."
        )
    parts = _split(text)
    scheme = _ALIASES.get(parts.scheme, parts.scheme)
    if "://" not in text or scheme not in SCHEMES or not parts.hostname:
        raise ProxyAddressError(
            f"Start the proxy's address with http://, https:// or socks5://, for example {EXAMPLE}."
        )
    if not parts.port:
        raise ProxyAddressError(f"Name the proxy's port, for example {EXAMPLE}.")
    if parts.path.strip("/") or parts.query or parts.fragment:
        raise ProxyAddressError(f"A proxy's address ends with its port: {EXAMPLE}.")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{scheme}://{host}:{parts.port}"


def split_login(text: str) -> ProxyLogin:
    """Takes `scheme://user:password@host:port` apart. Raises ProxyAddressError.

    What is written as %XX becomes the character; a password that was not quoted at all is taken as it is.
    """
    front, at, place = text.rpartition("@")
    scheme, separator, login = front.partition("://")
    url = proxy_url(f"{scheme}{separator}{place}" if at else text)
    username, _, password = login.partition(":")
    login_read = ProxyLogin(url=url, username=unquote(username), password=Secret(unquote(password)))
    mistake = username_mistake(url, login_read.username)
    if mistake:
        raise ProxyAddressError(mistake)
    return login_read


def username_mistake(url: str, username: str) -> str:
    """What is wrong with the user name for this kind of proxy; nothing where it is right."""
    if ":" in username and not url.startswith("socks5"):
        return "An HTTP proxy's user name cannot hold a colon: what follows it belongs to the password."
    if len(username.encode()) > LONGEST_LOGIN:
        return f"A proxy's user name has at most {LONGEST_LOGIN} bytes."
    return ""


def _split(text: str) -> SplitResult:
    unreadable = ProxyAddressError("This is not a proxy's address: write http://host:port.")
    if any(character.isspace() for character in text):
        raise unreadable
    try:
        parts = urlsplit(text)
        parts.port  # noqa: B018 - it is parsed when it is read
    except ValueError:
        raise unreadable from None
    return parts
