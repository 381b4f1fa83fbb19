"""Reads settings from the environment; what cannot be read is one sentence that holds no secret.

Every function here raises ImproperlyConfigured, which config.boot shows without a traceback.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

from exchanges.proxy_address import ProxyAddressError, ProxyLogin, split_login

env = environ.Env()

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
POSTGRESQL = {"postgres", "postgresql"}
EXAMPLES = "postgres://<user>:<password>@host:5432/name or sqlite:////folder/file.sqlite3"


def text(name: str, default: str = "") -> str:
    return str(env.str(name, default=default))


def required(name: str, hint: str) -> str:
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {hint}")
    return value


def words(name: str, default: tuple[str, ...] = ()) -> list[str]:
    """What stands between commas."""
    given = text(name, ",".join(default))
    return [word.strip() for word in given.split(",") if word.strip()]


def flag(name: str, *, default: bool) -> bool:
    value = text(name, str(default)).strip().lower()
    if value not in TRUE | FALSE:
        raise ImproperlyConfigured(f"{name} is {value!r}: write true or false.")
    return value in TRUE


def whole_number(name: str, default: int, *, least: int = 1) -> int:
    value = text(name, str(default)).strip()
    if not value.isascii() or not value.isdigit() or int(value) < least:
        raise ImproperlyConfigured(f"{name} is {value!r}: write a whole number, {least} or more.")
    return int(value)


def choice(name: str, default: str, allowed: tuple[str, ...]) -> str:
    value = text(name, default).strip().upper()
    if value not in allowed:
        raise ImproperlyConfigured(f"{name} is {value!r}: write one of {', '.join(allowed)}.")
    return value


def proxy(name: str) -> ProxyLogin | None:
    """The proxy that the URL names, its login raw and apart; None when it is not set."""
    given = text(name).strip()
    if not given:
        return None
    try:
        return split_login(given)
    except ProxyAddressError as error:
        raise ImproperlyConfigured(f"{name} is not the address of a proxy. {error}") from None


def database(name: str, *, folder: Path) -> dict[str, Any]:
    """Django's settings of the database that the URL names; SQLite in `folder` when it is not set."""
    given = text(name).strip()
    if not given:
        return sqlite(folder / "botdesk.sqlite3")
    url = _split(name, given)
    if url.scheme == "sqlite":
        return sqlite(_sqlite_file(name, url, folder))
    if url.scheme not in POSTGRESQL:
        scheme = f"begins with {url.scheme}://" if "://" in given else "is not a URL"
        raise ImproperlyConfigured(f"{name} {scheme}, and Botdesk runs on PostgreSQL or SQLite: {EXAMPLES}.")
    if not url.path.strip("/"):
        raise ImproperlyConfigured(f"{name} names no database: postgres://<user>:<password>@host:5432/name.")
    return dict(env.db_url_config(given))


def sqlite(file: Path) -> dict[str, Any]:
    return {"ENGINE": "django.db.backends.sqlite3", "NAME": str(file)}


def _split(name: str, given: str) -> SplitResult:
    try:
        url = urlsplit(given)
        url.port  # noqa: B018 - it is parsed when it is read
    except ValueError:
        raise ImproperlyConfigured(
            f"{name} cannot be read: write {EXAMPLES}; a special character in the password is written as "
            "%XX (/ is %2F, @ is %40, # is %23)."
        ) from None
    return url


def _sqlite_file(name: str, url: SplitResult, folder: Path) -> Path:
    file = url.path[1:]
    if url.netloc or not file:
        raise ImproperlyConfigured(
            f"{name} names no file: write sqlite:///file.sqlite3 (in the project's folder) or "
            "sqlite:////folder/file.sqlite3. A database in memory cannot be shared by web and worker."
        )
    return folder / file
