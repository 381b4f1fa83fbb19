"""The start of a lease: a gateway is opened, and our books are brought together with the venue's."""

from __future__ import annotations

from dataclasses import dataclass, field

from django.db import Error as AnyDatabaseError

from bots.engine import ledger, trips
from bots.engine.account import Account
from bots.engine.clock import utc_now
from bots.engine.condition import Condition
from bots.engine.feed import Feeds
from bots.engine.lease import Lease
from bots.engine.measured import MeasuredGateway
from bots.engine.observe import observe
from bots.engine.tape import Scans
from database.thread import DatabaseThread
from exchanges.errors import RejectedError
from exchanges.models import ExchangeConnection
from exchanges.selectors import connection_spec, live_refusal
from exchanges.services import save_markets
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire


@dataclass(frozen=True, kw_only=True)
class Office:
    """What all duties of a runtime share."""

    wire: Wire
    feeds: Feeds
    database: DatabaseThread
    scans: Scans = field(default_factory=Scans)


async def open_account(
    lease: Lease, connection: ExchangeConnection, office: Office, health: Condition
) -> Account:
    """An account whose books are still empty; what comes of its calls is noted in `health`.

    Raises VaultError where a secret cannot be read, RejectedError where nothing may be sent for this
    connection: a live one without keys asks its venue nothing.
    """
    if refusal := live_refusal(connection):
        raise RejectedError(refusal, connection=connection.name)
    spec = connection_spec(connection)
    feed = office.feeds.feed(spec.venue, spec.proxy)
    gateway = open_gateway(spec, wire=office.wire, licence=lease, market_data=feed, database=office.database)
    return Account(
        lease=lease,
        name=spec.name,
        gateway=MeasuredGateway(gateway, health),
        feed=feed,
        database=office.database,
        health=health,
        is_dry_run=connection.is_dry_run,
    )


async def follow_markets(account: Account, venue: str) -> None:
    """The venue's list as it is now. What is new in it is written once for all connections that share it: a
    venue may have ten thousand markets. Raises VenueError where there is none yet."""
    markets = await account.gateway.load_markets()
    if markets is account.markets:
        return
    if markets != account.markets and markets is not account.feed.saved_markets:
        account.feed.saved_markets = markets
        try:
            await account.database.run(save_markets, venue=venue, markets=markets)
        except AnyDatabaseError:
            account.feed.saved_markets = None
            raise
    account.markets = markets


async def take_over(account: Account, venue: str) -> None:
    """The books as the last holder left them; what was on its way then is looked up.

    Raises VenueError while the venue cannot be asked: nothing is placed before the books agree.
    """
    await follow_markets(account, venue)
    account.orders.clear()
    account.foreign.clear()  # a name may have been misread
    account.hold(await account.database.run(ledger.take_over_unsettled, account.lease, utc_now()))
    account.positions = await account.database.run(ledger.positions_of, account.lease)
    account.trips = await account.database.run(trips.at_work, account.lease)
    symbols = {order.symbol for order in account.orders.values()} & account.markets.keys()
    if symbols:
        await observe(account, symbols, thorough=True)
