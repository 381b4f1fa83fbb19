"""Whether a bot's connection lets it start."""

from __future__ import annotations

from exchanges import selectors as exchanges
from exchanges.models import ExchangeConnection
from exchanges.venues.registry import UnknownVenueError, venue


def connection_refusal(connection: ExchangeConnection) -> str:
    """Why not, in one sentence; empty where it does."""
    if connection.archived_at is not None:
        return f"The connection “{connection}” is archived: choose another one first."
    if not connection.enabled:
        return f"The connection “{connection}” is disabled: enable it first."
    try:
        its_venue = venue(connection.venue)
    except UnknownVenueError as error:
        return str(error)
    if its_venue.no_orders_because:
        return its_venue.no_orders_because
    return exchanges.live_refusal(connection)
