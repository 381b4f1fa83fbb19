"""What the control API can do to a lab: one method, one command. Amounts come and go as decimal strings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.lab.accounts import FeeSchedule
from tests.lab.crowd import Temper
from tests.lab.faults import Effect, Fault, Stage
from tests.lab.lab import Lab
from tests.lab.orders import Order
from tests.lab.wire import WireAnswer

Row = dict[str, Any]


class Commands:
    def __init__(self, lab: Lab) -> None:
        self._lab = lab

    # --- Accounts and keys

    def open_account(
        self,
        *,
        name: str,
        key: str,
        secret: str,
        balances: dict[str, str],
        fees: dict[str, Any] | None = None,
        allowed_ips: list[str] | None = None,
        **rights: bool,
    ) -> None:
        """fees: FeeSchedule's fields; rights: ApiKey's, as trading, reading, withdrawals."""
        self._lab.open_account(
            name,
            key=key,
            secret=secret,
            balances={currency: Decimal(amount) for currency, amount in balances.items()},
            fees=FeeSchedule(**_decimals(fees)) if fees else None,
            allowed_ips=frozenset(allowed_ips or ()),
            **rights,
        )

    def change_key(self, *, key: str, **rights: bool) -> None:
        """As is_revoked=True or trading=False."""
        found = self._lab.binance.keys[key]
        for name, value in rights.items():
            if name not in ("reading", "trading", "withdrawals", "is_revoked"):
                raise ValueError(f"a key has no right called {name}")
            setattr(found, name, value)

    def fund(self, *, account: str, currency: str, amount: str) -> None:
        self._lab.exchange.ledger.deposit(account, currency, Decimal(amount))

    # --- The crowd

    def gather_crowd(self, *, symbol: str, price: str, seed: int = 1, **temper: Any) -> None:
        self._lab.gather_crowd(symbol, Decimal(price), seed=seed, temper=Temper(**_decimals(temper)))

    def start_crowd(self, *, symbol: str, interval_seconds: float) -> None:
        self._lab.start_crowd(symbol, interval_seconds)

    async def stop_crowd(self, *, symbol: str) -> None:
        await self._lab.stop_crowd(symbol)

    def step(self, *, symbol: str, count: int = 1) -> None:
        self._lab.crowds[symbol].step(count)

    def move_price(self, *, symbol: str, price: str) -> None:
        self._lab.crowds[symbol].move_price(Decimal(price))

    def hit_bid(self, *, symbol: str, amount: str, price: str | None = None) -> Row:
        order = self._lab.crowds[symbol].hit_bid(Decimal(amount), price=_maybe(price))
        return _order(order)

    def lift_ask(self, *, symbol: str, amount: str, price: str | None = None) -> Row:
        order = self._lab.crowds[symbol].lift_ask(Decimal(amount), price=_maybe(price))
        return _order(order)

    # --- Looking

    def balances(self, *, account: str) -> dict[str, Row]:
        holdings = self._lab.exchange.ledger.holdings(account)
        return {name: {"free": holding.free, "used": holding.used} for name, holding in holdings.items()}

    def orders(self, *, account: str) -> list[Row]:
        """All that were ever accepted, in the order of arrival."""
        return [_order(order) for order in self._lab.exchange.orders(account)]

    def open_orders(self, *, account: str) -> list[Row]:
        return [_order(order) for order in self._lab.exchange.open_orders(account)]

    def trades(self, *, account: str) -> list[Row]:
        return [dataclasses.asdict(fill) for fill in self._lab.exchange.fills(account)]

    def book(self, *, symbol: str, limit: int = 20) -> Row:
        book = self._lab.exchange.market(symbol).book
        return {"bids": book.bids.levels()[:limit], "asks": book.asks.levels()[:limit]}

    def journal(self, *, account: str | None = None) -> list[Row]:
        return [dataclasses.asdict(entry) for entry in self._lab.exchange.journal.entries(account=account)]

    def totals(self) -> dict[str, Row]:
        ledger = self._lab.exchange.ledger
        return {
            name: {"total": ledger.total(name), "deposited": ledger.deposited(name)}
            for name in ledger.currencies()
        }

    # --- Requests

    def request_counts(self) -> list[Row]:
        rows = self._lab.requests.counts().items()
        return [
            {"venue": venue, "key": key, "method": method, "path": path, "count": count}
            for (venue, key, method, path), count in rows
        ]

    def requests(self, **wanted: str) -> list[Row]:
        """With times and headers; wanted: fields as venue, key, method, path."""
        return [dataclasses.asdict(seen) for seen in self._lab.requests.select(**wanted)]

    def clear_requests(self) -> None:
        self._lab.requests.clear()

    # --- Trouble

    def add_fault(
        self,
        *,
        effect: str,
        stage: str = "after",
        status: int = 0,
        headers: Row | None = None,
        body: str = "",
        **where: Any,
    ) -> None:
        """where: Fault's fields, as path, key, skip, times; status, headers, body: of an answer."""
        answer = WireAnswer(status=status, headers=headers or {}, body=body.encode()) if status else None
        self._lab.faults.add(Fault(effect=Effect(effect), stage=Stage(stage), answer=answer, **where))

    def clear_faults(self) -> None:
        self._lab.faults.clear()

    def set_clock(self, *, offset_ms: int) -> None:
        """How far the venue's clock is ahead of this machine's."""
        self._lab.clock.offset_ms = offset_ms


def names() -> Iterable[str]:
    return [name for name in vars(Commands) if not name.startswith("_")]


def _order(order: Order) -> Row:
    ticket = order.ticket
    return {
        "id": order.id,
        "client_id": order.client_id,
        "key": ticket.key,
        "symbol": order.symbol,
        "side": order.side,
        "kind": ticket.kind,
        "time_in_force": ticket.time_in_force,
        "price": order.price,
        "amount": order.amount,
        "filled": order.filled,
        "cost": order.cost,
        "state": order.state,
        "time_ms": order.time_ms,
        "update_ms": order.update_ms,
    }


def _decimals(values: dict[str, Any]) -> dict[str, Any]:
    """Strings that are numbers become decimals; names of currencies and whole numbers stay."""
    return {name: _decimal(value) for name, value in values.items()}


def _decimal(value: Any) -> Any:
    if isinstance(value, dict):
        return _decimals(value)
    is_number = isinstance(value, str) and value.replace(".", "", 1).isdigit()
    return Decimal(value) if is_number else value


def _maybe(value: str | None) -> Decimal | None:
    return None if value is None else Decimal(value)
