"""`manage.py rotate_secrets` and the checks of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import override_settings

from exchanges.models import ExchangeConnection
from vault import rotation
from vault.checks import check_encryption_keys
from vault.keyring import Keyring, is_key, key_id, keyring, new_key
from vault.rotation import Column, encrypted_columns, rotate
from vault.secret import Secret

OLD, NEW, LOST = new_key(), new_key(), new_key()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def old_secrets(owner: User) -> Iterator[None]:
    """Five connections, each with two secrets under the old key; the new key is in force."""
    with override_settings(FIELD_ENCRYPTION_KEYS=[OLD]):
        for number in range(5):
            ExchangeConnection.objects.create(
                name=f"{number}",
                venue="okx",
                owner=owner,
                api_key=f"api-key-{number}",
                api_secret=f"api-secret-{number}",
            )
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW, OLD]):
        yield


def run() -> str:
    output = StringIO()
    call_command("rotate_secrets", stdout=output)
    return output.getvalue()


def stored(column: str) -> list[str]:
    rows = Column(ExchangeConnection, column).rows().order_by("name")
    return list(rows.values_list("as_stored", flat=True))


def test_every_encrypted_column_of_a_connection_is_found_once() -> None:
    found = [column.field for column in encrypted_columns() if column.model is ExchangeConnection]
    assert sorted(found) == ["api_key", "api_secret", "passphrase", "proxy_password"]


@pytest.mark.parametrize("batch", [1, 2, 5, 200])
def test_all_secrets_are_put_under_the_first_key(
    batch: int, old_secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rotation, "BATCH", batch)
    assert run() == "10 rotated, 0 already current, 0 unreadable.\n"
    assert all(seal.startswith(f"enc1:{key_id(NEW)}:") for seal in stored("api_key") + stored("api_secret"))
    assert stored("passphrase") == [""] * 5


def test_after_a_rotation_the_old_key_is_not_needed(old_secrets: None) -> None:
    run()
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW]):
        read = [row.api_key.reveal() for row in ExchangeConnection.objects.order_by("name")]
    assert read == [f"api-key-{number}" for number in range(5)]


def test_a_second_rotation_changes_nothing(old_secrets: None) -> None:
    run()
    before = stored("api_key")
    assert run() == "0 rotated, 10 already current, 0 unreadable.\n"
    assert stored("api_key") == before


def test_secrets_that_no_key_opens_are_named_left_alone_and_fail_the_command(old_secrets: None) -> None:
    lost = ExchangeConnection.objects.get(name="2")
    seal = Keyring((LOST,)).seal("lost-secret")
    Column(ExchangeConnection, "api_key").rows().filter(pk=lost.pk).update(api_key=Secret.from_sealed(seal))
    with pytest.raises(CommandError, match=f"exchanges.ExchangeConnection {lost.pk} api_key"):
        run()
    assert stored("api_key")[2] == seal
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW]):
        others = ExchangeConnection.objects.exclude(pk=lost.pk)
        assert {row.api_key.reveal() for row in others} == {f"api-key-{n}" for n in (0, 1, 3, 4)}


def test_a_secret_that_the_desk_saves_during_the_rotation_is_kept(
    old_secrets: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = ExchangeConnection.objects.get(name="0")
    unseal, saved = Keyring.unseal, list[str]()

    def unseal_while_the_desk_saves(ring: Keyring, seal: str) -> str:
        if not saved:
            saved.append(seal)
            in_between = Secret.from_sealed(Keyring((NEW,)).seal("saved-in-between"))
            ExchangeConnection.objects.filter(pk=row.pk).update(api_key=in_between)
        return unseal(ring, seal)

    monkeypatch.setattr(Keyring, "unseal", unseal_while_the_desk_saves)
    result = rotate(Column(ExchangeConnection, "api_key"))
    row.refresh_from_db()
    assert row.api_key.reveal() == "saved-in-between"
    assert (result.rotated, result.current) == (4, 1)


def test_a_new_key_is_printed_without_any_key_set() -> None:
    output = StringIO()
    with override_settings(FIELD_ENCRYPTION_KEYS=[]):
        call_command("rotate_secrets", new_key=True, stdout=output)
    assert is_key(output.getvalue().strip())


def test_a_rotation_without_keys_says_what_to_do() -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[]), pytest.raises(CommandError, match="--new-key"):
        run()


# --- Checks


def ids_for(keys: list[str], secret_key: str = "a secret key of its own") -> set[str | None]:
    with override_settings(FIELD_ENCRYPTION_KEYS=keys, SECRET_KEY=secret_key):
        messages = check_encryption_keys()
    assert all(message.hint and "--new-key" in message.hint for message in messages)
    assert not any(key in f"{message.msg} {message.hint}" for message in messages for key in keys if key)
    return {message.id for message in messages}


def test_good_keys_pass() -> None:
    assert ids_for([NEW, OLD]) == set()


def test_missing_keys_are_an_error() -> None:
    assert ids_for([]) == {"vault.E001"}


@pytest.mark.parametrize(
    "key",
    ["short", "", "x" * 44, NEW[:-2], "schlüssel" * 5],
    ids=["short", "empty", "letters", "cut", "not ASCII"],
)
def test_a_malformed_key_is_an_error(key: str) -> None:
    assert ids_for([NEW, key]) == {"vault.E002"}


def test_a_repeated_key_is_a_warning() -> None:
    assert ids_for([NEW, OLD, NEW]) == {"vault.W003"}


SECRET_KEY = "django-secret-key-0123456789-abcdefghijklmnopqrstuvwxyz"
DERIVED = {
    "sha256": hashlib.sha256(SECRET_KEY.encode()).digest(),
    "its first bytes": SECRET_KEY.encode()[:32],
    "its last bytes": SECRET_KEY.encode()[-32:],
    "md5 in hex": hashlib.md5(SECRET_KEY.encode(), usedforsecurity=False).hexdigest().encode(),
}


@pytest.mark.parametrize("derived", DERIVED.values(), ids=DERIVED)
def test_a_key_made_from_secret_key_is_an_error(derived: bytes) -> None:
    assert ids_for([base64.urlsafe_b64encode(derived).decode()], SECRET_KEY) == {"vault.E004"}


def test_a_key_that_is_secret_key_is_an_error() -> None:
    assert ids_for([NEW], secret_key=NEW) == {"vault.E004"}


def test_the_keyring_follows_the_settings() -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW]):
        assert keyring().current_id == key_id(NEW)
    with override_settings(FIELD_ENCRYPTION_KEYS=[OLD]):
        assert keyring().current_id == key_id(OLD)
