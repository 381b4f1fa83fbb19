"""Coinbase asked without any client: tokens made by hand, as its documentation describes them."""

from __future__ import annotations

import base64
import json
import secrets
from decimal import Decimal
from typing import Any
from uuid import uuid4

import aiohttp
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from tests.lab.accounts import ApiKey, FeeSchedule, Login
from tests.lab.coinbase.logins import ecdsa_login
from tests.lab.house import House
from tests.lab.lab import Lab

HOST = "api.coinbase.com"
ROOT = "/api/v3/brokerage"
ORDERS = f"{ROOT}/orders"
D = Decimal
FEES = FeeSchedule(maker=D("0.004"), taker=D("0.006"))


def brisk_house(lab: Lab) -> House:
    """Without its limits, and without the time that an order is pending."""
    house = lab.house("coinbase")
    house.dialect.limits.private_per_second = 1000
    house.dialect.limits.public_per_second = 1000
    house.dialect.limits.pending_ms = 0
    return house


def open_trader(house: House) -> ApiKey:
    """With 10,000 USD and 1 BTC."""
    balances = {"USD": D(10_000), "BTC": D(1)}
    return house.open_account("ann", **ecdsa_login(1)._asdict(), balances=balances, fees=FEES)


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _signature(secret: str, signed: bytes) -> tuple[str, bytes]:
    if not secret.startswith("-----BEGIN"):
        private = ed25519.Ed25519PrivateKey.from_private_bytes(base64.b64decode(secret)[:32])
        return "EdDSA", private.sign(signed)
    key = serialization.load_pem_private_key(secret.encode(), None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(hashes.SHA256())))
    return "ES256", r.to_bytes(32) + s.to_bytes(32)


class Wire:
    """Signs by hand; says (status, parsed answer or text). `claims` and `header` bend the token."""

    def __init__(self, house: House, session: aiohttp.ClientSession, login: Login) -> None:
        self.login = login
        self._house = house
        self._session = session

    def token(self, uri: str, claims: dict[str, Any] | None = None, **header: Any) -> str:
        now = self._house.clock.now_ms() // 1000
        algorithm = "ES256" if self.login.secret.startswith("-----BEGIN") else "EdDSA"
        head = {"alg": algorithm, "kid": self.login.key, "nonce": secrets.token_hex(16), "typ": "JWT"}
        body = {"sub": self.login.key, "iss": "cdp", "nbf": now, "exp": now + 120, "uri": uri}
        parts = (head | header, body | (claims or {}))
        signed = ".".join(_b64(json.dumps(part).encode()) for part in parts)
        return f"{signed}.{_b64(_signature(self.login.secret, signed.encode())[1])}"

    async def get(self, path: str, **params: Any) -> tuple[int, Any]:
        return await self.send("GET", path, params=params)

    async def post(self, path: str, **body: Any) -> tuple[int, Any]:
        return await self.send("POST", path, body=body)

    async def public(self, path: str, **params: Any) -> tuple[int, Any]:
        return await self.send("GET", path, params=params, headers={})

    async def send(
        self,
        method: str,
        path: str,
        *,
        params: dict[str, Any] | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> tuple[int, Any]:
        if headers is None:
            headers = {"Authorization": f"Bearer {self.token(f'{method} {HOST}{path}')}"}
        async with self._session.request(
            method, f"https://{HOST}{path}", params=params, json=body, headers=headers
        ) as response:
            text = await response.text()
            return response.status, json.loads(text) if "json" in response.content_type else text

    async def order(self, side: str = "BUY", size: str = "0.01", price: str = "49000", **more: Any) -> Any:
        """A limit order; its answer."""
        values = {"base_size": size, "limit_price": price, "post_only": more.pop("post_only", False)}
        body = {"client_order_id": uuid4().hex, "product_id": "BTC-USD", "side": side} | more
        _, answer = await self.post(ORDERS, order_configuration={"limit_limit_gtc": values}, **body)
        return answer
