"""A bare exchange with three traders and no crowd, for the engine's own tests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.lab.clock import Clock
from tests.lab.exchange import Exchange
from tests.lab.ledger import Holding
from tests.lab.orders import Kind, Order, Reason, RefusedError, Side, Ticket
from tests.lab.rules import MarketRules

SYMBOL = "BTC/USDT"
D = Decimal
NOW_MS = 1_700_000_000_000


class Floor:
    """An exchange with three traders and no crowd."""

    def __init__(self, **rules: Any) -> None:
        self.now_ms = NOW_MS
        self.exchange = Exchange(Clock(lambda: self.now_ms))
        self.exchange.list_market(MarketRules(base="BTC", quote="USDT", **rules))
        for name in ("ann", "bob", "eve"):
            self.exchange.open_account(name)
            self.exchange.ledger.deposit(name, "BTC", D(10))
            self.exchange.ledger.deposit(name, "USDT", D(100_000))

    def buy(self, account: str, amount: str | None, price: str | None = None, **more: Any) -> Order:
        return self._place(Side.BUY, account, amount, price, **more)

    def sell(self, account: str, amount: str | None, price: str | None = None, **more: Any) -> Order:
        return self._place(Side.SELL, account, amount, price, **more)

    def _place(self, side: Side, account: str, amount: str | None, price: str | None, **more: Any) -> Order:
        ticket = Ticket(
            account=account,
            symbol=SYMBOL,
            side=side,
            kind=more.pop("kind", Kind.MARKET if price is None else Kind.LIMIT),
            amount=None if amount is None else D(amount),
            price=None if price is None else D(price),
            **more,
        )
        return self.exchange.place(ticket)

    def holding(self, account: str, currency: str) -> Holding:
        return self.exchange.ledger.holding(account, currency)

    def refusal(self, side: str, *what: Any, **more: Any) -> Reason:
        with pytest.raises(RefusedError) as caught:
            getattr(self, side)(*what, **more)
        return caught.value.reason
