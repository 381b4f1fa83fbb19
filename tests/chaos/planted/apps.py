"""Breaks one of the engine's rules as the process starts; tests/chaos/planted/settings.py installs it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from django.apps import AppConfig
from django.db import transaction


class PlantedConfig(AppConfig):
    name = "tests.chaos.planted"

    def ready(self) -> None:
        PLANTS[os.environ["PLANT"]]()


def no_lookups() -> None:
    """An order whose outcome is unknown counts as refused, and nobody asks for it again."""
    from bots.engine import observe, submit

    _replace(submit, "MAY_BE_DONE", ())
    _replace(observe, "_adopt", _adopt_none)


def no_fence() -> None:
    """A worker that was taken for dead goes on: no lease is ever lost, no write is fenced."""
    from bots.engine import lease as leases
    from bots.engine import ledger

    @contextmanager
    def unfenced(_lease: Any, *, unexpired: bool = False) -> Iterator[None]:
        with transaction.atomic():
            yield

    def keep_all(_owner: Any, held: Collection[Any]) -> set[Any]:
        return {lease.connection_id for lease in held}

    _replace(ledger, "fenced", unfenced)
    _replace(leases, "renew", keep_all)
    _replace(leases.Lease, "check", lambda _self: None)


def no_adoption() -> None:
    """What was on its way when a worker died is booked as never placed."""
    from bots.engine import ledger, observe
    from bots.lifecycle import OrderState
    from bots.models import Order

    take_over = ledger.take_over_unsettled

    def forget(lease: Any, at: Any) -> list[Order]:
        in_flight = [OrderState.INTENDED, OrderState.UNKNOWN]
        orders = Order.objects.unsettled().filter(connection_id=lease.connection_id, state__in=in_flight)
        orders.update(state=OrderState.NEVER_PLACED, settled_at=at, closed_at=at)
        return take_over(lease, at)

    _replace(ledger, "take_over_unsettled", forget)
    _replace(observe, "_adopt", _adopt_none)


def trades_counted_twice() -> None:
    """A fill that is reported a second time moves the position again."""
    from bots.engine import ledger
    from bots.models import Position

    record_trades = ledger.record_trades

    def count_again(lease: Any, market: Any, fills: Sequence[Any]) -> list[Any]:
        fresh = record_trades(lease, market, fills)
        ids = {trade.venue_id for trade in fresh}
        for order, report in fills:
            if report.id not in ids:
                position = Position.objects.get(bot_id=order.bot_id, symbol=market.symbol)
                position.amount += report.amount
                position.save()
        return fresh

    _replace(ledger, "record_trades", count_again)


def exits_beside_exits() -> None:
    """What rests for a position is not seen: a stop is placed beside its target, and another beside that."""
    from bots.engine import tending, trip_orders

    for module in (tending, trip_orders):
        _replace(module, "live_exits", lambda _account, _trip: [])


async def _adopt_none(_account: Any, _strangers: Any) -> list[Any]:
    return []


def _replace(owner: object, name: str, by: object) -> None:
    """Raises AttributeError where there is nothing of that name any more: a bug in nothing is never found."""
    getattr(owner, name)
    setattr(owner, name, by)


PLANTS: dict[str, Callable[[], None]] = {
    "lookups": no_lookups,
    "fence": no_fence,
    "adoption": no_adoption,
    "trades": trades_counted_twice,
    "exits": exits_beside_exits,
}
