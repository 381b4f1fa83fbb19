"""Who may ask Coinbase: tokens for one request each, good for two minutes, of keys with rights."""

from __future__ import annotations

from typing import Any

import aiohttp
import pytest

from tests.lab.accounts import ApiKey, Login
from tests.lab.coinbase.logins import ecdsa_login, ed25519_login
from tests.lab.coinbase_by_hand import HOST, ORDERS, ROOT, D, Wire, brisk_house, open_trader
from tests.lab.crowd import Crowd
from tests.lab.house import House
from tests.lab.lab import Lab


@pytest.fixture
def house(lab: Lab) -> House:
    return brisk_house(lab)


@pytest.fixture
def crowd(house: House) -> Crowd:
    return house.gather_crowd("BTC/USD", D(50_000))


@pytest.fixture
def trader(house: House) -> ApiKey:
    return open_trader(house)


@pytest.fixture
def wire(house: House, lab_session: aiohttp.ClientSession, trader: ApiKey, crowd: Crowd) -> Wire:
    return Wire(house, lab_session, ecdsa_login(1))


async def test_a_token_for_this_request_opens_it(wire: Wire) -> None:
    assert (await wire.get(f"{ROOT}/key_permissions"))[1]["can_trade"] is True


async def test_an_ed25519_key_signs_too(house: House, lab_session: aiohttp.ClientSession, wire: Wire) -> None:
    login = ed25519_login(2)
    house.open_account("bob", **login._asdict())
    status, answer = await Wire(house, lab_session, login).get(f"{ROOT}/accounts")
    assert (status, answer["has_next"]) == (200, False)


BENT: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"uri": f"GET {HOST}{ROOT}/orders"}, {}),
    ({"uri": f"POST {HOST}{ROOT}/accounts"}, {}),
    ({"uri": f"GET https://{HOST}{ROOT}/accounts"}, {}),
    ({"uri": f"GET {HOST}{ROOT}/accounts?limit=1"}, {}),
    ({"sub": "organizations/x/apiKeys/y"}, {"kid": "organizations/x/apiKeys/y"}),
    ({}, {"kid": "organizations/x/apiKeys/y"}),
    ({"iss": "somebody"}, {}),
    ({}, {"nonce": ""}),
    ({}, {"alg": "EdDSA"}),
    ({}, {"alg": "none"}),
]


@pytest.mark.parametrize(("claims", "header"), BENT)
async def test_a_bent_token_is_answered_with_one_plain_word(
    wire: Wire, claims: dict[str, Any], header: dict[str, Any]
) -> None:
    token = wire.token(f"GET {HOST}{ROOT}/accounts", claims, **header)
    answer = await wire.send("GET", f"{ROOT}/accounts", headers={"Authorization": f"Bearer {token}"})
    assert answer == (401, "Unauthorized\n")


@pytest.mark.parametrize(("begins", "ends"), [(-121, -1), (5, 100), (0, 121), (-60, 61)])
async def test_a_token_is_good_for_two_minutes_and_only_in_them(wire: Wire, begins: int, ends: int) -> None:
    now = wire._house.clock.now_ms() // 1000
    token = wire.token(f"GET {HOST}{ROOT}/accounts", {"nbf": now + begins, "exp": now + ends})
    answer = await wire.send("GET", f"{ROOT}/accounts", headers={"Authorization": f"Bearer {token}"})
    assert answer == (401, "Unauthorized\n")


async def test_another_keys_signature_is_refused(wire: Wire) -> None:
    wire.login = Login(wire.login.key, ecdsa_login(7).secret)
    assert await wire.get(f"{ROOT}/accounts") == (401, "Unauthorized\n")


@pytest.mark.parametrize("text", ["", "Basic x", "Bearer x", "Bearer a.b.c", "Bearer e30.e30.AAAA"])
async def test_no_token_at_all_is_refused(wire: Wire, text: str) -> None:
    headers = {"Authorization": text} if text else {}
    assert await wire.send("GET", f"{ROOT}/accounts", headers=headers) == (401, "Unauthorized\n")


async def test_a_key_is_refused_when_revoked_and_from_other_addresses(wire: Wire, trader: ApiKey) -> None:
    trader.allowed_ips = frozenset({"203.0.113.7"})
    assert await wire.get(f"{ROOT}/accounts") == (401, "Unauthorized\n")
    trader.allowed_ips, trader.is_revoked = frozenset(), True
    assert await wire.get(f"{ROOT}/accounts") == (401, "Unauthorized\n")


async def test_a_key_without_the_right_to_trade_looks_and_does_not_touch(wire: Wire, trader: ApiKey) -> None:
    trader.trading = False
    status, answer = await wire.post(f"{ORDERS}/batch_cancel", order_ids=["x"])
    assert (status, answer["error"], answer["error_details"]) == (
        403,
        "PERMISSION_DENIED",
        "Missing required scopes",
    )
    assert (await wire.get(f"{ROOT}/accounts"))[0] == 200
