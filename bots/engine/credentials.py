"""Credentials are tried before the first order: new ones, and those that were changed."""

from __future__ import annotations

from bots.engine import ledger
from bots.engine.account import Account
from bots.engine.clock import utc_now
from bots.models import Severity
from exchanges.checkup.report import Outcome
from exchanges.checkup.verdicts import permissions_verdict
from exchanges.errors import PermissionMissingError
from exchanges.models import ExchangeConnection
from exchanges.venues.registry import venue


async def try_credentials(account: Account, connection: ExchangeConnection) -> None:
    """Asks the venue once what they may do, and says that they work. Raises VenueError where they do not:
    nothing is placed before they do."""
    if connection.is_paper or connection.credentials_tested_at is not None:
        return
    permissions = await account.gateway.fetch_permissions()
    outcome, sentence = permissions_verdict(permissions, venue(connection.venue).no_orders_because)
    if outcome is Outcome.FAILED:
        raise PermissionMissingError(sentence, connection=account.name)
    event = account.event(
        "credentials_work",
        f"The venue accepts the key. {sentence}",
        at=utc_now(),
        severity=Severity.WARNING if outcome is Outcome.WARNING else Severity.INFO,
    )
    await account.database.run(ledger.save_credentials_work, account.lease, connection, event)
