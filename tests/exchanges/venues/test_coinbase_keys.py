"""Keys of Coinbase: however they were pasted, of both kinds, and those that cannot sign."""

from __future__ import annotations

import base64
import re
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from exchanges.errors import (
    CredentialsError,
)
from exchanges.venues.coinbase.facts import VENUE
from exchanges.venues.coinbase.keys import signing_secret
from tests.exchanges.venues.coinbase_desk import (
    ACCOUNTS,
    D,
    Desk,
)
from tests.lab.accounts import Login
from tests.lab.coinbase.logins import ecdsa_login, ed25519_login

# --- Keys


def _pem(key: Any, form: serialization.PrivateFormat = serialization.PrivateFormat.PKCS8) -> str:
    plain = serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, form, plain).decode())


_LOGIN = ecdsa_login(1)
PASTED = [
    _LOGIN.secret,
    _LOGIN.secret.replace("\n", "\\n"),
    _LOGIN.secret.replace("\n", " "),
    _LOGIN.secret.replace("\n", "\r\n"),
    f'  "{_LOGIN.secret}" ',
    _pem(serialization.load_pem_private_key(_LOGIN.secret.encode(), None)),
]


@pytest.mark.parametrize("secret", PASTED)
async def test_a_pem_text_signs_however_it_was_pasted(coinbase: Desk, secret: str) -> None:
    gateway = coinbase.open(Login(_LOGIN.key, secret))

    assert (await gateway.fetch_balances())["BTC"].free == 1000
    await gateway.close()


def _ed25519_forms() -> list[str]:
    pair = ed25519_login(2).secret
    seed = base64.b64decode(pair)[:32]
    pem = _pem(ed25519.Ed25519PrivateKey.from_private_bytes(seed))
    return [pair, base64.b64encode(seed).decode(), pem, f" {pair}\n"]


@pytest.mark.parametrize("secret", _ed25519_forms())
async def test_an_ed25519_key_signs_in_each_of_its_forms(coinbase: Desk, secret: str) -> None:
    login = ed25519_login(2)
    coinbase.house.open_account("other", **login._asdict(), balances={"ETH": D(7)})
    gateway = coinbase.open(Login(login.key, secret))

    assert (await gateway.fetch_balances())["ETH"].free == 7
    await gateway.close()


UNUSABLE = [
    ("organizations/a/apiKeys/b", "hunter2", "cannot be read"),
    ("organizations/a/apiKeys/b", base64.b64encode(b"short").decode(), "cannot be read"),
    ("organizations/a/apiKeys/b", _LOGIN.secret.replace("M", "N"), "cannot be read"),
    ("organizations/a/apiKeys/b", _pem(rsa.generate_private_key(65537, 2048)), "P-256"),
    ("organizations/a/apiKeys/b", _pem(ec.generate_private_key(ec.SECP384R1())), "P-256"),
    (_LOGIN.secret, _LOGIN.key, "swapped"),
]


@pytest.mark.parametrize(("key", "secret", "says"), UNUSABLE)
async def test_a_key_that_cannot_sign_is_named_and_nothing_is_sent(
    coinbase: Desk, key: str, secret: str, says: str
) -> None:
    gateway = coinbase.open(Login(key, secret))

    with pytest.raises(CredentialsError, match=says) as caught:
        await gateway.fetch_balances()

    assert coinbase.server.requests.select(path=ACCOUNTS) == []
    assert secret not in repr(caught.value)
    assert caught.value.connection == "main"
    await gateway.close()


def test_the_facts_know_a_key_by_its_form() -> None:
    key, secret = VENUE.credential_fields

    for login in (ecdsa_login(3), ed25519_login(3)):
        assert re.fullmatch(key.pattern, login.key)
        assert re.fullmatch(secret.pattern, login.secret, re.DOTALL)
    assert not re.fullmatch(key.pattern, _LOGIN.secret, re.DOTALL)


def test_an_ed25519_key_becomes_the_form_that_ccxt_tells_by_its_length() -> None:
    assert {len(signing_secret("x", secret.strip())) for secret in _ed25519_forms()} == {88}


@pytest.mark.parametrize("ahead_ms", [-25_000, 0, 80_000])
async def test_a_clock_that_is_a_little_off_does_not_matter(coinbase: Desk, ahead_ms: int) -> None:
    """ahead_ms: how far the venue's clock is ahead of ours."""
    coinbase.house.clock.offset_ms = ahead_ms

    assert (await coinbase.gateway.fetch_balances())["BTC"].free == 1000


@pytest.mark.parametrize("ahead_ms", [-40_000, 100_000])
async def test_a_clock_that_is_far_off_is_among_the_causes_named(coinbase: Desk, ahead_ms: int) -> None:
    coinbase.house.clock.offset_ms = ahead_ms

    with pytest.raises(CredentialsError, match="clock"):
        await coinbase.gateway.fetch_balances()
