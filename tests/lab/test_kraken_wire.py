"""Kraken's dialect, asked without ccxt: raw signed requests, as its documentation describes them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from decimal import Decimal
from itertools import count
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest

from tests.lab.accounts import ApiKey
from tests.lab.house import House
from tests.lab.kraken.call import Call
from tests.lab.kraken.security import signature
from tests.lab.lab import Lab
from tests.lab.views import Lag
from tests.lab.wire import WireRequest

BASE = "https://api.kraken.com"
ORDER = {"pair": "XBTUSD", "type": "buy", "ordertype": "limit", "volume": "0.001", "price": "49000"}
FORM = "application/x-www-form-urlencoded"


class Wire:
    """Signs by hand; says the answer's error texts and its result."""

    def __init__(self, session: aiohttp.ClientSession, key: ApiKey) -> None:
        self._session = session
        self._key = key
        self.nonces = count(1_700_000_000_000)

    async def public(self, method: str, **params: Any) -> tuple[list[str], Any]:
        return await self._send("GET", f"/0/public/{method}?{urlencode(params)}", {}, "")

    async def private(self, method: str, **params: Any) -> tuple[list[str], Any]:
        return await self.as_is(method, urlencode({"nonce": next(self.nonces), **params}))

    async def as_is(self, method: str, body: str, content_type: str = FORM) -> tuple[list[str], Any]:
        path = f"/0/private/{method}"
        nonce = json.loads(body)["nonce"] if "json" in content_type else body.partition("&")[0][6:]
        digest = hashlib.sha256(f"{nonce}{body}".encode()).digest()
        mac = hmac.new(base64.b64decode(self._key.secret), path.encode() + digest, hashlib.sha512).digest()
        headers = {"API-Key": self._key.key, "API-Sign": base64.b64encode(mac).decode()}
        return await self._send("POST", path, {**headers, "Content-Type": content_type}, body)

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: str
    ) -> tuple[list[str], Any]:
        async with self._session.request(method, BASE + path, data=body, headers=headers) as response:
            assert response.status == 200
            answer = await response.json()
            return answer["error"], answer.get("result")


@pytest.fixture
def house(lab: Lab) -> House:
    house = lab.house("kraken")
    house.gather_crowd("BTC/USD", Decimal(50_000))
    house.dialect.limits.calls = house.dialect.limits.public = 1000
    return house


@pytest.fixture
def key(house: House) -> ApiKey:
    login = house.dialect.new_login(1)
    balances = {"USD": Decimal(10_000), "BTC": Decimal(1)}
    return house.open_account("trader", **login._asdict(), balances=balances)


@pytest.fixture
def wire(lab_session: aiohttp.ClientSession, key: ApiKey) -> Wire:
    return Wire(lab_session, key)


async def place(wire: Wire, **changes: str) -> str:
    errors, result = await wire.private("AddOrder", **(ORDER | changes))
    assert errors == []
    (txid,) = result["txid"]
    return str(txid)


# --- Signatures and nonces


def test_a_signature_is_that_of_the_documentation() -> None:
    """Source: docs.kraken.com, "Spot REST Authentication", the worked example."""
    body = "nonce=1616492376594&ordertype=limit&pair=XBTUSD&price=37500&type=buy&volume=1.25"
    secret = "kQH5HW/8p1uGOVjbgWA7FunAmGO8lsSUXNsu3eow76sz84Q18fWxnyRzBHCd3pd5nE9qa99HAZtuZuj6F1huXg=="
    request = WireRequest(
        method="POST",
        host="api.kraken.com",
        path="/0/private/AddOrder",
        query="",
        body=body.encode(),
        headers={"content-type": FORM},
        address="127.0.0.1",
    )

    assert signature(Call(request), secret, "1616492376594") == (
        "4/dpxb3iT4tp/ZCVEwSnEsLxx0bqyhLpdfOpc6fn7OR8+UClSV5n9E6aSS8MPtnRfp32bAb0nmbRn6H8ndwLUQ=="
    )


async def test_a_form_and_json_are_signed_as_they_are_sent(wire: Wire) -> None:
    body = json.dumps({"nonce": next(wire.nonces), **ORDER})

    errors, result = await wire.as_is("AddOrder", body, "application/json; charset=utf-8")

    assert errors == []
    assert result["descr"] == {"order": "buy 0.00100000 XBTUSD @ limit 49000.0"}


@pytest.mark.parametrize("step", [0, -1], ids=["equal", "older"])
async def test_a_nonce_grows_with_every_request_of_its_key(wire: Wire, step: int) -> None:
    nonce = next(wire.nonces)
    assert (await wire.as_is("Balance", f"nonce={nonce}"))[0] == []

    assert (await wire.as_is("Balance", f"nonce={nonce + step}"))[0] == ["EAPI:Invalid nonce"]


async def test_a_window_lets_late_nonces_in_once(house: House, wire: Wire) -> None:
    house.dialect.limits.nonce_window = 10
    nonce = next(wire.nonces) + 100
    assert (await wire.as_is("Balance", f"nonce={nonce}"))[0] == []

    assert (await wire.as_is("Balance", f"nonce={nonce - 10}"))[0] == []
    assert (await wire.as_is("Balance", f"nonce={nonce - 10}"))[0] == ["EAPI:Invalid nonce"]
    assert (await wire.as_is("Balance", f"nonce={nonce - 11}"))[0] == ["EAPI:Invalid nonce"]


async def test_a_refused_request_uses_its_nonce_up(wire: Wire, key: ApiKey) -> None:
    key.trading = False
    nonce = next(wire.nonces)
    body = urlencode({"nonce": nonce, **ORDER})
    assert (await wire.as_is("AddOrder", body))[0] == ["EGeneral:Permission denied"]

    assert (await wire.as_is("Balance", f"nonce={nonce}"))[0] == ["EAPI:Invalid nonce"]


async def test_a_wrong_secret_is_a_wrong_signature(house: House, wire: Wire, key: ApiKey) -> None:
    key.secret = house.dialect.new_login(2).secret
    wire._key = ApiKey(key=key.key, secret=house.dialect.new_login(1).secret, account="trader", created_ms=0)

    assert (await wire.private("Balance"))[0] == ["EAPI:Invalid signature"]


async def test_a_revoked_key_an_address_and_a_right_are_refused(wire: Wire, key: ApiKey) -> None:
    key.allowed_ips = frozenset({"203.0.113.7"})
    assert (await wire.private("Balance"))[0] == ["EGeneral:Permission denied"]
    key.allowed_ips, key.reading = frozenset(), False
    assert (await wire.private("Balance"))[0] == ["EGeneral:Permission denied"]
    key.is_revoked = True
    assert (await wire.private("Balance"))[0] == ["EAPI:Invalid key"]


async def test_a_key_knows_its_rights_without_having_any(wire: Wire, key: ApiKey) -> None:
    key.reading, key.withdrawals = False, True

    _, info = await wire.private("GetApiKeyInfo")

    assert info["permissions"] == ["modify-trades", "close-trades", "withdraw-funds"]
    assert info["ipAllowlist"] == []


# --- Markets


async def test_pairs_have_old_names_steps_and_minimums(wire: Wire) -> None:
    _, pairs = await wire.public("AssetPairs")

    assert set(pairs) == {"XXBTZUSD", "XETHZUSD", "XDGUSD", "ADAEUR", "PAXGUSD"}
    bitcoin = pairs["XXBTZUSD"]
    assert (bitcoin["altname"], bitcoin["wsname"], bitcoin["base"]) == ("XBTUSD", "XBT/USD", "XXBT")
    assert (bitcoin["tick_size"], bitcoin["pair_decimals"], bitcoin["costmin"]) == ("0.1", 1, "0.5")


@pytest.mark.parametrize(
    ("name", "answered"),
    [
        ("XXBTZUSD", "XXBTZUSD"),
        ("XBTUSD", "XXBTZUSD"),
        ("XBT/USD", "XBT/USD"),
        ("BTC/USD", "BTC/USD"),
    ],
)
async def test_a_pair_is_known_by_each_of_its_names(wire: Wire, name: str, answered: str) -> None:
    _, result = await wire.public("Depth", pair=name, count=2)

    assert [len(result[answered][side]) for side in ("bids", "asks")] == [2, 2]
    assert (await wire.public("Depth", pair="NOSUCH"))[0] == ["EQuery:Unknown asset pair"]


async def test_public_trades_come_after_a_moment_with_the_next_ones_cursor(wire: Wire) -> None:
    await place(wire, type="sell", ordertype="market")
    _, first = await wire.public("Trades", pair="XBTUSD")

    ((price, volume, _, side, _, _, number),) = first["XXBTZUSD"]
    _, later = await wire.public("Trades", pair="XBTUSD", since=first["last"])

    assert (price, volume, side, number) == ("49950.0", "0.00100000", "s", 1)
    assert later["XXBTZUSD"] == []


# --- Orders


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"pair": "NOSUCH"}, "EQuery:Unknown asset pair"),
        ({"volume": ""}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "1e-3"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.00000001"}, "EGeneral:Invalid arguments:volume"),
        ({"volume": "0.00001"}, "EOrder:Order minimum not met"),
        ({"price": "1"}, "EOrder:Cost minimum not met"),
        (
            {"price": "49000.05"},
            "EOrder:Invalid price:XXBTZUSD price can only be specified up to 1 decimals.",
        ),
        ({"pair": "PAXGUSD", "volume": "9", "price": "1.10"}, "EOrder:Tick size check failed"),
        ({"volume": "1"}, "EOrder:Insufficient funds"),
        ({"price": "51000", "oflags": "fciq,post"}, "EOrder:Post only order"),
        ({"oflags": "nosuch"}, "EGeneral:Invalid arguments:oflags"),
        ({"timeinforce": "GTX"}, "EGeneral:Invalid arguments:timeinforce"),
        ({"cl_ord_id": "longer than eighteen"}, "EGeneral:Invalid arguments:cl_ord_id"),
    ],
)
async def test_a_bad_order_is_refused_in_krakens_words(
    house: House, wire: Wire, changed: dict[str, str], error: str
) -> None:
    if changed == {"price": "1"}:
        changed = {"price": "1", "volume": "0.0001"}

    assert (await wire.private("AddOrder", **(ORDER | changed)))[0] == [error]
    assert house.exchange.orders("trader") == []


async def test_a_client_id_is_good_once_among_the_open_orders_of_all_pairs(wire: Wire) -> None:
    first = await place(wire, cl_ord_id="6d1b345e282140e2ad834ecb18a06876")
    other = {**ORDER, "pair": "ETHUSD", "volume": "0.01", "cl_ord_id": "6d1b345e282140e2ad834ecb18a06876"}
    assert (await wire.private("AddOrder", **other))[0] == ["EOrder:Duplicate cl_ord_id"]

    await wire.private("CancelOrder", txid=first)

    assert (await wire.private("AddOrder", **other))[0] == []


async def test_an_order_is_cancelled_by_either_of_its_ids_and_only_once(wire: Wire) -> None:
    first, _ = await place(wire), await place(wire, cl_ord_id="mine")

    assert (await wire.private("CancelOrder", cl_ord_id="mine"))[1] == {"count": 1}
    assert (await wire.private("CancelOrder", cl_ord_id="mine"))[0] == ["EOrder:Unknown order"]
    assert (await wire.private("CancelOrder", txid=first))[1] == {"count": 1}
    assert (await wire.private("CancelOrder", txid=first))[0] == ["EOrder:Unknown order"]


async def test_an_order_moves_from_the_open_to_the_closed_ones(wire: Wire) -> None:
    txid = await place(wire, cl_ord_id="mine")
    _, before = await wire.private("OpenOrders", cl_ord_id="mine")
    await wire.private("CancelOrder", txid=txid)
    _, after = await wire.private("OpenOrders", cl_ord_id="mine")
    _, closed = await wire.private("ClosedOrders", cl_ord_id="mine")

    assert [row["status"] for row in before["open"].values()] == ["open"]
    assert after["open"] == {}
    assert closed["closed"][txid]["status"] == "canceled"
    assert closed["closed"][txid]["cl_ord_id"] == "mine"
    assert (await wire.private("ClosedOrders", cl_ord_id="other"))[1] == {"closed": {}, "count": 0}


async def test_orders_are_asked_for_by_id_and_unknown_ones_are_left_out(wire: Wire) -> None:
    txid = await place(wire, type="sell", ordertype="market")

    _, orders = await wire.private("QueryOrders", txid=f"{txid},OAAAAA-BBBBB-CCCCCC", trades="true")

    assert (orders[txid]["status"], orders[txid]["vol_exec"], orders[txid]["price"]) == (
        "closed",
        "0.00100000",
        "49950.0",
    )
    assert len(orders[txid]["trades"]) == 1
    assert set(orders) == {txid}
    assert (await wire.private("QueryOrders", txid="4711"))[0] == ["EOrder:Invalid order"]


async def test_a_fee_is_paid_in_quote_on_both_sides(house: House, wire: Wire) -> None:
    await place(wire, ordertype="market")
    await place(wire, ordertype="market", type="sell")

    _, history = await wire.private("TradesHistory")
    _, balance = await wire.private("BalanceEx")

    sold, bought = history["trades"].values()
    assert (bought["cost"], bought["fee"]) == ("50.05000", "0.05005")
    assert (sold["cost"], sold["fee"], sold["maker"]) == ("49.95000", "0.04995", False)
    assert balance["XXBT"] == {"balance": "1.00000", "hold_trade": "0.00000"}
    assert Decimal(balance["ZUSD"]["balance"]) == Decimal("9999.80")


async def test_a_resting_buy_holds_its_fee_too(wire: Wire) -> None:
    await place(wire)

    _, balance = await wire.private("BalanceEx")

    assert balance["ZUSD"] == {"balance": "10000.00000", "hold_trade": "49.04900"}


async def test_trades_and_closed_orders_come_in_pages_of_fifty(wire: Wire) -> None:
    for _ in range(52):
        await place(wire, type="sell", ordertype="market", volume="0.0001")

    _, first = await wire.private("TradesHistory")
    _, second = await wire.private("TradesHistory", ofs=50)
    _, orders = await wire.private("ClosedOrders", ofs=50)

    assert (first["count"], len(first["trades"]), len(second["trades"])) == (52, 50, 2)
    assert not set(first["trades"]) & set(second["trades"])
    assert len(orders["closed"]) == 2


async def test_a_takers_fills_are_one_row_unless_asked_for_one_by_one(house: House, wire: Wire) -> None:
    await place(wire, type="sell", ordertype="market", volume="0.9")

    _, together = await wire.private("TradesHistory")
    _, apart = await wire.private("TradesHistory", consolidate_taker="false")

    (row,) = together["trades"].values()
    assert len(apart["trades"]) == len(house.exchange.fills("trader")) > 1
    assert Decimal(row["cost"]) == sum(Decimal(part["cost"]) for part in apart["trades"].values())


async def test_trades_start_after_a_moment_and_end_with_one(house: House, wire: Wire) -> None:
    house.clock.offset_ms = -(house.clock.now_ms() % 1000)  # a whole second
    await place(wire, type="sell", ordertype="market")
    time = house.exchange.fills("trader")[0].time_ms / 1000

    assert (await wire.private("TradesHistory", start=time))[1]["count"] == 0
    assert (await wire.private("TradesHistory", start=time - 0.001, end=time))[1]["count"] == 1


async def test_another_accounts_order_is_unknown(house: House, wire: Wire) -> None:
    await place(wire)
    theirs = house.open_account("other", **house.dialect.new_login(2)._asdict())
    stranger = Wire(wire._session, theirs)
    (txid,) = (await wire.private("OpenOrders"))[1]["open"]

    assert (await stranger.private("QueryOrders", txid=txid))[1] == {}
    assert (await stranger.private("CancelOrder", txid=txid))[0] == ["EOrder:Unknown order"]


async def test_lists_may_lag_behind_what_was_answered(house: House, wire: Wire) -> None:
    house.dialect.views.set_lag(Lag(orders_ms=60_000, trades_ms=60_000))
    txid = await place(wire, type="sell", ordertype="market")

    assert (await wire.private("QueryOrders", txid=txid))[1] == {}
    assert (await wire.private("TradesHistory"))[1]["count"] == 0


# --- Rate limits


async def test_a_keys_counter_decays_with_time(house: House, wire: Wire) -> None:
    house.dialect.limits.calls = 4
    for _ in range(2):
        assert (await wire.private("TradesHistory"))[0] == []
    assert (await wire.private("Balance"))[0] == ["EAPI:Rate limit exceeded"]

    house.clock.skip(2_000)

    assert (await wire.private("Balance"))[0] == []
    assert (await wire.private("AddOrder", **ORDER))[0] == []


async def test_young_orders_are_dear_to_cancel(house: House, wire: Wire) -> None:
    house.dialect.limits.orders = 10
    first, second = await place(wire), await place(wire)

    assert (await wire.private("CancelOrder", txid=first))[0] == []
    assert (await wire.private("CancelOrder", txid=second))[0] == ["EOrder:Rate limit exceeded"]
    house.clock.skip(300_000)
    assert (await wire.private("CancelOrder", txid=second))[0] == []


async def test_an_unknown_method_is_named_so(wire: Wire) -> None:
    assert (await wire.private("Nonsense"))[0] == ["EGeneral:Unknown method"]
    assert (await wire.public("Nonsense"))[0] == ["EGeneral:Unknown method"]
