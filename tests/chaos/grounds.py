"""Where a run trades: a venue of the lab, its two markets, and the desk's connections and bots there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.chaos.life import Life
from tests.chaos.verdict import Verdict, judge
from tests.lab.control import Control
from tests.spec.case import Need
from tests.spec.stands import STANDS, Stand

LEVELS = 2
MAX_OPEN_ORDERS = 2 * LEVELS
CYCLE_SECONDS = 4
POSITION_IN_ORDERS = 10
OPEN = tuple(stand for stand in STANDS if Need.TRADING not in stand.lacks)
LEAST_CONNECTIONS = 4

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Ground:
    """lab: the control of the venue's house; connections: as chaos/plant.py takes them."""

    stand: Stand
    lab: Control
    connections: tuple[dict[str, Any], ...]

    @property
    def symbols(self) -> dict[str, Decimal]:
        """The markets and where they trade at first."""
        stand = self.stand
        return {stand.symbol: stand.price, stand.other_symbol: stand.other_price}

    @property
    def keys(self) -> list[str]:
        return [row["key"] for row in self.connections]

    def open(self, seed: int) -> None:
        """Accounts with money, and a crowd in each market that stands still yet."""
        for number, (symbol, price) in enumerate(self.symbols.items()):
            self.lab.gather_crowd(symbol=symbol, price=str(price), seed=seed + number, trades_pct="0.3")
        money: dict[str, str] = {}
        for symbol, amount in _amounts(self.stand).items():
            base, quote = symbol.split("/")
            money |= {base: str(amount * 500), quote: "100000"}
        for row in self.connections:
            login = {name: row[name] for name in ("key", "secret", "passphrase")}
            self.lab.open_account(name=row["name"], balances=money, **login)

    def start_crowds(self) -> None:
        for symbol in self.symbols:
            self.lab.start_crowd(symbol=symbol, interval_seconds=1.0)

    def stop_crowds(self) -> None:
        for symbol in self.symbols:
            self.lab.stop_crowd(symbol=symbol)

    def quotes(self) -> bool:
        """Every connection has an order in the book."""
        return all(self.lab.open_orders(account=row["name"]) for row in self.connections)

    def struck(self) -> int:
        """How many requests a fault of the venue struck."""
        return sum(len(self.lab.requests(key=key, struck=True)) for key in self.keys)

    def lives(self) -> dict[str, Life]:
        return {
            row["name"]: Life(self.lab.requests(key=row["key"]), self.lab.journal(account=row["name"]))
            for row in self.connections
        }

    def verdicts(self, books: Mapping[str, Iterable[Row]]) -> dict[str, Verdict]:
        """books: the whole desk's."""
        return {row["name"]: self._verdict(books, row) for row in self.connections}

    def _verdict(self, books: Mapping[str, Iterable[Row]], connection: Row) -> Verdict:
        name = connection["name"]
        mine = {
            table: [row for row in books[table] if row["connection__name"] == name]
            for table in ("orders", "trades", "balances")
        }
        mine["positions"] = [row for row in books["positions"] if row["bot__connection__name"] == name]
        theirs = {
            "orders": self.lab.orders(account=name),
            "trades": self.lab.trades(account=name),
            "balances": self.lab.balances(account=name),
            "journal": self.lab.journal(account=name),
        }
        return judge(name, mine, theirs, {bot["name"]: bot for bot in connection["bots"]})


def grounds_of(lab: Control, venues: Collection[str]) -> list[Ground]:
    """venues: ids, of those that take orders."""
    count = max(1, LEAST_CONNECTIONS // len(venues))
    return [_ground(stand, lab.at(stand.venue), count) for stand in OPEN if stand.venue in venues]


def _ground(stand: Stand, lab: Control, count: int) -> Ground:
    return Ground(stand, lab, tuple(_connection(stand, number, lab) for number in range(count)))


def _connection(stand: Stand, number: int, lab: Control) -> dict[str, Any]:
    name = f"{stand.venue} {number}"
    bots = [_bot(stand, name, symbol, amount) for symbol, amount in _amounts(stand).items()]
    return {"name": name, "venue": stand.venue, "bots": bots, **lab.new_login(number=100 + number)}


def _amounts(stand: Stand) -> dict[str, Decimal]:
    """Of a bot's first level, in base, by market."""
    return {stand.symbol: stand.amount / 5, stand.other_symbol: stand.other_amount / 5 * 2}


def _bot(stand: Stand, connection: str, symbol: str, amount: Decimal) -> dict[str, Any]:
    return {
        "name": f"{symbol[:3]} at {connection}",
        "symbol": symbol,
        "cycle_seconds": max(CYCLE_SECONDS, stand.cycle_seconds),
        "bid_spread_pct": "0.0006",
        "ask_spread_pct": "0.0006",
        "order_amount": str(amount),
        "levels": LEVELS,
        "level_spread_pct": "0.0004",
        "max_open_orders": MAX_OPEN_ORDERS,
        "max_position": str(amount * POSITION_IN_ORDERS),
        "post_only": Need.POST_ONLY not in stand.lacks,
    }
