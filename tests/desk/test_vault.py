"""The vault: what is stored, who can read it, and where it never shows."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.core.exceptions import FieldError, ValidationError
from django.core.management import call_command
from django.db import connection as database
from django.db.models import F
from django.test import override_settings
from hypothesis import given
from hypothesis import strategies as st

from exchanges.models import ExchangeConnection
from vault.fields import EncryptedField
from vault.keyring import BadKeyError, Keyring, SecretUnreadableError, _keyring, is_key, key_id, new_key
from vault.secret import Secret

API_KEY = "canary-api-key-0123456789-1a2b"
OLD, NEW = new_key(), new_key()


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def account(owner: User) -> ExchangeConnection:
    return ExchangeConnection.objects.create(
        name="Binance main", venue="binance", owner=owner, api_key=API_KEY, api_secret="canary-api-secret"
    )


def as_stored(pk: object, column: str = "api_key") -> str:
    with database.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM exchanges_exchangeconnection WHERE name = 'Binance main'")
        return str(cursor.fetchone()[0])


# --- Keys and seals


@given(st.text())
def test_a_sealed_text_opens_to_the_same_text(text: str) -> None:
    ring = Keyring((NEW,))
    assert ring.unseal(ring.seal(text)) == text


def test_a_seal_names_its_key() -> None:
    assert Keyring((NEW,)).seal("text").startswith(f"enc1:{key_id(NEW)}:gAAAA")


def test_the_first_key_encrypts_and_all_decrypt() -> None:
    old_seal = Keyring((OLD,)).seal("text")
    ring = Keyring((NEW, OLD))
    assert ring.unseal(old_seal) == "text"
    assert ring.is_current(ring.seal("text"))
    assert not ring.is_current(old_seal)


def test_a_lost_key_raises_and_is_named() -> None:
    with pytest.raises(SecretUnreadableError, match=key_id(OLD)):
        Keyring((NEW,)).unseal(Keyring((OLD,)).seal("text"))


@pytest.mark.parametrize("stored", ["text", "enc1:", "enc1:00000000", "enc1::x", "enc2:00000000:x", ""])
def test_what_the_vault_did_not_store_raises(stored: str) -> None:
    with pytest.raises(SecretUnreadableError):
        Keyring((NEW,)).unseal(stored)


def test_a_changed_seal_raises_without_showing_it() -> None:
    seal = Keyring((NEW,)).seal("text")
    with pytest.raises(SecretUnreadableError) as caught:
        Keyring((NEW,)).unseal(seal[:-3] + "AA=")
    assert caught.value.__cause__ is None
    assert seal[20:40] not in str(caught.value)


def test_no_keys_and_a_malformed_key_raise_and_say_how_to_make_one() -> None:
    with pytest.raises(BadKeyError, match="--new-key"):
        Keyring(())
    with pytest.raises(BadKeyError, match=r"Key 2 .*--new-key"):
        Keyring((NEW, "not-a-key"))


@pytest.mark.parametrize(
    "text",
    ["", "x" * 44, NEW[:-1], NEW + "=", " " + NEW, "é" * 44, NEW.encode().hex()],
    ids=["empty", "letters", "short", "padded", "spaced", "not ASCII", "hex"],
)
def test_only_32_bytes_in_base64_are_a_key(text: str) -> None:
    assert is_key(NEW)
    assert not is_key(text)


def test_threads_that_race_for_the_first_use_all_read_the_secret() -> None:
    seals = [Keyring((NEW,)).seal(f"secret number {number}") for number in range(8)]
    for _ in range(20):
        _keyring.cache_clear()
        start = threading.Barrier(8)

        def read(seal: str, start: threading.Barrier = start) -> str:
            start.wait()
            secret = Secret.from_sealed(seal)
            secret.sealed()
            return secret.reveal()

        with override_settings(FIELD_ENCRYPTION_KEYS=[NEW]), ThreadPoolExecutor(8) as pool:
            assert list(pool.map(read, seals)) == [f"secret number {number}" for number in range(8)]


def test_threads_that_share_a_secret_read_it_while_it_is_sealed_anew() -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW, OLD]), ThreadPoolExecutor(8) as pool:
        for _ in range(20):
            shared = Secret.from_sealed(Keyring((OLD,)).seal(API_KEY))
            seals = list(pool.map(lambda _, secret=shared: secret.sealed(), range(8)))
            assert {Keyring((NEW,)).unseal(seal) for seal in seals} == {API_KEY}
            assert shared.reveal() == API_KEY


# --- A Secret is masked


SHOWN = {
    "str": str,
    "repr": repr,
    "f-string": lambda secret: f"{secret} {secret!r} {secret:>40}",
    "percent": lambda secret: "%s %r" % (secret, secret),  # noqa: UP031
    "format": lambda secret: format(secret, "^50"),
    "in a list": lambda secret: str([secret]),
    "in a dict": lambda secret: repr({"api_key": secret}),
    "copied": lambda secret: repr(copy.copy(secret)) + repr(copy.deepcopy([secret])),
    "json with a default": lambda secret: json.dumps({"key": secret}, default=str),
}


@pytest.mark.parametrize("show", SHOWN.values(), ids=SHOWN)
def test_a_secret_is_masked_however_it_is_shown(show: Any) -> None:
    for secret in (Secret(API_KEY), Secret.from_sealed(Keyring((NEW,)).seal(API_KEY))):
        shown = show(secret)
        assert "***" in shown
        assert API_KEY not in shown
        assert "enc1" not in shown


def test_a_secret_is_neither_json_nor_pickled() -> None:
    with pytest.raises(TypeError):
        json.dumps(Secret(API_KEY))
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match="never pickled"):
            pickle.dumps(Secret(API_KEY), protocol)


def test_a_secret_has_no_attributes_to_dump_and_no_hash() -> None:
    with pytest.raises(TypeError):
        vars(Secret(API_KEY))
    with pytest.raises(TypeError):
        hash(Secret(API_KEY))


def test_secrets_are_equal_when_their_clear_texts_are() -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW]):
        stored = Secret.from_sealed(Keyring((NEW,)).seal(API_KEY))
        assert stored == Secret(API_KEY)
        assert stored != Secret("another")
        assert stored != API_KEY


def test_the_hint_shows_four_characters_of_a_long_secret_and_none_of_a_short_one() -> None:
    assert Secret(API_KEY).hint == "…1a2b"
    assert Secret("12345678901").hint == "…"


def test_an_empty_secret_is_false_and_stored_as_nothing_without_any_key() -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[]):
        assert not Secret("")
        assert Secret("").sealed() == ""
        assert str(Secret("")) == ""


# --- The column


def test_the_database_holds_a_seal_and_no_clear_text(account: ExchangeConnection) -> None:
    assert as_stored(account.pk).startswith("enc1:")
    assert API_KEY not in as_stored(account.pk)
    assert as_stored(account.pk, "passphrase") == ""


READS = {
    "get": lambda pk: ExchangeConnection.objects.get(pk=pk).api_key,
    "only": lambda pk: ExchangeConnection.objects.only("name").get(pk=pk).api_key,
    "defer": lambda pk: ExchangeConnection.objects.defer("api_key").get(pk=pk).api_key,
    "in_bulk": lambda pk: ExchangeConnection.objects.in_bulk([pk])[pk].api_key,
    "values": lambda pk: ExchangeConnection.objects.values("api_key").get(pk=pk)["api_key"],
    "values_list": lambda pk: ExchangeConnection.objects.values_list("api_key", flat=True).get(pk=pk),
    "annotate": lambda pk: ExchangeConnection.objects.annotate(other=F("api_key")).get(pk=pk).other,  # type: ignore[attr-defined]
    "raw": lambda pk: (
        next(iter(ExchangeConnection.objects.raw("SELECT * FROM exchanges_exchangeconnection"))).api_key
    ),
    "iterator": lambda pk: next(ExchangeConnection.objects.filter(pk=pk).iterator()).api_key,
    "select_related": lambda pk: ExchangeConnection.objects.select_related("owner").get(pk=pk).api_key,
}


@pytest.mark.parametrize("read", READS.values(), ids=READS)
def test_every_way_of_reading_gives_a_secret(read: Any, account: ExchangeConnection) -> None:
    secret = read(account.pk)
    assert isinstance(secret, Secret)
    assert secret.reveal() == API_KEY


def test_refreshing_an_instance_brings_the_stored_secret_back(account: ExchangeConnection) -> None:
    account.api_key = Secret("typed by mistake")
    account.refresh_from_db()
    assert account.api_key.reveal() == API_KEY


def test_text_becomes_a_secret_as_soon_as_it_is_assigned() -> None:
    account = ExchangeConnection(api_key=API_KEY)
    account.api_secret = API_KEY
    assert API_KEY not in repr(vars(account))
    assert account.api_secret.reveal() == API_KEY


def test_many_rows_are_written_and_updated_at_once(owner: User, account: ExchangeConnection) -> None:
    more = [
        ExchangeConnection(name=f"n{n}", venue="okx", owner=owner, api_key=f"bulk-key-{n}") for n in range(3)
    ]
    ExchangeConnection.objects.bulk_create(more)
    for row in more:
        row.api_secret = row.api_key
    ExchangeConnection.objects.bulk_update(more, ["api_secret"])
    ExchangeConnection.objects.filter(pk=account.pk).update(passphrase="by update", api_secret=F("api_key"))

    read = [
        row.api_secret.reveal() for row in ExchangeConnection.objects.filter(venue="okx").order_by("name")
    ]
    assert read == ["bulk-key-0", "bulk-key-1", "bulk-key-2"]
    account.refresh_from_db()
    assert (account.passphrase.reveal(), account.api_secret.reveal()) == ("by update", API_KEY)


@pytest.mark.parametrize(
    "lookup",
    ["api_key", "api_key__exact", "api_key__in", "api_key__startswith", "api_key__isnull", "api_key__length"],
)
def test_a_secret_cannot_be_searched(lookup: str) -> None:
    with pytest.raises(FieldError, match="api_key is encrypted and cannot be searched"):
        ExchangeConnection.objects.filter(**{lookup: [API_KEY] if lookup.endswith("in") else API_KEY})
    with pytest.raises(FieldError, match="api_key is encrypted and cannot be searched"):
        ExchangeConnection.objects.exclude(**{lookup: [API_KEY] if lookup.endswith("in") else API_KEY})


def test_full_clean_accepts_secrets_whose_key_is_lost(account: ExchangeConnection) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[new_key()]):
        ExchangeConnection.objects.get().full_clean()


def test_a_required_secret_that_is_empty_is_refused() -> None:
    with pytest.raises(ValidationError, match="blank"):
        EncryptedField(blank=False).clean(Secret(""), None)


def test_ciphertext_is_refused_as_a_secret() -> None:
    with pytest.raises(ValidationError, match="enter the secret itself"):
        ExchangeConnection(api_key=Keyring((NEW,)).seal(API_KEY))


def test_a_lost_key_leaves_the_row_readable_and_savable(account: ExchangeConnection) -> None:
    before = as_stored(account.pk)
    with override_settings(FIELD_ENCRYPTION_KEYS=[new_key()]):
        row = ExchangeConnection.objects.get(pk=account.pk)
        with pytest.raises(SecretUnreadableError):
            row.api_key.reveal()
        row.save()
    assert as_stored(account.pk) == before


def test_saving_a_row_that_was_read_before_a_rotation_does_not_undo_it(account: ExchangeConnection) -> None:
    with override_settings(FIELD_ENCRYPTION_KEYS=[OLD]):
        account.api_key = Secret(API_KEY)
        account.save()
        read_before = ExchangeConnection.objects.get(pk=account.pk)
    with override_settings(FIELD_ENCRYPTION_KEYS=[NEW, OLD]):
        read_before.save()
    assert as_stored(account.pk).startswith(f"enc1:{key_id(NEW)}:")


def test_secrets_are_not_dumped(account: ExchangeConnection, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("dumpdata", "exchanges")
    dumped = capsys.readouterr().out
    assert "Binance main" in dumped
    explicit = serializers.serialize("json", [account], fields=["name", "api_key"])
    for text in (dumped, explicit):
        assert "api_key" not in text
        assert API_KEY not in text
        assert "enc1:" not in text


def test_a_fixture_may_bring_a_secret_in_and_it_is_stored_sealed(owner: User, tmp_path: Any) -> None:
    fields = {
        "name": "Binance main",
        "venue": "okx",
        "owner": owner.pk,
        "api_key": API_KEY,
        "created_at": "2026-01-01T00:00Z",
    }
    fixture = tmp_path / "accounts.json"
    fixture.write_text(json.dumps([{"model": "exchanges.exchangeconnection", "fields": fields}]))
    call_command("loaddata", str(fixture), verbosity=0)
    row = ExchangeConnection.objects.get()
    assert row.api_key.reveal() == API_KEY
    assert as_stored(row.pk).startswith("enc1:")


def test_a_row_with_secrets_is_not_pickled(account: ExchangeConnection) -> None:
    with pytest.raises(TypeError, match="never pickled"):
        pickle.dumps(ExchangeConnection.objects.get())


def test_migrations_do_not_carry_options_that_the_field_sets_itself() -> None:
    _, path, args, kwargs = EncryptedField(verbose_name="API key").deconstruct()
    assert path == "vault.fields.EncryptedField"
    again = EncryptedField(*args, **kwargs)
    assert "serialize" not in kwargs
    assert again.blank
    assert again.get_default() == Secret("")


@pytest.mark.parametrize("option", ["unique", "db_index"])
def test_an_index_on_a_secret_is_an_error(option: str) -> None:
    field = EncryptedField(**{option: True})
    field.set_attributes_from_name("api_key")
    field.model = ExchangeConnection
    assert "vault.E005" in {message.id for message in field.check()}
