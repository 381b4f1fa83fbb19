"""A scalper's day at one venue: an operator starts it, the market moves, a round trip opens and closes, and
the trade log has it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from tests.e2e.browser import Browser, Page
from tests.e2e.desk import wait_until
from tests.e2e.operator import create_bot, create_connection
from tests.lab.control import Control
from tests.spec.stands import Stand

D = Decimal
ACCOUNT = "desk"
WAIT_SECONDS = 90
COST = "100"


@dataclass
class RoundTripDay:
    """leaves_at: where the market moves when it has entered, as a share of the price there; None: it stands
    still, and the bot is told to stop. reason: why the round trip closes then."""

    stand: Stand
    venue: Control
    browser: Browser
    reason: str
    leaves_at: Decimal | None
    cycle_seconds: int = 1
    window_seconds: int = 5
    login: Mapping[str, str] = field(default_factory=dict, repr=False)
    bot: Page | None = None

    @property
    def connection(self) -> str:
        return f"{self.stand.venue} main"

    @property
    def risen(self) -> Decimal:
        return self.stand.price * D("1.02")

    def prepare(self) -> None:
        """Before the desk looks: an account with money, and a crowd that stands still."""
        quote = self.stand.symbol.partition("/")[2]
        self.login = self.venue.new_login(number=77)
        self.venue.open_account(name=ACCOUNT, balances={quote: "1000"}, **self.login)
        self.venue.gather_crowd(symbol=self.stand.symbol, price=str(self.stand.price), trades_pct="0")

    def run(self) -> None:
        self.start()
        try:
            self.enter()
            if self.leaves_at is not None:
                self._move(self.risen * self.leaves_at)
                self._wait(self._is_sold, "what was bought is sold again")
        finally:
            self.stop()

    # --- In the admin

    def start(self) -> None:
        page = create_connection(self.browser, name=self.connection, venue=self.stand.venue, login=self.login)
        self.bot = create_bot(
            self.browser,
            page,
            {
                "name": f"Scalper at {self.stand.venue}",
                "symbols": self.stand.symbol,
                "cycle_seconds": str(self.cycle_seconds),
                "window_seconds": str(self.window_seconds),
                "order_cost": COST,
                "entry_move_pct": "0.01",
                "stop_loss_pct": "0.03",
                "take_profit_pct": "0.03",
            },
            kind="scalperbot",
        )
        assert "running" in self.browser.press(self.bot, "Start").text.lower()

    def stop(self) -> None:
        if self.bot is not None:
            self.browser.press(self.browser.open(self.bot.url), "Stop")
            self._wait(lambda: "Stopped" in self._words(self.bot), "the bot is stopped")

    def log(self) -> str:
        """What the list of round trips says of this bot's."""
        page = self.browser.open(f"/admin/bots/roundtrip/?q=Scalper+at+{self.stand.venue}")
        return re.sub(r"<[^>]+>", " ", page.text)

    # --- What the market does, and what the bot makes of it

    def enter(self) -> None:
        self._wait(lambda: "it moved by 0 %" in self._words(self.bot), "it has watched for a window")
        self._move(self.risen)
        self._wait(lambda: self._filled("buy") > 0, "it has bought")

    def _move(self, price: Decimal) -> None:
        self.venue.move_price(symbol=self.stand.symbol, price=str(price))

    def _is_sold(self) -> bool:
        """All of it but a fee in base, and what that leaves off the lot."""
        return self._filled("sell") >= self._filled("buy") * D("0.99")

    def _filled(self, side: str) -> Decimal:
        orders: list[dict[str, Any]] = self.venue.orders(account=ACCOUNT)
        return sum((D(order["filled"]) for order in orders if order["side"] == side), D(0))

    def _words(self, page: Page | None) -> str:
        assert page is not None
        return re.sub(r"<[^>]+>", " ", self.browser.open(page.url).text)

    def _wait(self, look: Callable[[], bool], what: str) -> None:
        wait_until(look, f"at {self.stand.venue}: {what}", seconds=WAIT_SECONDS)
