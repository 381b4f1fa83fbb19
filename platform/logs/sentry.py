"""Mistakes of the program are told to Sentry where SENTRY_DSN is set: through the redaction, without local
variables, and without anything that a person sent.

Every process calls start() as it begins; what is forked from it goes on telling.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.conf import settings

from logs.about import ids
from vault.redaction import redact_all

if TYPE_CHECKING:
    from sentry_sdk.types import Event, Hint

# Of a request, that is all: cookies, headers, query and body are people's.
_OF_A_REQUEST = ("method", "url")
_NEVER = ("user", "server_name", "modules", "extra")


def is_dsn(given: str) -> bool:
    """Whether it is the address that a project of Sentry's shows as its DSN."""
    from sentry_sdk.utils import BadDsn, Dsn

    try:
        return bool(Dsn(given).public_key)
    except (BadDsn, ValueError):
        return False


def start() -> None:
    """Nothing without a DSN; a wrong one is for the start-up checks to say."""
    if not settings.SENTRY_DSN or not is_dsn(settings.SENTRY_DSN):
        return
    import sentry_sdk

    sentry_sdk.init(dsn=settings.SENTRY_DSN, **options())


def options() -> dict[str, Any]:
    """For sentry_sdk.init."""
    return {
        "include_local_variables": False,
        "send_default_pii": False,
        "max_request_body_size": "never",
        "max_breadcrumbs": 0,
        "traces_sample_rate": 0.0,
        "auto_session_tracking": False,
        "before_send": clean,
    }


def clean(event: Event, _hint: Hint) -> Event:
    """What is left to be sent."""
    kept: dict[str, Any] = {key: value for key, value in event.items() if key not in _NEVER}
    if "request" in kept:
        kept["request"] = _part(kept["request"], _OF_A_REQUEST)
    kept["tags"] = {**kept.get("tags", {}), **ids()}
    cleaned: Event = redact_all(kept)
    return cleaned


def _part(of: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {name: of[name] for name in names if name in of}
