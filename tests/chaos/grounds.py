"""Where a run trades: a venue of the lab, its markets, and the desk's connections and bots there."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.chaos import scalped
from tests.chaos.exits import Prices, Trouble, care_of, excuses, judge_exits
from tests.chaos.life import Life
from tests.chaos.trips import judge_trips
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
D = Decimal


@dataclass(frozen=True)
class Ground:
    """lab: the control of the venue's house; connections: as chaos/plant.py takes them."""

    stand: Stand
    lab: Control
    connections: tuple[dict[str, Any], ...]

    @property
    def symbols(self) -> dict[str, Decimal]:
        """The spread bots' markets and where they trade at first."""
        stand = self.stand
        return {stand.symbol: stand.price, stand.other_symbol: stand.other_price}

    @property
    def scalped(self) -> str:
        """The scalpers' market."""
        return scalped.MARKETS[self.stand.venue].symbol

    @property
    def keys(self) -> list[str]:
        return [row["key"] for row in self.connections]

    def open(self, seed: int) -> None:
        """Accounts with money, and a crowd in each market that stands still yet."""
        for number, (symbol, price) in enumerate(self.symbols.items()):
            self.lab.gather_crowd(symbol=symbol, price=str(price), seed=seed + number, trades_pct="0.3")
        price = scalped.MARKETS[self.stand.venue].price
        self.lab.gather_crowd(symbol=self.scalped, price=str(price), seed=seed + 7, **scalped.TEMPER)
        money: dict[str, str] = {}
        amounts = {self.scalped: scalped.ORDER_COST / price} | _amounts(self.stand)
        for symbol, amount in amounts.items():
            base, quote = symbol.split("/")
            money |= {base: f"{amount * 500:.4f}", quote: "100000"}
        for row in self.connections:
            login = {name: row[name] for name in ("key", "secret", "passphrase")}
            self.lab.open_account(name=row["name"], balances=money, **login)

    def start_crowds(self) -> None:
        for symbol in (*self.symbols, self.scalped):
            self.lab.start_crowd(symbol=symbol, interval_seconds=1.0)

    def stop_crowds(self) -> None:
        for symbol in (*self.symbols, self.scalped):
            self.lab.stop_crowd(symbol=symbol)

    def quotes(self) -> bool:
        """Every connection has an order in the book."""
        return all(self.lab.open_orders(account=row["name"]) for row in self.connections)

    def struck(self) -> int:
        """How many requests a fault of the venue struck."""
        return sum(len(self.lab.requests(key=key, struck=True)) for key in self.keys)

    def lives(self) -> dict[str, Life]:
        """Of the spread bots' quotes."""
        return {row["name"]: self._life(row) for row in self.connections}

    def _life(self, connection: Row) -> Life:
        journal = self.lab.journal(account=connection["name"])
        quotes = [entry for entry in journal if entry["symbol"] in self.symbols]
        return Life(self.lab.requests(key=connection["key"]), quotes)

    def verdicts(
        self, books: Mapping[str, Iterable[Row]], prices: Prices, troubles: Iterable[Trouble]
    ) -> dict[str, Verdict]:
        """books: the whole desk's; prices: of the scalpers' market; troubles: of the venue and the desk."""
        troubles = list(troubles)
        return {row["name"]: self._verdict(books, row, prices, troubles) for row in self.connections}

    def _verdict(
        self,
        books: Mapping[str, Iterable[Row]],
        connection: Row,
        prices: Prices,
        troubles: list[Trouble],
    ) -> Verdict:
        name = connection["name"]
        mine = {
            table: [row for row in books[table] if row["connection__name"] == name]
            for table in ("orders", "trades", "balances", "round_trips")
        }
        mine["positions"] = [row for row in books["positions"] if row["bot__connection__name"] == name]
        theirs = {
            "orders": self.lab.orders(account=name),
            "trades": self.lab.trades(account=name),
            "balances": self.lab.balances(account=name),
            "journal": self.lab.journal(account=name),
        }
        asked = [seen["time"] for seen in self.lab.requests(key=connection["key"])]
        settings = {bot["name"]: bot for bot in connection["bots"]}
        verdict = judge(name, mine, theirs, settings)
        judge_trips(verdict, mine, theirs["journal"])
        judge_exits(
            verdict,
            mine,
            theirs["journal"],
            {name: care_of(bot, self._fee(books)) for name, bot in settings.items() if "symbols" in bot},
            prices,
            excuses(troubles, asked),
        )
        return verdict

    def _fee(self, books: Mapping[str, Iterable[Row]]) -> Decimal:
        """Of a taker in the scalpers' market, as the desk reckons with it."""
        where = (self.stand.venue, self.scalped)
        return next(D(row["taker_fee"]) for row in books["markets"] if (row["venue"], row["symbol"]) == where)


def grounds_of(lab: Control, venues: Collection[str], *, scalpers: bool = True) -> list[Ground]:
    """venues: ids, of those that take orders. scalpers: one for each connection, beside its spread bots."""
    count = max(1, LEAST_CONNECTIONS // len(venues))
    stands = [stand for stand in OPEN if stand.venue in venues]
    return [
        _ground(stand, lab.at(stand.venue), count, place if scalpers else None)
        for place, stand in enumerate(stands)
    ]


def _ground(stand: Stand, lab: Control, count: int, turn: int | None) -> Ground:
    """turn: of the first connection's scalper among the kinds."""
    connections = (_connection(stand, number, lab, turn) for number in range(count))
    return Ground(stand, lab, tuple(connections))


def _connection(stand: Stand, number: int, lab: Control, turn: int | None) -> dict[str, Any]:
    name = f"{stand.venue} {number}"
    bots = [_bot(stand, name, symbol, amount) for symbol, amount in _amounts(stand).items()]
    if turn is not None:
        bots.append(scalped.scalper(stand, name, turn + number))
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
