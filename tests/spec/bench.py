"""A venue of the lab with the desk's gateway before it, and the words in which cases speak of both."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import uuid4

from exchanges.errors import OrderNotFoundError
from exchanges.gateway import ConnectionSpec, Credentials, Licence, MarketData
from exchanges.pacing import Budget
from exchanges.types import OrderRef, OrderReport, OrderRequest, OrderType, Side, VenueOrderStatus
from exchanges.venues.ccxt_venue import CcxtGateway
from exchanges.venues.dialects import dialect_of
from exchanges.venues.pace import Pace
from exchanges.venues.registry import open_gateway, open_market_data, venue
from exchanges.venues.wire import Wire
from tests.lab.accounts import ApiKey, Login
from tests.lab.faults import FaultPlan
from tests.lab.house import House
from tests.lab.ledger import Holding
from tests.lab.orders import Fill, Kind, Order, Ticket, TimeInForce
from tests.lab.orders import Side as LabSide
from tests.lab.record import Requests
from tests.lab.rules import MarketRules
from tests.lab.server import LabServer
from tests.spec.stands import Stand
from vault.secret import Secret

DESK, CROWD, PASSERS = "desk", "crowd", "passers-by"
WEALTH = Decimal(10) ** 8
MONEY = {"base": Decimal(1000), "quote": Decimal(10) ** 7}
# The pace of a venue is real time; the spec is about answers.
BRISK = Budget(rate=10_000, burst=10_000)
IMPATIENCE_MS = 400
SETTLE_SECONDS = 5.0
LONG_AGO = timedelta(hours=2)
ENDED = frozenset(
    (
        VenueOrderStatus.FILLED,
        VenueOrderStatus.CANCELED,
        VenueOrderStatus.EXPIRED,
        VenueOrderStatus.REJECTED,
    )
)


@dataclass
class Trust:
    """ca_file: of the authority that the desk trusts, from its next connection on; strangers: another's."""

    ca_file: Path
    strangers: Path


class Bench:
    """The desk's account has 1000 of each base and ten million of each quote; nobody quotes yet."""

    def __init__(self, stand: Stand, house: House, server: LabServer, wire: Wire, trust: Trust) -> None:
        self.stand = stand
        self.house = house
        self.trust = trust
        self._server = server
        self._wire = wire
        self._gateways: list[CcxtGateway] = []
        self.login: Login = house.dialect.new_login(1)
        house.open_account(DESK, **self.login._asdict(), fees=stand.fees)
        for name in (CROWD, PASSERS):
            house.exchange.open_account(name, is_crowd=True)
        self._deposit_money()
        wire.pace(stand.venue, None, BRISK)

    def _deposit_money(self) -> None:
        ledger = self.house.exchange.ledger
        markets = self.house.exchange.markets.values()
        currencies = {market.rules.base: MONEY["base"] for market in markets}
        currencies |= {market.rules.quote: MONEY["quote"] for market in markets}
        for currency, amount in currencies.items():
            ledger.deposit(DESK, currency, amount)
            for name in (CROWD, PASSERS):
                ledger.deposit(name, currency, WEALTH)

    async def close(self) -> None:
        for gateway in self._gateways:
            await gateway.close()

    # --- The desk

    def gateway(self, login: Login | None = None, licence: Licence | None = None) -> CcxtGateway:
        """As the product opens it for a live connection; the pace alone is ours."""
        given = login or self.login
        spec = ConnectionSpec(
            id="1",
            name="main",
            venue=self.stand.venue,
            is_paper=False,
            credentials=Credentials(
                api_key=Secret(given.key),
                api_secret=Secret(given.secret),
                passphrase=Secret(given.passphrase) if given.passphrase else Secret.empty(),
            ),
        )
        gateway = open_gateway(spec, wire=self._wire, licence=licence)
        assert isinstance(gateway, CcxtGateway)
        gateway._client.own_pace = Pace(BRISK)
        self._gateways.append(gateway)
        return gateway

    def impatient_gateway(self) -> CcxtGateway:
        """Gives up after 0.4 s instead of 8."""
        gateway = self.gateway()
        gateway._client.timeout = IMPATIENCE_MS
        return gateway

    def market_data(self) -> MarketData:
        """Without a key; where nothing is shown without one, with the desk's, lent."""
        if venue(self.stand.venue).market_data_needs_key:
            self.gateway()
        return open_market_data(self.stand.venue, proxy=None, wire=self._wire)

    def request(self, side: Side, amount: Decimal, price: Decimal | None, **changes: Any) -> OrderRequest:
        plain = OrderRequest(
            client_id=uuid4().hex,
            symbol=self.stand.symbol,
            side=side,
            type=OrderType.MARKET if price is None else OrderType.LIMIT,
            amount=amount,
            price=price,
        )
        return replace(plain, **changes)

    async def place(self, gateway: CcxtGateway, request: OrderRequest) -> OrderReport:
        """What became of it, once the venue has taken it in."""
        report = await gateway.place(request)
        if report.status is not VenueOrderStatus.SUBMITTED:
            return report
        return await self.settled(gateway, ref_of(request, report.venue_id))

    async def settled(self, gateway: CcxtGateway, ref: OrderRef) -> OrderReport:
        """Looked up until it is more than submitted: some venues take orders in some time after their yes."""
        return await self._look(gateway, ref, lambda report: report.status is not VenueOrderStatus.SUBMITTED)

    async def ended(self, gateway: CcxtGateway, ref: OrderRef) -> OrderReport:
        return await self._look(gateway, ref, lambda report: report.status in ENDED)

    async def _look(
        self, gateway: CcxtGateway, ref: OrderRef, is_enough: Callable[[OrderReport], bool]
    ) -> OrderReport:
        give_up_at = time.monotonic() + SETTLE_SECONDS
        while True:
            try:
                report = await gateway.fetch_order(ref)
            except OrderNotFoundError:
                report = None
            if report is not None and is_enough(report):
                return report
            assert time.monotonic() < give_up_at, f"still {report} after {SETTLE_SECONDS} s"
            await asyncio.sleep(0.05)

    # --- The venue

    @property
    def requests(self) -> Requests:
        return self._server.requests

    @property
    def faults(self) -> FaultPlan:
        return self._server.faults

    @property
    def key(self) -> ApiKey:
        """The desk's, as the venue keeps it."""
        return self.house.dialect.keys[self.login.key]

    @property
    def rules(self) -> MarketRules:
        return self.house.exchange.market(self.stand.symbol).rules

    @property
    def trades_page(self) -> int:
        return dialect_of(self.stand.venue).trades_per_page

    def change_rules(self, **rules: Any) -> None:
        """Of the stand's market, as the venue would from one day to the next."""
        market = self.house.exchange.market(self.stand.symbol)
        market.rules = replace(market.rules, **rules)

    def ticks(self, count: int) -> Decimal:
        """The price so many ticks above the stand's."""
        return self.stand.price + count * self.rules.price_step

    def crowd(self, side: str, amount: Decimal, price: Decimal, symbol: str = "") -> Order:
        """Somebody's order at rest."""
        return self._enter(CROWD, side, amount, price, symbol)

    def passer_by(self, side: str, amount: Decimal, price: Decimal, symbol: str = "") -> Order:
        """Somebody who takes what rests up to that price, and goes."""
        return self._enter(PASSERS, side, amount, price, symbol, time_in_force=TimeInForce.IOC)

    def ours(
        self, side: str, amount: Decimal, price: Decimal, symbol: str = "", client_id: str = "", **more: Any
    ) -> Order:
        """An order of the desk's account that was placed at another time, with a client id as ours."""
        client_id = client_id or uuid4().hex
        return self._enter(DESK, side, amount, price, symbol, client_id=client_id, key=self.login.key, **more)

    def part_of(self, order: Order) -> Decimal:
        """About half of its amount, on the step."""
        step = self.house.exchange.market(order.symbol).rules.amount_step
        return order.amount / 2 // step * step

    def fill(self, side: str, amount: Decimal, price: Decimal, symbol: str = "") -> Fill:
        """The desk takes that much from the crowd, at that price."""
        opposite = {"buy": "sell", "sell": "buy"}[side]
        self.crowd(opposite, amount, price, symbol)
        order = self.ours(side, amount, price, symbol)
        return next(fill for fill in reversed(self.fills(symbol)) if fill.order_id == order.id)

    def _enter(
        self, account: str, side: str, amount: Decimal, price: Decimal, symbol: str, **more: Any
    ) -> Order:
        ticket = Ticket(
            account=account,
            symbol=symbol or self.stand.symbol,
            side=LabSide(side),
            kind=Kind.LIMIT,
            amount=amount,
            price=price,
            **more,
        )
        return self.house.exchange.place(ticket)

    def order(self, request: OrderRequest) -> Order | None:
        """As the venue has it; None where it never came to be."""
        return self.house.exchange.market(request.symbol).by_client_id(DESK, request.client_id)

    def taken_in(self, request: OrderRequest) -> Order:
        order = self.order(request)
        assert order is not None, "the venue has no such order"
        return order

    def orders(self) -> list[Order]:
        return self.house.exchange.orders(DESK)

    def open_orders(self) -> list[Order]:
        return self.house.exchange.open_orders(DESK)

    def fills(self, symbol: str = "") -> list[Fill]:
        market = self.house.exchange.market(symbol or self.stand.symbol)
        return list(market.fills_of(DESK))

    def holding(self, currency: str) -> Holding:
        return self.house.exchange.ledger.holding(DESK, currency)

    def leave_only(self, currency: str, amount: Decimal) -> None:
        """The desk's account has no more of it than that."""
        surplus = self.holding(currency).free - amount
        self.house.exchange.ledger.withdraw(DESK, currency, surplus)

    def long_ago(self) -> datetime:
        return datetime.now(UTC) - LONG_AGO


def ref_of(request: OrderRequest, venue_id: str | None = None) -> OrderRef:
    return OrderRef(client_id=request.client_id, symbol=request.symbol, venue_id=venue_id)


def ref_to(order: Order, venue_id: str | None = None) -> OrderRef:
    return OrderRef(client_id=order.client_id, symbol=order.symbol, venue_id=venue_id)
