"""Our account at the lab's Coinbase, and the gateway before it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import parse_qs
from uuid import uuid4

import pytest

from exchanges.gateway import ConnectionSpec, Credentials
from exchanges.types import OrderRef, OrderRequest, OrderType, Side
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire
from tests.lab.accounts import Login
from tests.lab.authority import Authority
from tests.lab.clock import Clock
from tests.lab.faults import Effect, Fault, Stage
from tests.lab.house import House
from tests.lab.orders import Kind, Order, Ticket
from tests.lab.orders import Side as LabSide
from tests.lab.resolver import lab_connector
from tests.lab.server import LabServer
from tests.lab.venues import VENUES
from tests.lab.wire import WireAnswer
from vault.secret import Secret

SYMBOL = "BTC/USD"
ROOT = "/api/v3/brokerage"
ORDERS, CANCEL = f"{ROOT}/orders", f"{ROOT}/orders/batch_cancel"
BATCH, FILLS = f"{ROOT}/orders/historical/batch", f"{ROOT}/orders/historical/fills"
ACCOUNTS, TICKER = f"{ROOT}/accounts", f"{ROOT}/market/products/BTC-USD/ticker"
LONG_AGO = timedelta(hours=2)
D = Decimal


@dataclass
class Desk:
    """Our account at the lab's Coinbase, and the gateway before it."""

    house: House
    server: LabServer
    wire: Wire
    gateway: CcxtGateway

    def open(self, login: Login) -> CcxtGateway:
        return gateway_of(login, self.wire)

    def place(self, account: str, side: str, price: str, amount: str = "0.01", **more: Any) -> Order:
        """Past the gateway, as at another time."""
        ticket = Ticket(
            account=account,
            symbol=more.pop("symbol", SYMBOL),
            side=LabSide(side),
            kind=more.pop("kind", Kind.LIMIT),
            amount=None if "budget" in more else D(amount),
            price=D(price) if more.get("budget") is None else None,
            client_id=more.pop("client_id", "") or uuid4().hex,
            **more,
        )
        return self.house.exchange.place(ticket)

    def trade(self, count: int, *, apart_ms: int = 0) -> None:
        """Fills of ours, the oldest first."""
        self.place("crowd", "sell", "50000", str(D("0.001") * count))
        for _ in range(count):
            self.place("desk", "buy", "50000", "0.001")
            self.house.clock.offset_ms += apart_ms

    async def listed(self) -> dict[str, Any]:
        """Our only open order, as Coinbase prints it."""
        await self.gateway.load_markets()
        (row,) = await self.gateway._client.fetch_open_orders(SYMBOL)
        return dict(row["info"])

    def answers(self, path: str, content: object, status: int = 200, *, times: int | None = 1) -> None:
        """To the next request there, after it was carried out."""
        body = content if isinstance(content, str) else json.dumps(content)
        kind = "text/plain" if isinstance(content, str) else "application/json"
        answer = WireAnswer(status=status, headers={"Content-Type": kind}, body=body.encode())
        fault = Fault(effect=Effect.ANSWER, stage=Stage.AFTER, answer=answer, path=path, times=times)
        self.server.faults.add(fault)

    def asked(self, path: str) -> list[dict[str, list[str]]]:
        """The parameters of each request there."""
        return [parse_qs(seen.query) for seen in self.server.requests.select(path=path)]


@pytest.fixture
async def coinbase(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    house = House(*VENUES["coinbase"], Clock())
    house.dialect.limits.pending_ms = 0
    login = house.dialect.new_login(1)
    house.open_account("desk", **login._asdict())
    house.exchange.open_account("crowd", is_crowd=True)
    for account in ("desk", "crowd"):
        for currency, amount in (("BTC", D(1000)), ("ETH", D(1000)), ("USD", D(10**8))):
            house.exchange.ledger.deposit(account, currency, amount)
    async with LabServer([house.dialect], authority) as server:
        port, ca_file = server.port, authority.ca_file
        monkeypatch.setattr(
            wire_module, "build_connector", lambda **options: lab_connector(port, ca_file, **options)
        )
        async with Wire() as wire:
            gateway = gateway_of(login, wire)
            yield Desk(house, server, wire, gateway)
            await gateway.close()


def gateway_of(login: Login, wire: Wire) -> CcxtGateway:
    credentials = Credentials(api_key=Secret(login.key), api_secret=Secret(login.secret))
    spec = ConnectionSpec(id="1", name="main", venue="coinbase", is_paper=False, credentials=credentials)
    gateway = open_gateway(spec, wire=wire)
    assert isinstance(gateway, CcxtGateway)
    return gateway


def request_of(**changes: Any) -> OrderRequest:
    plain = OrderRequest(
        client_id=uuid4().hex,
        symbol=SYMBOL,
        side=Side.BUY,
        type=OrderType.LIMIT,
        amount=D("0.01"),
        price=D(40_000),
    )
    return replace(plain, **changes)


def ref_of(order: Order, **more: Any) -> OrderRef:
    return OrderRef(client_id=order.client_id, symbol=order.symbol, **more)
