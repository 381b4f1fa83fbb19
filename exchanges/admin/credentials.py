"""The part of a connection's form that follows from the venue: what it asks for, and where a key is made."""

from __future__ import annotations

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString

from exchanges.models import ExchangeConnection
from exchanges.venues.facts import Venue

CREDENTIALS = ("api_key", "api_secret", "passphrase")
ENCRYPTED = "Encrypted when saved, and never shown again."


def credential_fieldset(
    venue: Venue | None, connection: ExchangeConnection | None
) -> list[tuple[str, dict[str, Any]]]:
    """Of what the venue asks for, and of what is stored all the same; all, where no venue is chosen yet."""
    asked = CREDENTIALS if venue is None else tuple(field.name for field in venue.credential_fields)
    stored = tuple(name for name in CREDENTIALS if connection is not None and getattr(connection, name))
    names = dict.fromkeys((*asked, *stored))
    if not names:
        return []
    fields = [(name, f"clear_{name}") for name in names]
    return [("Credentials", {"description": _description(venue), "fields": fields})]


def _description(venue: Venue | None) -> SafeString:
    """The theme writes it into the page as it is, so what is not ours is escaped here."""
    if venue is None or not venue.key_page:
        return format_html("{}", ENCRYPTED)
    link = format_html(
        '<a class="desk-link" href="{}" target="_blank" rel="noopener noreferrer">{}</a>',
        venue.key_page,
        f"Make a key at {venue.title}",
    )
    wanted = " and ".join(f"“{permission}”" for permission in venue.permissions)
    allow = f"; allow {wanted}, and never withdrawals" if wanted else ""
    return format_html("{}{}. {}", link, allow, ENCRYPTED)
