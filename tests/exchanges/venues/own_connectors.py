"""A gateway with a funded account at one house of the lab, for the venues with connectors of their own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal

import pytest

from exchanges.gateway import ConnectionSpec, Credentials
from exchanges.types import OrderRef, OrderRequest
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire
from tests.lab.accounts import Login
from tests.lab.house import House
from tests.lab.lab import Lab
from vault.secret import Secret

ACCOUNT = "desk"


@asynccontextmanager
async def gateway_at(
    lab: Lab, house: House, monkeypatch: pytest.MonkeyPatch, login: Login | None = None
) -> AsyncIterator[CcxtGateway]:
    """login: another than the account's own."""
    own = house.dialect.new_login(1)
    balances = {"USDT": Decimal(10_000_000), "BTC": Decimal(100)}
    house.open_account(ACCOUNT, **own._asdict(), balances=balances)
    monkeypatch.setattr(wire_module, "build_connector", lab.connector)
    used = login or own
    credentials = Credentials(
        api_key=Secret(used.key),
        api_secret=Secret(used.secret),
        passphrase=Secret(used.passphrase) if used.passphrase else Secret.empty(),
    )
    spec = ConnectionSpec(id="1", name="main", venue=house.venue, is_paper=False, credentials=credentials)
    async with Wire() as wire:
        gateway = open_gateway(spec, wire=wire)
        assert isinstance(gateway, CcxtGateway)
        yield gateway
        await gateway.close()


def ref_of(request: OrderRequest, venue_id: str | None = None) -> OrderRef:
    return OrderRef(client_id=request.client_id, symbol=request.symbol, venue_id=venue_id)
