"""The processes of the desk agree on who may use how much of what venues allow an address."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import Error as AnyDatabaseError

from bots.engine.processes import alive_ids
from database.thread import DatabaseThread
from exchanges.sharing import Answer, Ask, Place
from exchanges.venues import address_rows
from exchanges.venues.addresses import Addresses


async def agree(addresses: Addresses, database: DatabaseThread, me: str) -> None:
    """me: the runtime. Raises the database's errors, and goes on alone."""
    asks = addresses.asks()
    if not asks:
        return
    try:
        answers = await database.run(_agree, me, asks)
    except AnyDatabaseError:
        addresses.unanswered()
        raise
    addresses.take(answers, asks)


def _agree(me: str, asks: Mapping[Place, Ask]) -> Mapping[Place, Answer]:
    return address_rows.agree(me, asks, alive_ids())


def leave(me: str) -> None:
    """What the runtime held is the others' at once."""
    address_rows.leave(me)
