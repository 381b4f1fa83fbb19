"""Makes connections of the API keys that stand in the environment."""

from __future__ import annotations

import os
from argparse import ArgumentParser
from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from exchanges.models import ExchangeConnection, Mode
from exchanges.selectors import holds, same_key_warnings
from exchanges.services import SecretName, create_connection, update_connection
from exchanges.venues.credentials import tidy
from exchanges.venues.facts import Venue
from exchanges.venues.registry import venue_or_none
from vault.secret import Secret

# What the variables of each venue begin with, in the order in which the venues are named.
PREFIXES = {
    "binance": "BINANCE",
    "okx": "OKX",
    "kraken": "KRAKEN_MASTER",
    "coinbase": "COINBASE",
    "alpaca": "ALPACA",
    "coinstore": "COINSTORE",
    "bitmart": "BITMART",
}
# How they end; the first is the one that a person is told.
ENDINGS: Mapping[SecretName, tuple[str, ...]] = {
    "api_key": ("API_KEY",),
    "api_secret": ("API_SECRET", "SECRET", "SECRET_KEY"),
    "passphrase": ("API_PASSPHRASE", "PASSPHRASE", "API_MEMO", "MEMO"),
}
MEMO = "memo"


class Command(BaseCommand):
    help = (
        "Makes a connection for each venue whose API key stands in the environment or in .env. Says what "
        "is missing, skips what is not there, and replaces nothing without --update. Nothing trades before "
        "a bot is started. Exit code 1: a key was refused."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        whose = "who owns them; may be left out where there is one administrator"
        parser.add_argument("--owner", metavar="USERNAME", help=whose)
        parser.add_argument(
            "--mode",
            choices=Mode.values,
            default=Mode.LIVE.value,
            help="of new ones: live where nothing is said",
        )
        parser.add_argument("--update", action="store_true", help="replace credentials that are stored")

    def handle(self, *_args: Any, owner: str | None, mode: str, update: bool, **_options: Any) -> None:
        its_owner = _owner(owner)
        refused = []
        for venue_id, prefix in PREFIXES.items():
            its_venue = venue_or_none(venue_id)
            if its_venue is None:
                continue
            try:
                said = _import(its_venue, prefix, owner=its_owner, mode=mode, update=update)
            except ValidationError as error:
                said = f"refused. {' '.join(error.messages)}"
                refused.append(its_venue.title)
            self.stdout.write(f"{its_venue.title}: {said}")
        if refused:
            raise CommandError(f"Refused: {', '.join(refused)}.")


def _owner(username: str | None) -> User:
    """Raises CommandError."""
    if username:
        found = User.objects.filter(username=username).first()
        if found is None:
            raise CommandError(f"There is no user “{username}”: make one with `manage.py createsuperuser`.")
        return found
    administrators = list(User.objects.filter(is_superuser=True, is_active=True)[:2])
    if len(administrators) != 1:
        raise CommandError("Say who owns the connections: --owner USERNAME.")
    return administrators[0]


def _import(its_venue: Venue, prefix: str, *, owner: User, mode: str, update: bool) -> str:
    """What was done, in words. Raises ValidationError."""
    found = {asked.name: _value(prefix, asked.name) for asked in its_venue.credential_fields}
    missing = [_told(prefix, its_venue, name) for name, value in found.items() if not value]
    if missing:
        told = "not set" if len(missing) == len(found) else "missing beside the rest"
        return f"skipped; {told}: {', '.join(missing)}."
    secrets: Any = {name: tidy(name, Secret(value)) for name, value in found.items()}
    return _keep(its_venue, secrets, owner=owner, mode=mode, update=update)


def _keep(
    its_venue: Venue, secrets: Mapping[SecretName, Secret], *, owner: User, mode: str, update: bool
) -> str:
    existing = ExchangeConnection.objects.filter(owner=owner, venue=its_venue.id, archived_at=None)
    named = existing.filter(name__iexact=its_venue.title)
    rows = list(named or existing[:2])
    if len(rows) > 1:
        return "skipped, because there are several connections: enter the key at the right one."
    if not rows:
        made = create_connection(
            actor=None, owner=owner, name=its_venue.title, venue=its_venue.id, mode=mode, secrets=secrets
        )
        return _with_warnings(f"made “{made}” ({made.mode}).", made)
    return _renew(rows[0], secrets, update=update)


def _renew(connection: ExchangeConnection, secrets: Mapping[SecretName, Secret], *, update: bool) -> str:
    if holds(connection, secrets):
        return f"“{connection}” has this key already."
    if not update:
        return f"“{connection}” has another key, which stays; --update replaces it."
    updated = update_connection(connection=connection, actor=None, secrets=secrets)
    return _with_warnings(f"“{updated}” has the new key.", updated)


def _with_warnings(said: str, connection: ExchangeConnection) -> str:
    return " ".join([said, *(f"Warning: {each}" for each in same_key_warnings(connection))])


def _value(prefix: str, name: str) -> str:
    values = (os.environ.get(f"{prefix}_{ending}", "").strip() for ending in ENDINGS[name])  # type: ignore[index]
    return next(filter(None, values), "")


def _told(prefix: str, its_venue: Venue, name: str) -> str:
    """The variable by which a person is asked for it: a memo is called so."""
    label = next(asked.label for asked in its_venue.credential_fields if asked.name == name)
    ending = "MEMO" if label.lower() == MEMO else ENDINGS[name][0]  # type: ignore[index]
    return f"{prefix}_{ending}"
