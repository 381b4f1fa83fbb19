"""`manage.py import_connections`: keys from the environment become connections, and none is ever printed."""

from __future__ import annotations

import io
import json
import os

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from audit.models import AuditEntry
from exchanges import services
from exchanges.management.commands.import_connections import PREFIXES
from exchanges.models import ExchangeConnection
from exchanges.venues.registry import known_venues
from vault.secret import Secret

KEY, SECRET = "canary-key-5f1c9d77", "canary-secret-0be4aa12"
OKX = {
    "OKX_API_KEY": "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
    "OKX_API_SECRET": "0A1B2C3D" * 4,
    "OKX_API_PASSPHRASE": "canary words",
}
pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_keys_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(tuple(f"{prefix}_" for prefix in PREFIXES.values())):
            monkeypatch.delenv(name)


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss")


@pytest.fixture
def binance(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", SECRET)


def imported(*arguments: str) -> dict[str, str]:
    """What it says, by the venue's title."""
    out = io.StringIO()
    call_command("import_connections", *arguments, stdout=out, stderr=out)
    assert not [secret for secret in (KEY, SECRET, *OKX.values()) if secret in out.getvalue()]
    return dict(line.split(": ", 1) for line in out.getvalue().splitlines())


def test_a_complete_key_becomes_a_live_connection_with_an_audit_row(boss: User, binance: None) -> None:
    assert imported()["Binance"] == "made “Binance” (live)."
    connection = ExchangeConnection.objects.get()
    assert (connection.owner, connection.venue, connection.mode) == (boss, "binance", "live")
    assert (connection.api_key.reveal(), connection.api_secret.reveal()) == (KEY, SECRET)
    entry = AuditEntry.objects.get(action="connection.created")
    assert (entry.actor, entry.after["api_key"]) == (None, "set")
    assert "canary" not in json.dumps(entry.after)


def test_what_is_not_set_is_named_and_skipped_without_an_error(boss: User) -> None:
    said = imported()
    assert said["Kraken"] == "skipped; not set: KRAKEN_MASTER_API_KEY, KRAKEN_MASTER_API_SECRET."
    assert not ExchangeConnection.objects.exists()


def test_what_is_missing_of_a_key_is_named(boss: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OKX_API_KEY", OKX["OKX_API_KEY"])
    monkeypatch.setenv("OKX_API_SECRET", OKX["OKX_API_SECRET"])
    monkeypatch.setenv("OKX_API_PASSPHRASE", "  ")
    assert imported()["OKX"] == "skipped; missing beside the rest: OKX_API_PASSPHRASE."


@pytest.mark.parametrize("ending", ["API_PASSPHRASE", "PASSPHRASE"])
def test_a_passphrase_is_found_by_either_name(
    boss: User, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    for name, value in OKX.items():
        monkeypatch.setenv(name.replace("API_PASSPHRASE", ending), value)
    imported()
    assert ExchangeConnection.objects.get().passphrase.reveal() == "canary words"


def test_a_second_import_changes_nothing(boss: User, binance: None) -> None:
    imported()
    assert imported()["Binance"] == "“Binance” has this key already."
    assert AuditEntry.objects.count() == 1


def test_another_key_replaces_the_stored_one_only_when_asked(
    boss: User, binance: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    imported()
    monkeypatch.setenv("BINANCE_API_SECRET", "canary-another-1")
    assert imported()["Binance"] == "“Binance” has another key, which stays; --update replaces it."
    assert ExchangeConnection.objects.get().api_secret.reveal() == SECRET
    assert imported("--update")["Binance"] == "“Binance” has the new key."
    assert ExchangeConnection.objects.get().api_secret.reveal() == "canary-another-1"
    assert AuditEntry.objects.get(action="connection.updated").after["api_secret"] == "changed"


def test_a_connection_of_another_name_is_the_one_that_is_meant(boss: User, binance: None) -> None:
    mine = services.create_connection(actor=boss, owner=boss, name="Mine", venue="binance", mode="live")
    assert imported("--update")["Binance"] == "“Mine” has the new key."
    mine.refresh_from_db()
    assert mine.api_key.reveal() == KEY


def test_nobody_guesses_between_two_connections(boss: User, binance: None) -> None:
    for name in ("One", "Two"):
        services.create_connection(actor=boss, owner=boss, name=name, venue="binance", mode="live")
    assert imported("--update")["Binance"].startswith("skipped, because there are several connections")
    assert not any(row.api_key for row in ExchangeConnection.objects.all())


def test_a_key_that_another_owner_has_stored_is_warned_of(boss: User, binance: None) -> None:
    other = User.objects.create_user("other")
    services.create_connection(
        actor=boss, owner=other, name="Theirs", venue="binance", mode="live",
        secrets={"api_key": Secret(KEY), "api_secret": Secret(SECRET)},
    )  # fmt: skip
    assert "Warning: Another owner's connection has the same API key" in imported()["Binance"]


def test_a_refused_key_keeps_the_others_from_nothing(
    boss: User, binance: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    swapped = OKX | {"OKX_API_KEY": OKX["OKX_API_SECRET"], "OKX_API_SECRET": OKX["OKX_API_KEY"]}
    for name, value in swapped.items():
        monkeypatch.setenv(name, value)
    out = io.StringIO()
    with pytest.raises(CommandError, match="Refused: OKX"):
        call_command("import_connections", stdout=out)
    assert "OKX: refused. This looks like the Secret key" in out.getvalue()
    assert [row.venue for row in ExchangeConnection.objects.all()] == ["binance"]


def test_a_private_key_with_written_out_line_ends_gets_them_back(
    boss: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COINBASE_API_KEY", "organizations/0a1b/apiKeys/2c3d")
    lines = ["-----BEGIN EC PRIVATE KEY-----", "A" * 64, "A" * 8, "-----END EC PRIVATE KEY-----", ""]
    monkeypatch.setenv("COINBASE_API_SECRET", "\\n".join(lines))
    imported()
    assert ExchangeConnection.objects.get(venue="coinbase").api_secret.reveal() == "\n".join(lines)


def test_without_an_owner_it_takes_the_only_administrator_or_asks(boss: User, binance: None) -> None:
    User.objects.create_superuser("second")
    with pytest.raises(CommandError, match="--owner USERNAME"):
        imported()
    with pytest.raises(CommandError, match="no user “nobody”"):
        imported("--owner", "nobody")
    imported("--owner", "second", "--mode", "paper")
    connection = ExchangeConnection.objects.get()
    assert (connection.owner.username, connection.mode) == ("second", "paper")


def test_every_venue_that_asks_for_a_key_can_be_imported() -> None:
    assert {known.id for known in known_venues() if known.credential_fields} <= PREFIXES.keys()
