"""The gateway against the lab: production URLs, over TLS, on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from uuid import uuid4

import pytest

from exchanges.gateway import ConnectionSpec, Credentials, Licence, Proxy
from exchanges.types import OrderRequest, OrderType, Side, TimeInForce
from exchanges.venues import wire as wire_module
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire
from tests.exchanges.venues.coinbase_desk import coinbase  # noqa: F401 - a fixture
from tests.lab.accounts import ApiKey
from tests.lab.authority import Authority
from tests.lab.binance import BinanceDialect
from tests.lab.exchange import Exchange
from tests.lab.hosts import ALL_HOSTS
from tests.lab.orders import Kind, Ticket
from tests.lab.orders import Side as LabSide
from tests.lab.resolver import lab_connector
from tests.lab.rules import MarketRules
from tests.lab.server import LabServer
from vault.secret import Secret

KEY, SECRET = "CanaryApiKey4711" * 4, "CanaryApiSecret8" * 4
SYMBOL = "BTC/USDT"


@dataclass
class Lab:
    exchange: Exchange
    dialect: BinanceDialect
    server: LabServer

    def crowd(self, side: str, amount: str, price: str, *, symbol: str = SYMBOL) -> None:
        """Somebody else's limit order."""
        self.exchange.place(
            Ticket(
                account="crowd",
                symbol=symbol,
                side=LabSide(side),
                kind=Kind.LIMIT,
                amount=Decimal(amount),
                price=Decimal(price),
            )
        )


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"), ALL_HOSTS)


@pytest.fixture
async def lab(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Lab]:
    exchange = Exchange()
    exchange.list_market(MarketRules(base="BTC", quote="USDT"))
    exchange.list_market(MarketRules(base="ETH", quote="USDT"))
    for name in ("desk", "crowd"):
        exchange.open_account(name)
        for currency in ("BTC", "ETH"):
            exchange.ledger.deposit(name, currency, Decimal(100))
        exchange.ledger.deposit(name, "USDT", Decimal(10_000_000))
    dialect = BinanceDialect(exchange)
    dialect.keys.add(ApiKey(key=KEY, secret=SECRET, account="desk", created_ms=exchange.clock.now_ms()))
    async with LabServer([dialect], authority) as server:
        port, ca_file = server.port, authority.ca_file
        monkeypatch.setattr(
            wire_module, "build_connector", lambda **options: lab_connector(port, ca_file, **options)
        )
        yield Lab(exchange, dialect, server)


@pytest.fixture
async def wire(lab: Lab) -> AsyncIterator[Wire]:
    async with Wire() as opened:
        yield opened


OpenGateway = Callable[..., CcxtGateway]


@pytest.fixture
async def open_binance(wire: Wire) -> AsyncIterator[OpenGateway]:
    """open_binance(key=…, secret=…, proxy=…, licence=…): gateways that are closed afterwards."""
    opened: list[CcxtGateway] = []

    def open_one(
        key: str = KEY, secret: str = SECRET, proxy: Proxy | None = None, licence: Licence | None = None
    ) -> CcxtGateway:
        spec = ConnectionSpec(
            id="1",
            name="main",
            venue="binance",
            is_paper=False,
            credentials=Credentials(api_key=Secret(key), api_secret=Secret(secret)),
            proxy=proxy,
        )
        gateway = open_gateway(spec, wire=wire, licence=licence)
        assert isinstance(gateway, CcxtGateway)
        opened.append(gateway)
        return gateway

    yield open_one
    for gateway in opened:
        await gateway.close()


def buy(amount: str, price: str | None, **changes: object) -> OrderRequest:
    return order_request(Side.BUY, amount, price, **changes)


def order_request(side: Side, amount: str, price: str | None, **changes: object) -> OrderRequest:
    fields: dict[str, object] = {
        "client_id": uuid4().hex,
        "symbol": SYMBOL,
        "side": side,
        "type": OrderType.MARKET if price is None else OrderType.LIMIT,
        "amount": Decimal(amount),
        "price": None if price is None else Decimal(price),
        "post_only": False,
        "time_in_force": TimeInForce.GTC,
    }
    return OrderRequest(**(fields | changes))  # type: ignore[arg-type]
