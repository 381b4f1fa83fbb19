"""Fills a fresh database with a desk."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.management import call_command
from django.db import transaction

from tests.bots.engine.conftest import make_bot, make_connection
from tests.chaos.memory_venue import SYMBOLS

BOTS_PER_CONNECTION = 10
CYCLE_SECONDS = 5


def plant(*, bots: int, per_connection: int = BOTS_PER_CONNECTION) -> dict[str, Any]:
    """Migrates; then spread bots that run, each with a bid and an ask, the last connection with fewer."""
    call_command("migrate", verbosity=0)
    with transaction.atomic():
        for number in range(bots):
            place = number % per_connection
            if place == 0:
                connection = make_connection(f"C{number // per_connection}")
            make_bot(
                connection,
                f"B{number}",
                symbol=SYMBOLS[place % len(SYMBOLS)],
                cycle_seconds=CYCLE_SECONDS,
                bid_spread_pct=Decimal("0.002"),
                ask_spread_pct=Decimal("0.002"),
            )
    return {}
