"""What can be wrong with settings that can be read, found at boot. Those of the keys: vault.checks."""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error, register

from logs import sentry

SHORTEST_SECRET_KEY = 50
FEWEST_CHARACTERS = 5
LOCAL_HOSTS = {"localhost", "127.0.0.1", "[::1]", "::1", ".localhost", "testserver"}
REDIS_SCHEMES = {"redis", "rediss", "unix"}
# Platforms whose disk is emptied at each restart and each deploy.
EPHEMERAL = {"DYNO": "Heroku", "RAILWAY_ENVIRONMENT": "Railway"}


@register("boot")
def check_secret_key(**kwargs: Any) -> list[CheckMessage]:
    key = settings.SECRET_KEY
    strong = len(key) >= SHORTEST_SECRET_KEY and len(set(key)) >= FEWEST_CHARACTERS
    if settings.DEBUG or (strong and not key.startswith("django-insecure-")):
        return []
    return [
        Error(
            f"SECRET_KEY is weak: it has {len(key)} characters, {len(set(key))} of them different.",
            hint=f"Use at least {SHORTEST_SECRET_KEY} random ones: "
            "`python -c 'import secrets; print(secrets.token_urlsafe(50))'` prints some.",
            id="config.E001",
        )
    ]


@register("boot")
def check_debug_is_local(**kwargs: Any) -> list[CheckMessage]:
    public = [host for host in settings.ALLOWED_HOSTS if host not in LOCAL_HOSTS]
    if not settings.DEBUG or not public:
        return []
    return [
        Error(
            f"DEBUG is on while ALLOWED_HOSTS has {', '.join(public)}: error pages would show settings and "
            "code to anybody.",
            hint="Set DEBUG=false, or take these hosts out of ALLOWED_HOSTS.",
            id="config.E002",
        )
    ]


@register("boot")
def check_redis_url(**kwargs: Any) -> list[CheckMessage]:
    if not settings.REDIS_URL or _is_redis_url(settings.REDIS_URL):
        return []
    return [
        Error(
            "REDIS_URL cannot be read as the address of a Redis server.",
            hint="Write redis://:password@host:6379/0 (rediss:// with TLS), or leave it empty: tasks then go "
            "through the database.",
            id="config.E003",
        )
    ]


@register("boot")
def check_sentry_dsn(**kwargs: Any) -> list[CheckMessage]:
    if not settings.SENTRY_DSN or sentry.is_dsn(settings.SENTRY_DSN):
        return []
    return [
        Error(
            "SENTRY_DSN cannot be read as the address of a Sentry project.",
            hint="Copy it from the project's settings, under Client Keys (DSN): "
            "https://<key>@<host>/<number>. Or leave it empty: nothing is sent then.",
            id="config.E005",
        )
    ]


@register("boot")
def check_cors_origins(**kwargs: Any) -> list[CheckMessage]:
    wrong = [origin for origin in settings.CORS_ALLOWED_ORIGINS if not _is_origin(origin)]
    if not wrong:
        return []
    return [
        Error(
            f"CORS_ALLOWED_ORIGINS has {wrong[0]!r}, which is no origin.",
            hint="Write scheme and host, without a path and without *: https://board.example.com, with "
            "commas between several.",
            id="config.E010",
        )
    ]


@register("boot")
def check_disk_is_kept(**kwargs: Any) -> list[CheckMessage]:
    platform = next((name for variable, name in EPHEMERAL.items() if os.environ.get(variable)), None)
    if platform is None or settings.DATABASES["default"]["ENGINE"] != "django.db.backends.sqlite3":
        return []
    return [
        checks.Warning(
            f"The database is an SQLite file, and {platform} empties the disk at each restart: every order, "
            "trade and key would be lost.",
            hint="Add a PostgreSQL database and set DATABASE_URL to it, or keep the file on a volume.",
            id="config.W004",
        )
    ]


@register("boot", deploy=True)
def check_second_factor(**kwargs: Any) -> list[CheckMessage]:
    if settings.REQUIRE_MFA != "OFF":
        return []
    return [
        checks.Warning(
            "REQUIRE_MFA is off: a stolen password is enough to trade for every client of this desk.",
            hint="Set REQUIRE_MFA=staff (everybody but clients) or REQUIRE_MFA=all.",
            id="config.W005",
        )
    ]


def _is_origin(given: str) -> bool:
    try:
        url = urlsplit(given)
        is_whole = bool(url.hostname) and url.port != 0 and given == f"{url.scheme}://{url.netloc}"
    except ValueError:
        return False
    return url.scheme in {"http", "https"} and is_whole and "*" not in given and "@" not in given


def _is_redis_url(given: str) -> bool:
    try:
        url = urlsplit(given)
        has_place = bool(url.path if url.scheme == "unix" else url.hostname) and url.port != 0
    except ValueError:
        return False
    return url.scheme in REDIS_SCHEMES and has_place
