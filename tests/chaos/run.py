"""A desk under disasters, and what is left of its books afterwards."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.chaos.disasters import Clusters, Disasters, Struck
from tests.chaos.life import Life
from tests.chaos.servers import Servers, own_servers
from tests.chaos.verdict import Verdict, judge
from tests.e2e.desk import Desk, database_for, wait_until
from tests.lab.control import Control, LabProcess

CONNECTIONS = 4
SYMBOLS = ("BTC/USDT", "ETH/USDT")
PRICES = {"BTC/USDT": "50000", "ETH/USDT": "2500"}
LEVELS = 2
MAX_OPEN_ORDERS = 2 * LEVELS
GENTLE = (
    *("hang_before", "hang_after", "drop_before", "drop_after", "error_before", "error_after"),
    *("page_before", "page_after", "firewall", "rate_limited", "late_request", "late_answer"),
    *("drip", "truncated", "broken_off", "duplicate", "nonsense"),
)
PAUSE_SECONDS = (2.0, 8.0)  # between two disasters
CLEARED_SECONDS = 5.0  # for quotes, once everybody asks the venue again
BACK_OFF_SECONDS = 90.0  # the longest wait after a trouble, and some
RETURN_SECONDS = 18.0  # what a kill is given before the weather changes again
WARM_UP_SECONDS = 60
CALM_SECONDS = 20
SETTLE_SECONDS = 240


@dataclass(frozen=True, kw_only=True)
class Plan:
    """database_url, redis_url: of servers; empty: SQLite, and the database as broker.

    own_servers: PostgreSQL and Redis are started for this run, and really restarted.
    plant: a bug of tests/chaos/planted that the run has to find; the weather is then the worst for orders.
    """

    seed: int
    minutes: float
    database_url: str = ""
    redis_url: str = ""
    own_servers: bool = False
    plant: str = ""


def run(plan: Plan) -> dict[str, Any]:
    """The report; `clean` in it says whether nothing was lost. Raises NoServerError."""
    if not plan.own_servers:
        return _run(plan, None)
    with own_servers() as servers:
        return _run(replace(plan, database_url=servers.postgres.url, redis_url=servers.redis.url), servers)


def _run(plan: Plan, servers: Servers | None) -> dict[str, Any]:
    chance = random.Random(plan.seed)
    folder = Path(tempfile.mkdtemp(prefix="botdesk-chaos-"))
    process = LabProcess()
    with process as lab, database_for(folder, plan.database_url) as url:
        settings = {"SHIFT_SECONDS": "10", "LOG_LEVEL": "INFO", "REDIS_URL": plan.redis_url}
        if plan.plant:
            settings |= {"PLANT": plan.plant, "DJANGO_SETTINGS_MODULE": "tests.chaos.planted.settings"}
        desk = Desk(folder, url, process.environment, **settings)
        clusters = Clusters(desk)
        try:
            connections = _open(lab, desk, clusters, plan.seed)
            disasters = Disasters(clusters, chance, url, plan.redis_url, servers)
            keys = [row["key"] for row in connections]
            weather = Weather(lab, chance, keys, is_planted=bool(plan.plant))
            _befall(weather, disasters, chance, until=time.monotonic() + plan.minutes * 60)
            settled = _settle(lab, desk)
            books = desk.report()
        finally:
            desk.stop_all()
        report = _report(plan, lab, books, connections, disasters.struck, folder)
        return report | {"settled": settled, "clean": settled and report["clean"]}


def _open(lab: Control, desk: Desk, clusters: Clusters, seed: int) -> list[dict[str, Any]]:
    lab.set_limits(weight=10**9)  # all clients here share one address, which no real desk's would
    for number, symbol in enumerate(SYMBOLS):
        lab.gather_crowd(symbol=symbol, price=PRICES[symbol], seed=seed + number, trades_pct="0.3")
    connections = [_connection(number) for number in range(CONNECTIONS)]
    for row in connections:
        money = {"USDT": "100000", "BTC": "1", "ETH": "20"}
        lab.open_account(name=row["name"], key=row["key"], secret=row["secret"], balances=money)
    desk.prepare()
    desk.manage(
        "shell",
        "-v0",
        "-c",
        f"from tests.chaos.plant import plant; plant({json.dumps(json.dumps(connections))})",
    )
    clusters.start()
    clusters.start()
    wait_until(
        lambda: all(lab.open_orders(account=row["name"]) for row in connections),
        "every connection quotes",
        seconds=WARM_UP_SECONDS,
    )
    for symbol in SYMBOLS:
        lab.start_crowd(symbol=symbol, interval_seconds=1.0)
    return connections


def _connection(number: int) -> dict[str, Any]:
    bots = [_bot(f"{symbol[:3]} {number}", symbol) for symbol in SYMBOLS]
    return {"name": f"desk{number}", "key": f"ChaosKey{number}" + "k" * 40, "secret": "s" * 40, "bots": bots}


def _bot(name: str, symbol: str) -> dict[str, Any]:
    amount = {"BTC/USDT": "0.002", "ETH/USDT": "0.04"}[symbol]
    return {
        "name": name,
        "symbol": symbol,
        "cycle_seconds": 4,
        "bid_spread_pct": "0.0006",
        "ask_spread_pct": "0.0006",
        "order_amount": amount,
        "levels": LEVELS,
        "level_spread_pct": "0.0004",
        "max_open_orders": MAX_OPEN_ORDERS,
        "max_position": str(Decimal(amount) * 10),
    }


def _befall(weather: Weather, disasters: Disasters, chance: random.Random, *, until: float) -> None:
    while time.monotonic() < until:
        weather.change()
        time.sleep(min(chance.uniform(*PAUSE_SECONDS), max(until - time.monotonic(), 0)))
        is_calm = not weather.is_planted and chance.random() < 0.5
        if is_calm:
            weather.clear_for_sure()
        if time.monotonic() < until:
            disasters.strike(in_calm=is_calm)
            time.sleep(RETURN_SECONDS)
    weather.clear()


@dataclass
class Weather:
    """The venue's own troubles: a few at a time, others after each disaster."""

    lab: Control
    chance: random.Random
    keys: Sequence[str]
    is_planted: bool = False

    def change(self) -> None:
        self.clear()
        if self.is_planted:
            self._swallow_answers()
            return
        for trouble in self.chance.sample(self._troubles(), self.chance.randint(0, 3)):
            trouble()

    def clear(self) -> None:
        self.lab.calm()
        for key in self.keys:
            self.lab.change_key(key=key, is_revoked=False, trading=True)

    def clear_for_sure(self) -> None:
        """Until the waits that the last troubles brought are over: everybody asks the venue again."""
        self.clear()
        cleared_at = self.lab.last_request()
        wait_until(
            lambda: all(self.lab.requests(key=key, after=cleared_at) for key in self.keys),
            "everybody asks the venue again",
            seconds=BACK_OFF_SECONDS,
            pause=1.0,
        )
        time.sleep(CLEARED_SECONDS)

    def _troubles(self) -> list[Callable[[], Any]]:
        chance, lab = self.chance, self.lab
        symbol = chance.choice(SYMBOLS)
        return [
            self._storm,
            self._storm,
            lambda: lab.set_lag(
                orders_ms=chance.randint(0, 5000),
                trades_ms=chance.randint(0, 5000),
                balances_ms=chance.randint(0, 5000),
                scatters_trades=chance.random() < 0.5,
            ),
            lambda: lab.race_cancels(probability=0.4, seed=chance.randint(0, 999)),
            lambda: lab.maintenance(on=True),
            lambda: lab.freeze_book(symbol=symbol),
            lambda: lab.empty_book(symbol=symbol, side=chance.choice([None, "bids", "asks"])),
            lambda: lab.cross_book(symbol=symbol),
            lambda: lab.change_key(key=chance.choice(self.keys), is_revoked=True),
            lambda: lab.change_key(key=chance.choice(self.keys), trading=False),
            lambda: lab.set_clock(offset_ms=chance.choice([-7000, 3000])),
        ]

    def _swallow_answers(self) -> None:
        """Orders are accepted, and many answers are lost or late; trades show late and out of order."""
        rates = {"hang_after": 0.1, "drop_after": 0.15, "late_answer": 0.2}
        self.lab.set_weather(
            seed=self.chance.randint(0, 10**6), rates=rates, method="POST", path="/api/v3/order"
        )
        self.lab.set_lag(orders_ms=500, trades_ms=1500, balances_ms=500, scatters_trades=True)

    def _storm(self) -> None:
        """Every kind of fault, one or two of them often."""
        rates = dict.fromkeys(GENTLE, 0.002)
        for kind in self.chance.sample(GENTLE, 2):
            rates[kind] = 0.05
        self.lab.set_weather(seed=self.chance.randint(0, 10**6), rates=rates)


def _settle(lab: Control, desk: Desk) -> bool:
    """The market goes quiet, the bots are stopped, and the desk gets time to bring its books together."""
    for symbol in SYMBOLS:
        lab.stop_crowd(symbol=symbol)
    time.sleep(CALM_SECONDS)
    desk.manage("shell", "-v0", "-c", "from tests.chaos.plant import stop_all; stop_all()")
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        if all(bot["state"] == "stopped" for bot in desk.report()["bots"]):
            return True
        time.sleep(2)
    return False


# --- The report


def _report(
    plan: Plan, lab: Control, books: Mapping[str, Any], connections: list[dict[str, Any]],
    struck: list[Struck], folder: Path,
) -> dict[str, Any]:  # fmt: skip
    verdicts = {row["name"]: _judge(lab, books, row) for row in connections}
    kills = _kills(lab, connections, struck)
    return {
        "seed": plan.seed,
        "minutes": plan.minutes,
        "database": "PostgreSQL" if plan.database_url else "SQLite",
        "broker": "Redis" if plan.redis_url else "ORM",
        "clean": all(verdict.is_clean for verdict in verdicts.values()),
        "verdicts": {name: asdict(verdict) for name, verdict in verdicts.items()},
        "orders": len(books["orders"]),
        "trades": len(books["trades"]),
        "order_states": Counter(order["state"] for order in books["orders"]),
        "events": Counter(event["kind"] for event in books["events"]),
        "disasters": Counter(strike.name for strike in struck),
        "unknown_orders_ended_as": _fates(books),
        "seconds_until_quotes_again": _returns(kills),
        "kills": kills,
        "logs": str(folder),
    }


def _judge(lab: Control, books: Mapping[str, Any], connection: dict[str, Any]) -> Verdict:
    name = connection["name"]
    mine = {
        "orders": [row for row in books["orders"] if row["connection__name"] == name],
        "trades": [row for row in books["trades"] if row["connection__name"] == name],
        "balances": [row for row in books["balances"] if row["connection__name"] == name],
        "positions": [row for row in books["positions"] if row["bot__connection__name"] == name],
    }
    theirs = {
        "orders": lab.orders(account=name),
        "trades": lab.trades(account=name),
        "balances": lab.balances(account=name),
        "journal": lab.journal(account=name),
    }
    limits = {bot["name"]: bot for bot in connection["bots"]}
    return judge(name, mine, theirs, limits)


def _fates(books: Mapping[str, Any]) -> dict[str, int]:
    """What became of the orders whose outcome was unknown for a while."""
    words = [event["text"] for event in books["events"] if event["kind"] == "order_unknown"]
    absent = [event for event in books["events"] if event["kind"] == "order_absent"]
    return {"told_unknown": len(words), "given_up_as_absent": len(absent)}


def _kills(lab: Control, connections: list[dict[str, Any]], struck: list[Struck]) -> list[dict[str, Any]]:
    """Each kill, with the seconds until the slowest connection was heard of again with quotes as before.

    A connection without quotes at that moment lost none by the kill; it is counted apart.
    """
    lives = {
        row["name"]: Life(lab.requests(key=row["key"]), lab.journal(account=row["name"]))
        for row in connections
    }
    kills = []
    for strike in [strike for strike in struck if strike.is_kill]:
        after = {name: life.seconds_until_back(strike.at) for name, life in lives.items()}
        quoted = {name: seconds for name, seconds in after.items() if seconds is not None}
        slowest = max(quoted, key=lambda name: quoted[name], default="")
        kills.append(
            {
                "kill": strike.name,
                "venue": "up" if strike.in_calm else "in trouble",
                "second_of_the_run": round(strike.at - struck[0].at, 1),
                "slowest": slowest,
                "seconds": round(quoted.get(slowest, 0.0), 1),
                "without_quotes_before": len(lives) - len(quoted),
            }
        )
    return kills


def _returns(kills: list[dict[str, Any]]) -> dict[str, dict[str, float]]:
    """Over all kills of a kind."""
    returns: dict[str, list[float]] = defaultdict(list)
    for kill in kills:
        returns[f"{kill['kill']}, venue {kill['venue']}"].append(kill["seconds"])
    return {
        what: {"kills": len(times), "median": round(statistics.median(times), 1), "worst": max(times)}
        for what, times in sorted(returns.items())
    }
