"""What the control API can do to a lab: one method, one command. Amounts come and go as decimal strings."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from tests.lab.accounts import FeeSchedule
from tests.lab.crowd import Temper
from tests.lab.journal import Event
from tests.lab.orders import Order
from tests.lab.tally import tally
from tests.lab.trouble import TroubleCommands

Row = dict[str, Any]


class Commands(TroubleCommands):
    # --- Accounts and keys

    def open_account(
        self,
        *,
        name: str,
        key: str,
        secret: str,
        balances: dict[str, str],
        passphrase: str = "",
        fees: dict[str, Any] | None = None,
        allowed_ips: list[str] | None = None,
        **rights: bool,
    ) -> None:
        """fees: FeeSchedule's fields; rights: ApiKey's, as trading, reading, withdrawals."""
        self._house.open_account(
            name,
            key=key,
            secret=secret,
            passphrase=passphrase,
            balances={currency: Decimal(amount) for currency, amount in balances.items()},
            fees=FeeSchedule(**_decimals(fees)) if fees else None,
            allowed_ips=frozenset(allowed_ips or ()),
            **rights,
        )

    def fund(self, *, account: str, currency: str, amount: str) -> None:
        self._house.exchange.ledger.deposit(account, currency, Decimal(amount))

    def withdraw(self, *, account: str, currency: str, amount: str) -> None:
        """Of what is free."""
        self._house.exchange.ledger.withdraw(account, currency, Decimal(amount))

    def new_login(self, *, number: int) -> Row:
        """In the venue's own form; the same for the same number."""
        return self._house.dialect.new_login(number)._asdict()

    # --- The crowd

    def gather_crowd(self, *, symbol: str, price: str, seed: int = 1, **temper: Any) -> None:
        self._house.gather_crowd(symbol, Decimal(price), seed=seed, temper=Temper(**_decimals(temper)))

    def start_crowd(self, *, symbol: str, interval_seconds: float) -> None:
        self._house.start_crowd(symbol, interval_seconds)

    async def stop_crowd(self, *, symbol: str) -> None:
        await self._house.stop_crowd(symbol)

    def step(self, *, symbol: str, count: int = 1) -> None:
        self._house.crowds[symbol].step(count)

    def move_price(self, *, symbol: str, price: str) -> None:
        self._house.crowds[symbol].move_price(Decimal(price))

    def hit_bid(self, *, symbol: str, amount: str, price: str | None = None) -> Row:
        order = self._house.crowds[symbol].hit_bid(Decimal(amount), price=_maybe(price))
        return self._order(order)

    def lift_ask(self, *, symbol: str, amount: str, price: str | None = None) -> Row:
        order = self._house.crowds[symbol].lift_ask(Decimal(amount), price=_maybe(price))
        return self._order(order)

    # --- Looking

    def balances(self, *, account: str) -> dict[str, Row]:
        holdings = self._house.exchange.ledger.holdings(account)
        return {name: {"free": holding.free, "used": holding.used} for name, holding in holdings.items()}

    def orders(self, *, account: str, key: str | None = None) -> list[Row]:
        """All that were ever accepted, in the order of arrival."""
        orders = self._house.exchange.orders(account)
        return [self._order(order) for order in orders if key in (None, order.ticket.key)]

    def open_orders(self, *, account: str | None = None, key: str | None = None) -> list[Row]:
        orders = self._house.exchange.open_orders(account)
        return [self._order(order) for order in orders if key in (None, order.ticket.key)]

    def trades(self, *, account: str) -> list[Row]:
        """venue_id: as the venue's answers name it."""
        name = self._house.dialect.trade_name
        fills = self._house.exchange.fills(account)
        return [dataclasses.asdict(fill) | {"venue_id": name(fill)} for fill in fills]

    def book(self, *, symbol: str, limit: int = 20) -> Row:
        book = self._house.exchange.market(symbol).book
        return {"bids": book.bids.levels()[:limit], "asks": book.asks.levels()[:limit]}

    def journal(
        self, *, account: str | None = None, key: str | None = None, event: str | None = None, after: int = 0
    ) -> list[Row]:
        """What was accepted, refused, filled, cancelled and expired; fields of journal.Entry.

        after: how many entries of the whole journal to leave out; journal_length says how many there are.
        """
        wanted = None if event is None else Event(event)
        entries = self._house.exchange.journal.entries(event=wanted, account=account, key=key, after=after)
        return [vars(entry) for entry in entries]

    def journal_length(self) -> int:
        return len(self._house.exchange.journal)

    def tally(
        self,
        *,
        key: str | None = None,
        account: str | None = None,
        client_ids: list[str] | None = None,
        after: int = 0,
    ) -> Row:
        """tally.Tally's fields: duplicates, most open orders at one time, extremes of the position."""
        entries = self._house.exchange.journal.entries(account=account, key=key, after=after)
        return vars(tally(entries, None if client_ids is None else frozenset(client_ids)))

    def conserves_balances(self) -> bool:
        """Nothing was made or lost since the deposits."""
        return self._house.conserves_balances()

    def totals(self) -> dict[str, Row]:
        ledger = self._house.exchange.ledger
        return {
            name: {"total": ledger.total(name), "deposited": ledger.deposited(name)}
            for name in ledger.currencies()
        }

    def _order(self, order: Order) -> Row:
        """venue_id: as the venue's answers name it."""
        ticket = order.ticket
        return {
            "id": order.id,
            "venue_id": self._house.dialect.order_name(order),
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

    # --- Requests

    def request_counts(self) -> list[Row]:
        """Of all venues."""
        rows = self._lab.requests.counts().items()
        return [
            {"venue": venue, "key": key, "method": method, "path": path, "count": count}
            for (venue, key, method, path), count in rows
        ]

    def requests(self, *, after: int = 0, struck: bool | None = None, **wanted: str) -> list[Row]:
        """As record.SeenRequest; wanted: fields as venue, key, method, path, fault.

        after: only those with a greater number; struck: only those that a fault struck, or did not.
        """
        found = self._lab.requests.select(after=after, struck=struck, **wanted)
        return [vars(seen) | {"took_effect": seen.took_effect} for seen in found]

    def last_request(self) -> int:
        """The number of the newest, of all venues; 0 before the first."""
        return self._lab.requests.last

    def clear_requests(self) -> None:
        self._lab.requests.clear()


def names() -> Iterable[str]:
    return [name for name in dir(Commands) if not name.startswith("_")]


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
