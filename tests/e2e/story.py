"""One venue's day: an operator connects, two bots quote there, the market comes and goes, and they stop."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.e2e.books import held
from tests.e2e.browser import Browser, Page
from tests.e2e.desk import wait_until
from tests.e2e.operator import create_bot, create_connection
from tests.lab.control import Control
from tests.spec.case import Need
from tests.spec.stands import Stand

D = Decimal
ACCOUNT = "desk"
QUIET_SECONDS = 5
WAIT_SECONDS = 120  # a venue may let us ask every ten seconds only
LEVELS = 2
QUOTES = 2 * LEVELS  # of two bots, on each side


@dataclass
class Day:
    """venue: the house's control; pages: of the two bots.

    requests_of_a_look: the most that one question takes, asked once.
    """

    stand: Stand
    venue: Control
    browser: Browser
    requests_of_a_look: int = 1
    login: Mapping[str, str] = field(default_factory=dict, repr=False)
    pages: list[Page] = field(default_factory=list)

    @property
    def connection(self) -> str:
        return f"{self.stand.venue} main"

    def prepare(self) -> None:
        """Before the desk looks: an account with money, and a crowd that stands still."""
        base, quote = self.stand.symbol.split("/")
        self.login = self.venue.new_login(number=77)
        money = {quote: str(self.stand.price * self.stand.amount * 40), base: str(self.stand.amount * 100)}
        self.venue.open_account(name=ACCOUNT, balances=money, **self.login)
        self.venue.gather_crowd(symbol=self.stand.symbol, price=str(self.stand.price), trades_pct="0")

    def run(self) -> None:
        self.connect()
        self.start_bots()
        try:
            self.trade()
        finally:
            self.stop_bots()

    def trade(self) -> None:
        self.quoted()
        self.filled_in_part()
        self.filled_whole()
        self.requoted()
        self.one_look_serves_both_bots()
        self.crowd_trades()

    # --- In the admin

    def connect(self) -> None:
        page = create_connection(self.browser, name=self.connection, venue=self.stand.venue, login=self.login)
        assert f"“{self.connection}” works" in self.browser.press(page, "Test connection").text
        self.pages = [
            create_bot(self.browser, page, self._settings(name, spread))
            for name, spread in (("First", "0.0004"), ("Second", "0.004"))
        ]

    def _settings(self, name: str, spread: str) -> dict[str, str | None]:
        settings: dict[str, str | None] = {
            "name": f"{name} at {self.stand.venue}",
            "symbol": self.stand.symbol,
            "cycle_seconds": str(self.stand.cycle_seconds),
            "bid_spread_pct": spread,
            "ask_spread_pct": spread,
            "order_amount": str(self.stand.amount),
            "levels": str(LEVELS),
            "level_spread_pct": "0.0002",
            "level_amount": str(self.stand.amount / 2),
        }
        return settings | ({"post_only": None} if Need.POST_ONLY in self.stand.lacks else {})

    def start_bots(self) -> None:
        for page in self.pages:
            assert "running" in self.browser.press(page, "Start").text.lower()

    def stop_bots(self) -> None:
        for page in self.pages:
            self.browser.press(self.browser.open(page.url), "Stop")
        self._wait(lambda: not self.venue.open_orders(account=ACCOUNT), "no order rests at the venue")

    # --- What the market does, and what the bots make of it

    def quoted(self) -> None:
        self._wait(
            lambda: len(self._resting("buy")) == len(self._resting("sell")) == QUOTES,
            f"{QUOTES} bids and {QUOTES} asks rest",
        )

    def filled_in_part(self) -> None:
        """Somebody sells half of the best bid's amount into it."""
        best = self._resting("buy")[-1]
        half = D(best["amount"]) / 2
        self.venue.hit_bid(symbol=self.stand.symbol, amount=str(half), price=best["price"])
        assert [D(trade["amount"]) for trade in self.venue.trades(account=ACCOUNT)] == [half]

    def filled_whole(self) -> None:
        """Somebody buys the two best asks whole."""
        asks = self._resting("sell")[:2]
        amount = sum(D(order["amount"]) for order in asks)
        self.venue.lift_ask(symbol=self.stand.symbol, amount=str(amount), price=asks[-1]["price"])
        done = {order["id"]: order["state"] for order in self.venue.orders(account=ACCOUNT)}
        assert [done[order["id"]] for order in asks] == ["filled", "filled"]

    def requoted(self) -> None:
        """The market moves by 1 %: every quote follows."""
        before = {order["client_id"] for order in self._resting()}
        self.venue.move_price(symbol=self.stand.symbol, price=str(self.stand.price * D("1.01")))

        def all_new() -> bool:
            now = {order["client_id"] for order in self._resting()}
            return len(now) == 2 * QUOTES and not before & now

        self._wait(all_new, "all quotes are new ones around the new price")

    def one_look_serves_both_bots(self) -> None:
        """In quiet seconds no question is asked more than once a cycle, and at least the book's is."""
        cycles = max(QUIET_SECONDS // self.stand.cycle_seconds, 2)
        before, started = self._asked(), time.monotonic()
        time.sleep(cycles * self.stand.cycle_seconds)
        counts = self._asked() - before
        looks = (time.monotonic() - started) // self.stand.cycle_seconds + 2  # one begun before, one after
        assert max(counts.values()) <= looks * self.requests_of_a_look, counts
        often = [count for count in counts.values() if 2 * count >= cycles]
        assert len(often) >= 3, counts  # the book, the orders, the balances

    def crowd_trades(self) -> None:
        self.venue.start_crowd(symbol=self.stand.symbol, interval_seconds=0.2)
        self._wait(lambda: len(self.venue.trades(account=ACCOUNT)) >= 6, "the crowd trades with the bots")
        self.venue.stop_crowd(symbol=self.stand.symbol)

    def _wait(self, look: Callable[[], bool], what: str) -> None:
        wait_until(look, f"at {self.stand.venue}: {what}", seconds=WAIT_SECONDS)

    def owned(self) -> dict[str, list[Decimal]]:
        """What the venue says, when all is done."""
        balances = self.venue.balances(account=ACCOUNT)
        return held([row | {"currency": currency} for currency, row in balances.items()])

    def _asked(self) -> Counter[tuple[str, str]]:
        """How often each question was asked at this venue, whoever asked."""
        rows = [row for row in self.venue.request_counts() if row["venue"] == self.stand.venue]
        counts: Counter[tuple[str, str]] = Counter()
        for row in rows:
            counts[row["method"], row["path"]] += row["count"]
        return counts

    def _resting(self, side: str = "") -> list[dict[str, Any]]:
        """The cheapest first."""
        orders = self.venue.open_orders(account=ACCOUNT)
        return sorted(
            (order for order in orders if side in ("", order["side"])), key=lambda order: D(order["price"])
        )
