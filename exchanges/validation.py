"""What a connection must be before it is saved; each mistake is one sentence at its field."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError

from exchanges.models import ExchangeConnection, Mode
from exchanges.venues.registry import UnknownVenueError, venue

PROXY_SCHEMES = ("http", "https")
PAPER_BALANCES_FORM = 'Write currencies and amounts like this: {"USDT": "10000", "BTC": "0.5"}.'


def check_connection(connection: ExchangeConnection) -> None:
    """Raises ValidationError with one sentence a field."""
    mistakes = _venue_mistakes(connection) | {
        "proxy_url": proxy_mistake(connection.proxy_url),
        "paper_balances": _paper_balances_mistake(connection.paper_balances),
    }
    found = {name: sentence for name, sentence in mistakes.items() if sentence}
    if found:
        raise ValidationError(found)
    connection.full_clean()


def _venue_mistakes(connection: ExchangeConnection) -> dict[str, str]:
    try:
        its_venue = venue(connection.venue)
    except UnknownVenueError as error:
        return {"venue": str(error)}
    connection.venue = its_venue.id  # as the registry writes it
    if its_venue.is_paper_only and connection.mode == Mode.LIVE:
        return {"mode": f"{its_venue.title} has no real accounts: choose paper."}
    return {}


def proxy_mistake(url: str) -> str:
    """What is wrong with a proxy's URL; nothing where it is empty or right. Never repeats the URL, which
    may hold a password."""
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "This is not a proxy's address: write http://host:port."
    if "@" in parts.netloc:
        return (
            "Take the user name and password out of the proxy's address and put them into their own "
            "fields below, where they are encrypted."
        )
    if parts.scheme not in PROXY_SCHEMES or not parts.hostname:
        return "Start the proxy's address with http:// or https://, for example http://proxy.example:3128."
    if port is None:
        return "Name the proxy's port, for example http://proxy.example:3128."
    if parts.path.strip("/") or parts.query or parts.fragment:
        return "A proxy's address ends with its port: http://host:port."
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
