"""What people do to connections, and what workers learn of them. Every writer of these rows is here.

Doors check permissions; each service is one transaction that leaves an audit row in itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Literal, TypedDict, Unpack
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from audit.services import record
from exchanges.checkup.apart import run_apart
from exchanges.checkup.connection import examine_connection
from exchanges.checkup.report import TestReport
from exchanges.checkup.verdicts import holdings_of
from exchanges.models import Balance, ExchangeConnection, Market
from exchanges.selectors import busy_key_warnings, connection_spec, same_key_warnings
from exchanges.types import ZERO
from exchanges.types import Balance as BalanceNow
from exchanges.types import Market as MarketRules
from exchanges.validation import check_connection, check_credentials
from exchanges.venues.credentials import tidy
from vault.secret import Secret

SecretName = Literal["api_key", "api_secret", "passphrase", "proxy_password"]
SECRETS: tuple[SecretName, ...] = ("api_key", "api_secret", "passphrase", "proxy_password")
FIELDS = (
    "name", "venue", "mode", "owner", "proxy_url", "proxy_username", "proxy_ca", "proxy_ipv4_only",
    "paper_balances", "quote_currency", "enabled",
)  # fmt: skip
# What a worker tries before the first order.
CREDENTIALS = {"venue", "mode", "api_key", "api_secret", "passphrase"}
# With another venue or mode, the orders and trades that are recorded would be somebody else's.
FIXED_ONCE_USED = ("venue", "mode")
MARKET_FIELDS = (
    "base", "quote", "price_step", "amount_step", "price_digits", "min_amount", "max_amount", "min_cost",
    "maker_fee", "taker_fee", "active",
)  # fmt: skip


class ConnectionFields(TypedDict, total=False):
    """What a person may set, but the secrets."""

    name: str
    venue: str
    mode: str
    owner: Any  # the user model is a setting
    proxy_url: str
    proxy_username: str
    proxy_ca: str
    proxy_ipv4_only: bool
    paper_balances: dict[str, str]
    quote_currency: str
    enabled: bool


@transaction.atomic
def create_connection(
    *,
    actor: User | None,
    secrets: Mapping[SecretName, Secret] | None = None,
    **fields: Unpack[ConnectionFields],
) -> ExchangeConnection:
    """Raises ValidationError with one sentence a field."""
    connection = ExchangeConnection(**fields)
    entered = _tidied(secrets or {})
    for name, secret in entered.items():
        setattr(connection, name, secret)
    check_connection(connection)
    check_credentials(connection, entered)
    connection.balances_due_at = _first_look(connection)
    connection.save()
    after = _fields_of(connection) | {name: "set" for name in SECRETS if getattr(connection, name)}
    record(actor=actor, action="connection.created", target=connection, after=after)
    return connection


@transaction.atomic
def update_connection(
    *,
    connection: ExchangeConnection,
    actor: User | None,
    secrets: Mapping[SecretName, Secret] | None = None,
    clear: Iterable[SecretName] = (),
    **fields: Unpack[ConnectionFields],
) -> ExchangeConnection:
    """secrets: an empty one leaves what is stored; clear: those to remove. Raises ValidationError."""
    current = _locked(connection)
    before = _fields_of(current)
    for name, value in fields.items():
        setattr(current, name, value)
    entered = _tidied(secrets or {})
    new_secrets, secrets_before, secrets_after = _secret_changes(current, entered, set(clear))
    for secret_name, secret in new_secrets.items():
        setattr(current, secret_name, secret)
    check_connection(current)
    check_credentials(current, entered)
    after = _fields_of(current)
    changed = [name for name in FIELDS if before[name] != after[name]]
    _refuse_a_change_of_identity(current, changed)
    if changed or new_secrets:
        current.balances_due_at = _first_look(current)
        if CREDENTIALS.intersection([*changed, *new_secrets]):
            current.credentials_tested_at = None
        current.save(update_fields=[*changed, *new_secrets, "balances_due_at", "credentials_tested_at"])
        record(
            actor=actor,
            action="connection.updated",
            target=current,
            before={name: before[name] for name in changed} | secrets_before,
            after={name: after[name] for name in changed} | secrets_after,
        )
    return current


@transaction.atomic
def archive_connection(*, connection: ExchangeConnection, actor: User | None) -> ExchangeConnection:
    """What deleting means. Raises ValidationError while bots of it are at work. Twice is once."""
    current = _locked(connection)
    if current.archived_at is not None:
        return current
    at_work = sorted(str(bot) for bot in current.bots.at_work())
    if at_work:
        raise ValidationError(
            f"“{current}” still has bots that are not stopped: {', '.join(at_work)}. Stop them first."
        )
    current.archived_at = timezone.now()
    current.save(update_fields=["archived_at"])
    record(actor=actor, action="connection.archived", target=current)
    return current


def test_connection(*, connection: ExchangeConnection, actor: User | None) -> TestReport:
    """Asks the venue itself, whatever the mode; keeps the markets and a live account's balances.

    A paper account's own balances are play money: those that the venue shows are not stored. Loads ccxt:
    web processes call `test_connection_apart`.
    """
    found = examine_connection(connection_spec(connection))
    report = TestReport(
        steps=found.steps,
        holdings=None if found.balances is None else holdings_of(found.balances),
        warnings=same_key_warnings(connection) + busy_key_warnings(connection),
    )
    with transaction.atomic():
        if found.markets is not None:
            save_markets(venue=connection.venue, markets=found.markets)
        if found.balances is not None and not connection.is_paper:
            save_balances(connection_id=connection.pk, balances=found.balances, at=timezone.now())
        steps = [step.as_json() for step in report.steps]
        record(actor=actor, action="connection.tested", target=connection, after={"steps": steps})
    return report


def test_connection_apart(*, connection: ExchangeConnection, actor: User | None) -> TestReport:
    """The same in a process of its own, which gives back what ccxt takes: 100 MB. Raises CheckupError."""
    if settings.CHECKUP_APART:
        return run_apart(connection_id=connection.pk, username=actor.get_username() if actor else "")
    return test_connection(connection=connection, actor=actor)


@transaction.atomic
def save_markets(*, venue: str, markets: Mapping[str, MarketRules]) -> int:
    """Writes what is new or has changed; a market that is gone becomes inactive. Returns rows written."""
    stored = {row.symbol: row for row in Market.objects.filter(venue=venue)}
    fresh = [Market(venue=venue, symbol=symbol, **_rules(market)) for symbol, market in markets.items()]
    changed = [row for row in fresh if row.symbol not in stored or _rules(stored[row.symbol]) != _rules(row)]
    for symbol, row in stored.items():
        if symbol not in markets and row.active:
            row.pk, row.active = None, False
            changed.append(row)
    Market.objects.bulk_create(
        changed,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["venue", "symbol"],
        update_fields=[*MARKET_FIELDS, "updated_at"],
    )
    return len(changed)


@transaction.atomic
def save_balances(*, connection_id: UUID, balances: Mapping[str, BalanceNow], at: datetime) -> None:
    """What the account holds as of `at`; a currency that vanished becomes zero and stays on record."""
    rows = [
        Balance(connection_id=connection_id, currency=now.currency, free=now.free, used=now.used, at=at)
        for now in balances.values()
    ]
    gone: QuerySet[Balance] = Balance.objects.filter(connection_id=connection_id)
    gone.exclude(currency__in=[row.currency for row in rows]).update(free=ZERO, used=ZERO, at=at)
    Balance.objects.bulk_create(
        rows,
        batch_size=500,
        update_conflicts=True,
        unique_fields=["connection", "currency"],
        update_fields=["free", "used", "at"],
    )
    ExchangeConnection.objects.filter(pk=connection_id).update(balances_at=at)


def _first_look(connection: ExchangeConnection) -> datetime | None:
    """When a worker is to look at the balances: now, or never where there is no key to ask with."""
    return timezone.now() if connection.is_paper or connection.api_key else None


def _locked(connection: ExchangeConnection) -> ExchangeConnection:
    return ExchangeConnection.objects.select_for_update(of=("self",)).get(pk=connection.pk)


def _fields_of(connection: ExchangeConnection) -> dict[str, Any]:
    """As an audit row shows them; the owner by name."""
    return {name: getattr(connection, name) for name in FIELDS} | {"owner": str(connection.owner)}


def _rules(market: Market | MarketRules) -> dict[str, Decimal | str | int | bool | None]:
    return {name: getattr(market, name) for name in MARKET_FIELDS}


def _tidied(entered: Mapping[SecretName, Secret]) -> dict[SecretName, Secret]:
    """Those that are not empty, as a venue takes them; a proxy's password stays as it was typed."""
    return {
        name: secret if name == "proxy_password" else tidy(name, secret)
        for name, secret in entered.items()
        if secret
    }


def _secret_changes(
    current: ExchangeConnection, entered: Mapping[SecretName, Secret], clear: set[SecretName]
) -> tuple[dict[SecretName, Secret], dict[str, str], dict[str, str]]:
    """(new values, what an audit row says of before, and of after): words, never the secrets."""
    new: dict[SecretName, Secret] = {name: Secret.empty() for name in clear if getattr(current, name)}
    new |= {name: secret for name, secret in entered.items() if secret}
    before: dict[str, str] = {name: "set" if getattr(current, name) else "empty" for name in new}
    after: dict[str, str] = {name: "changed" if secret else "removed" for name, secret in new.items()}
    return new, before, after


def _refuse_a_change_of_identity(connection: ExchangeConnection, changed: Iterable[str]) -> None:
    if not set(changed).intersection(FIXED_ONCE_USED) or not connection.orders.exists():
        return
    sentence = "Orders are recorded for this connection, so its venue and mode stay; create another one."
    raise ValidationError({name: sentence for name in changed if name in FIXED_ONCE_USED})
