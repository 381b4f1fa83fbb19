"""How soon a scalper's order follows a change of its book: the lab's Binance, its stream, a real database.

The lab lives in the same loop as the worker, so that both ends are told by one clock; what it does itself to
tell the change is in the time.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from django.core.management import call_command

from bots.engine import lease as leases
from bots.engine import ledger
from bots.engine.board import Board, read_notice
from bots.engine.duty import Duty
from bots.engine.feed import Feeds
from bots.engine.lease import Lease
from bots.engine.pulse import Pulse
from bots.engine.scan import Scanner
from bots.engine.takeover import Office
from database.thread import DatabaseThread
from exchanges.models import ExchangeConnection
from exchanges.venues import wire as wire_module
from exchanges.venues.door import Door
from exchanges.venues.registry import open_book_stream, open_market_data
from exchanges.venues.wire import Wire
from tests.bench import child
from tests.bench.findings import Finding, percentile
from tests.bench.plan import Plan
from tests.bots.engine.conftest import make_connection, make_scalper, take_lease
from tests.chaos.memory_desk import replaced
from tests.lab.journal import Event
from tests.lab.lab import Lab
from tests.lab.news import Item, OrderChanged
from tests.lab.orders import Kind, Side, Ticket
from vault.secret import Secret

D = Decimal
SYMBOL, TRADER = "BTC/USDT", "trader"
P50_MS, P99_MS = 5, 25
WINDOW_SECONDS = 1
LOW, HIGH = D(40_000), D(40_400)  # one per cent apart: an entry upwards, a stop downwards
BETWEEN_SECONDS = 1.6  # longer than the window, and than a look at the account
WARM_UP = 4
LAPS = {
    "woken": "the bot is woken: the venue's text is read, and its book is made",
    "decided": "its cycle has decided, and the database's thread begins with the intent",
    "intended": "the intent is committed, with its round trip",
    "sent": "the signed request is handed to the network",
    "accepted": "the lab has matched it",
}


def quickness(plan: Plan) -> list[Finding]:
    with plan.database() as url:
        laps = child.run("tests.bench.quickness", "measure", database_url=url, changes=plan.changes)
    took = laps["sent"]
    if not took:
        return [_finding("no order followed", None)]
    p50, p99 = percentile(took, 50), percentile(took, 99)
    shown = f"p50 {p50:.1f} ms, p99 {p99:.1f}, worst {max(took):.1f} ({len(took)} orders; Binance at the lab)"
    is_met = p50 <= P50_MS and p99 <= P99_MS
    return [_finding(shown, is_met, () if is_met else _laps(laps))]


def _finding(measured: str, is_met: bool | None, profile: tuple[str, ...] = ()) -> Finding:
    return Finding(
        what="book change on the WebSocket → order on the wire",
        budget=f"p50 ≤ {P50_MS} ms, p99 ≤ {P99_MS} ms",
        measured=measured,
        is_met=is_met,
        profile=profile,
    )


def _laps(laps: dict[str, list[float]]) -> tuple[str, ...]:
    """The medians, from the change on."""
    return tuple(f"{percentile(laps[name], 50):6.1f} ms  {words}" for name, words in LAPS.items())


def measure(*, changes: int) -> dict[str, Any]:
    """In a child: of each lap the milliseconds from a change of the touch that an order followed."""
    call_command("migrate", verbosity=0)
    return asyncio.run(_measure(changes))


@dataclass
class Stopwatch:
    """laps: in ms, of each change that an order followed before the next one."""

    changed_at: float = 0.0
    laps: dict[str, list[float]] = field(default_factory=lambda: {name: [] for name in LAPS})
    _now: dict[str, float] = field(default_factory=dict)

    def start(self) -> None:
        self.changed_at, self._now = time.perf_counter(), {}

    def lap(self, name: str) -> None:
        """The first of its name counts."""
        self._now.setdefault(name, 1000 * (time.perf_counter() - self.changed_at))

    def hear(self, item: Item) -> None:
        if isinstance(item, OrderChanged) and item.event is Event.ACCEPTED and self.changed_at:
            self.lap("accepted")
            if len(self._now) == len(LAPS):
                for name, ms in self._now.items():
                    self.laps[name].append(ms)
            self.changed_at = 0.0


@contextmanager
def _lapped(watch: Stopwatch) -> Iterator[None]:
    """Where the engine passes on its way from the book to the wire."""
    told, save, fetch = Scanner._told, ledger.save_intents, Door.fetch

    def noting_told(scanner: Scanner, symbol: str) -> None:
        watch.lap("woken")
        told(scanner, symbol)

    def noting_intents(*args: Any, **kwargs: Any) -> None:
        watch.lap("decided")
        save(*args, **kwargs)
        watch.lap("intended")

    async def noting_fetch(door: Door, url: str, method: str = "GET", *args: Any, **kwargs: Any) -> Any:
        if method == "POST":
            watch.lap("sent")
        return await fetch(door, url, method, *args, **kwargs)

    with (
        replaced(Scanner, "_told", noting_told),
        replaced(ledger, "save_intents", noting_intents),
        replaced(Door, "fetch", noting_fetch),
    ):
        yield


async def _measure(changes: int) -> dict[str, list[float]]:
    async with Lab() as lab:
        with replaced(wire_module, "build_connector", lab.connector):
            return await _trade(lab, changes)


async def _trade(lab: Lab, changes: int) -> dict[str, list[float]]:
    watch, database = Stopwatch(), DatabaseThread("bench-database")
    connection = await database.run(_plant, lab)
    lab.exchange.news.subscribe(watch.hear)
    _move(lab, LOW)
    async with Wire() as wire:
        feeds = Feeds(
            lambda venue, proxy: open_market_data(venue, proxy=proxy, wire=wire),
            lambda venue, proxy: open_book_stream(venue, proxy=proxy, wire=wire),
        )
        office = Office(wire=wire, feeds=feeds, database=database)
        lease = await database.run(take_lease, connection)
        duty = Duty(lease=lease, office=office, board=Board(), pulse=Pulse())
        duty.board.post(await database.run(read_notice, [connection.pk]))
        with _renewed(lease, database), _lapped(watch):
            work = asyncio.create_task(duty.run())
            for number in range(changes + WARM_UP):
                await asyncio.sleep(BETWEEN_SECONDS)
                watch.start()
                _move(lab, HIGH if number % 2 == 0 else LOW)
            await asyncio.sleep(BETWEEN_SECONDS)
            work.cancel()
            await asyncio.gather(work, return_exceptions=True)
        await feeds.close()
    database.close()
    return {name: ms[WARM_UP:] for name, ms in watch.laps.items()}


def _plant(lab: Lab) -> ExchangeConnection:
    login = lab.house().dialect.new_login(1)
    lab.open_account(TRADER, key=login.key, secret=login.secret, balances={"USDT": D(1_000_000)})
    lab.exchange.open_account("crowd", is_crowd=True)
    for currency in SYMBOL.split("/"):
        lab.exchange.ledger.deposit("crowd", currency, D(10_000_000))
    connection = make_connection(api_key=Secret(login.key), api_secret=Secret(login.secret))
    make_scalper(
        connection, symbols=SYMBOL, window_seconds=WINDOW_SECONDS, entry_move_pct=D("0.005"),
        stop_loss_pct=D("0.005"), take_profit_pct=D("0.5"), cycle_seconds=1, entry_seconds=1,
    )  # fmt: skip
    return connection


def _move(lab: Lab, mid: Decimal) -> None:
    """The crowd takes its orders away and places others around `mid`: a few changes of the book at once."""
    for order in lab.exchange.open_orders("crowd"):
        lab.exchange.cancel(order)
    for side, price in ((Side.BUY, mid - 1), (Side.SELL, mid + 1)):
        ticket = Ticket(account="crowd", symbol=SYMBOL, side=side, kind=Kind.LIMIT, amount=D(50), price=price)
        lab.exchange.place(ticket)


@contextmanager
def _renewed(lease: Lease, database: DatabaseThread) -> Iterator[None]:
    """As the keeper does, which has a thread of its own in the product."""

    async def keep() -> None:
        while True:
            await database.run(leases.renew, lease.owner, [lease])
            await asyncio.sleep(leases.RENEW_SECONDS)

    task = asyncio.create_task(keep())
    try:
        yield
    finally:
        task.cancel()
