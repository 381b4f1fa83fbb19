"""What a connection must be before it is saved; each mistake is one sentence at its field."""

from __future__ import annotations

from collections.abc import Collection
from decimal import Decimal, InvalidOperation

from django.core.exceptions import ValidationError

from exchanges.errors import ProxyDownError
from exchanges.models import ExchangeConnection, Mode
from exchanges.proxy_address import DIRECT, ProxyAddressError, proxy_url, username_mistake
from exchanges.venues.credentials import credential_mistakes, missing_fields
from exchanges.venues.registry import UnknownVenueError, known_venues, venue
from exchanges.venues.trust import proxy_tls_context

PAPER_BALANCES_FORM = 'Write currencies and amounts like this: {"USDT": "10000", "BTC": "0.5"}.'


def check_connection(connection: ExchangeConnection) -> None:
    """Raises ValidationError with one sentence a field."""
    mistakes = _venue_mistakes(connection) | _proxy_mistakes(connection)
    mistakes["paper_balances"] = _paper_balances_mistake(connection.paper_balances)
    found = {name: sentence for name, sentence in mistakes.items() if sentence}
    if found:
        raise ValidationError(found)
    connection.full_clean()


def check_credentials(connection: ExchangeConnection, entered: Collection[str]) -> None:
    """entered: the fields that were typed anew; the others are not opened. Raises ValidationError."""
    its_venue = venue(connection.venue)
    held = {asked.name: getattr(connection, asked.name) for asked in its_venue.credential_fields}
    typed = {name: secret for name, secret in held.items() if name in entered}
    if not typed:
        return
    mistakes = missing_fields(its_venue, held) | credential_mistakes(its_venue, typed, known_venues())
    if mistakes:
        raise ValidationError(mistakes)


def _venue_mistakes(connection: ExchangeConnection) -> dict[str, str]:
    try:
        its_venue = venue(connection.venue)
    except UnknownVenueError as error:
        return {"venue": str(error)}
    connection.venue = its_venue.id  # as the registry writes it
    if its_venue.is_paper_only and connection.mode == Mode.LIVE:
        return {"mode": f"{its_venue.title} has no real accounts: choose paper."}
    return {}


def _proxy_mistakes(connection: ExchangeConnection) -> dict[str, str]:
    """The address is kept as `exchanges.proxy_address` writes it. No sentence repeats what was typed, which
    may hold a password."""
    given = connection.proxy_url.strip()
    connection.proxy_ca = connection.proxy_ca.strip()
    mistakes = {"proxy_ca": _ca_mistake(connection.proxy_ca)}
    try:
        if given.lower() in ("", DIRECT):
            connection.proxy_url = given.lower()
        else:
            connection.proxy_url = proxy_url(given)
    except ProxyAddressError as error:
        return mistakes | {"proxy_url": str(error)}
    return mistakes | {"proxy_username": username_mistake(connection.proxy_url, connection.proxy_username)}


def _ca_mistake(ca: str) -> str:
    if not ca:
        return ""
    try:
        proxy_tls_context(ca)
    except ProxyDownError as error:
        return error.sentence
    return ""


def _paper_balances_mistake(balances: object) -> str:
    if not isinstance(balances, dict):
        return PAPER_BALANCES_FORM
    for currency, amount in balances.items():
        if isinstance(amount, bool | float) or not currency:
            return PAPER_BALANCES_FORM
        try:
            number = Decimal(amount)
        except (InvalidOperation, TypeError, ValueError):
            return PAPER_BALANCES_FORM
        if not number.is_finite() or number < 0:
            return f"The paper balance of {currency} must be 0 or more."
    return ""
