"""Empties the book of our orders, outside the loop that it stops: it needs no worker and no lease.

Orders are cancelled by id, all at once, again and again until the venue has none of them left or the time is
up; a call that fails does not keep the others from it. Rows of orders are left to the holder of the lease;
where nobody holds it, it is taken, and the books are brought together at once.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import timedelta

from bots.engine import lease as leases
from bots.engine.account import Account, ask_for, ref_of
from bots.engine.clock import uptime, utc_now
from bots.engine.feed import Feeds
from bots.engine.lease import LeaseLostError
from bots.engine.takeover import take_over
from bots.lifecycle import LIVE
from bots.models import Order
from database.thread import DatabaseThread
from exchanges.errors import OrderNotFoundError, VenueError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS, Gateway, NotLicensedError
from exchanges.models import ExchangeConnection
from exchanges.selectors import connection_spec
from exchanges.types import VenueOrderStatus
from exchanges.venues.registry import UnknownVenueError, open_gateway, open_market_data
from exchanges.venues.wire import Wire
from vault.keyring import VaultError

log = logging.getLogger(__name__)

LOOK_AGAIN_SECONDS = 0.5
# A request that was under way when the switch was pulled has arrived by then, or never will.
IN_FLIGHT = timedelta(seconds=HTTP_TIMEOUT_SECONDS + 1)
REAL_MONEY = (
    "Not cancelled: it is a real order, and DRY_RUN keeps every request from the venue. Cancel it there, or "
    "set DRY_RUN=false and pull the switch again."
)
PLAY_MONEY = "It is a dry run's order: play money, which nothing moves while DRY_RUN is off."
RESTING = {VenueOrderStatus.OPEN, VenueOrderStatus.SUBMITTED}


@dataclass(frozen=True, kw_only=True)
class Ended:
    """What became of one order. is_certain: the venue said so."""

    order: Order
    sentence: str
    is_certain: bool


@dataclass
class _Target:
    """The orders of one connection that are to go, and what is known of each."""

    connection: ExchangeConnection
    orders: list[Order]
    ended: dict[str, Ended] = field(default_factory=dict)
    left: set[str] = field(default_factory=set)

    def open(self) -> list[Order]:
        return [
            order for order in self.orders if order.client_id not in self.left and not self._is_done(order)
        ]

    def leave_alone(self, order: Order) -> None:
        """An order of the books that are not in use now."""
        self.left.add(order.client_id)
        self.note(order, PLAY_MONEY if order.is_dry_run else REAL_MONEY, is_certain=order.is_dry_run)

    def note(self, order: Order, sentence: str, *, is_certain: bool) -> None:
        self.ended[order.client_id] = Ended(order=order, sentence=sentence, is_certain=is_certain)

    def _is_done(self, order: Order) -> bool:
        known = self.ended.get(order.client_id)
        return known is not None and known.is_certain


def cancel_orders(orders: Iterable[Order], *, seconds: float) -> list[Ended]:
    """Cancels those of these orders that are live at their venues; what became of each. Blocks for at most
    `seconds` or so."""
    by_connection: dict[uuid.UUID, _Target] = {}
    for order in orders:
        target = by_connection.setdefault(order.connection_id, _Target(order.connection, []))
        target.orders.append(order)
        if order.state not in LIVE:
            target.note(order, f"{order.get_state_display()}.", is_certain=True)
        elif order.is_dry_run != order.connection.is_dry_run:
            target.leave_alone(order)
    reachable = [target for target in by_connection.values() if target.open()]
    if reachable:
        asyncio.run(_empty(reachable, seconds))
    return [target.ended[order.client_id] for target in by_connection.values() for order in target.orders]


async def _empty(targets: Collection[_Target], seconds: float) -> None:
    database = DatabaseThread("kill-switch")
    try:
        async with Wire() as wire:
            await asyncio.gather(*(_empty_connection(target, wire, database, seconds) for target in targets))
    finally:
        database.close()


async def _empty_connection(target: _Target, wire: Wire, database: DatabaseThread, seconds: float) -> None:
    """One connection; what fails here stays here, and is what its orders report."""
    try:
        gateway = open_gateway(connection_spec(target.connection), wire=wire, database=database)
    except (VaultError, UnknownVenueError) as error:
        for order in target.open():
            target.note(order, str(error), is_certain=False)
        return
    give_up_at = uptime() + seconds
    try:
        while target.open() and uptime() < give_up_at:
            await asyncio.gather(*(_cancel(gateway, target, order) for order in target.open()))
            if target.open():
                await asyncio.sleep(LOOK_AGAIN_SECONDS)
        await _bring_books_together(target.connection, gateway, wire, database)
    finally:
        await gateway.close()


async def _cancel(gateway: Gateway, target: _Target, order: Order) -> None:
    try:
        report = await gateway.cancel(ref_of(order))
        if report is None:
            report = await gateway.fetch_order(ref_of(order))
    except OrderNotFoundError:
        await _look_up(gateway, target, order)
        return
    except VenueError as error:
        target.note(order, error.sentence, is_certain=False)
        return
    _note(target, order, report.status)


async def _look_up(gateway: Gateway, target: _Target, order: Order) -> None:
    """It is not open: filled, ended before, or never there. One that may be on its way is asked for again."""
    try:
        report = await ask_for(gateway, order)
    except OrderNotFoundError:
        has_arrived = utc_now() - order.created_at > IN_FLIGHT
        target.note(order, "The venue has no such order.", is_certain=has_arrived)
    except VenueError as error:
        target.note(order, error.sentence, is_certain=False)
    else:
        order.venue_id = order.venue_id or report.venue_id
        _note(target, order, report.status)


def _note(target: _Target, order: Order, status: VenueOrderStatus) -> None:
    if status in RESTING:
        target.note(order, "The venue accepted the cancel and has not carried it out yet.", is_certain=False)
    else:
        target.note(order, f"{status.value.capitalize()}.", is_certain=True)


async def _bring_books_together(
    connection: ExchangeConnection, gateway: Gateway, wire: Wire, database: DatabaseThread
) -> None:
    """Where no worker holds the lease, ours for a moment: what became of the orders is written down."""
    lease = await database.run(leases.acquire_one, uuid.uuid4(), connection.pk)
    if lease is None:
        return
    feeds = Feeds(lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=wire))
    spec = connection_spec(connection)
    account = Account(
        lease=lease,
        name=spec.name,
        gateway=gateway,
        feed=feeds.feed(spec.venue, spec.proxy),
        database=database,
        is_dry_run=connection.is_dry_run,
    )
    try:
        await take_over(account, connection.venue)
    except (VenueError, LeaseLostError, NotLicensedError) as error:
        log.warning("the books of %s are brought together by its next worker: %s", connection, error)
    finally:
        await feeds.close()
        await database.run(leases.give_back, lease)
