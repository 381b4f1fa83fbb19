"""Somebody looks at a market: its worker shows the book for a while."""

from __future__ import annotations

from datetime import timedelta

from django.utils import timezone

from bots.models import MarketView
from exchanges.models import ExchangeConnection

LOOKS_FOR = timedelta(seconds=30)


def look_at_market(*, connection: ExchangeConnection, symbol: str) -> None:
    """To be said again within LOOKS_FOR. It acts on nothing that is traded, so it leaves no audit row."""
    MarketView.objects.update_or_create(
        connection=connection, symbol=symbol, defaults={"wanted_until": timezone.now() + LOOKS_FOR}
    )
