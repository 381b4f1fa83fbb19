"""A desk under disasters, and what is left of its books afterwards."""

from __future__ import annotations

import json
import random
import statistics
import tempfile
import time
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.chaos.disasters import Clusters, Disasters, Struck
from tests.chaos.exits import Price, Trouble
from tests.chaos.grounds import OPEN, Ground, grounds_of
from tests.chaos.life import Life
from tests.chaos.prices import PriceWatch
from tests.chaos.servers import Servers, own_servers
from tests.chaos.verdict import Verdict
from tests.chaos.weather import Weather
from tests.e2e.desk import Desk, database_for, wait_until
from tests.lab.control import LabProcess

VENUES = tuple(stand.venue for stand in OPEN)

PAUSE_SECONDS = (2.0, 8.0)  # between two disasters
CLEARED_SECONDS = 5.0  # for quotes, once everybody asks the venue again
BETWEEN_OUTAGES_SECONDS = 30.0  # of whole venues
BACK_OFF_SECONDS = 90.0  # the longest wait after a trouble, and some
RETURN_SECONDS = 18.0  # what a kill is given before the weather changes again
# What coming back may take: from a process that died, and from a machine that is gone.
BACK_SECONDS, BACK_FROM_ELSEWHERE_SECONDS = 10.0, 18.0
WARM_UP_SECONDS = 120
CALM_SECONDS = 20
SETTLE_SECONDS = 300


@dataclass(frozen=True, kw_only=True)
class Plan:
    """database_url, redis_url: of servers; empty: SQLite, and the database as broker.

    own_servers: PostgreSQL and Redis are started for this run, and really restarted.
    plant: a bug of tests/chaos/planted that the run has to find; the weather is then the worst for orders.
    venues: where the desk trades, at least four connections in all.
    """

    seed: int
    minutes: float
    database_url: str = ""
    redis_url: str = ""
    own_servers: bool = False
    plant: str = ""
    venues: tuple[str, ...] = VENUES


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
        grounds = grounds_of(lab, plan.venues)
        try:
            _open(grounds, desk, clusters, plan.seed)
            disasters = Disasters(clusters, chance, url, plan.redis_url, servers)
            weathers = [Weather(ground, chance, is_planted=bool(plan.plant)) for ground in grounds]
            with PriceWatch(grounds) as watch:
                _befall(weathers, disasters, chance, until=time.monotonic() + plan.minutes * 60)
                settled = _settle(grounds, desk)
            books = desk.report()
        finally:
            desk.stop_all()
        report = _report(plan, weathers, books, disasters.struck, watch.prices, folder)
        return report | {"settled": settled, "clean": settled and report["clean"]}


def _open(grounds: Sequence[Ground], desk: Desk, clusters: Clusters, seed: int) -> None:
    for ground in grounds:
        ground.open(seed)
    desk.prepare()
    connections = json.dumps(json.dumps([row for ground in grounds for row in ground.connections]))
    desk.manage("shell", "-v0", "-c", f"from tests.chaos.plant import plant; plant({connections})")
    clusters.start()
    clusters.start()
    wait_until(
        lambda: all(ground.quotes() for ground in grounds),
        "every connection quotes",
        seconds=WARM_UP_SECONDS,
    )
    for ground in grounds:
        ground.start_crowds()


def _befall(
    weathers: Sequence[Weather], disasters: Disasters, chance: random.Random, *, until: float
) -> None:
    away_again_at = 0.0
    while time.monotonic() < until:
        for weather in weathers:
            weather.change()
        if time.monotonic() >= away_again_at and not weathers[0].is_planted:
            seconds = chance.choice(weathers).go_away()
            away_again_at = time.monotonic() + seconds + BETWEEN_OUTAGES_SECONDS
        time.sleep(min(chance.uniform(*PAUSE_SECONDS), max(until - time.monotonic(), 0)))
        is_rough = any(weather.is_planted or weather.is_away for weather in weathers)
        is_calm = not is_rough and chance.random() < 0.5
        if is_calm:
            _clear_for_sure(weathers)
        if time.monotonic() < until:
            disasters.strike(in_calm=is_calm)
            time.sleep(RETURN_SECONDS)
    for weather in weathers:
        weather.clear()


def _clear_for_sure(weathers: Sequence[Weather]) -> None:
    """Until the waits that the last troubles brought are over: everybody asks the venue again."""
    for weather in weathers:
        weather.clear()
    cleared_at = weathers[0].lab.last_request()
    wait_until(
        lambda: all(weather.asked_since(cleared_at) for weather in weathers),
        "everybody asks the venue again",
        seconds=BACK_OFF_SECONDS,
        pause=1.0,
    )
    time.sleep(CLEARED_SECONDS)


def _settle(grounds: Sequence[Ground], desk: Desk) -> bool:
    """The market goes quiet, the bots are stopped, and the desk gets time to bring its books together."""
    for ground in grounds:
        ground.stop_crowds()
    time.sleep(CALM_SECONDS)
    desk.manage("shell", "-v0", "-c", "from tests.chaos.plant import stop_all; stop_all()")
    until = time.monotonic() + SETTLE_SECONDS
    while time.monotonic() < until:
        if _is_quiet(desk.report()):
            return True
        time.sleep(2)
    return False


def _is_quiet(books: Mapping[str, Any]) -> bool:
    """All bots are stopped, and all balances were read after that: a stop makes them due."""
    dues = [str(row["balances_due_at"]) for row in books["connections"]]
    are_read = all(due == "None" or datetime.fromisoformat(due) > datetime.now(UTC) for due in dues)
    return are_read and all(bot["state"] == "stopped" for bot in books["bots"])


# --- The report


def _report(
    plan: Plan,
    weathers: Sequence[Weather],
    books: Mapping[str, Any],
    struck: list[Struck],
    prices: Mapping[str, list[Price]],
    folder: Path,
) -> dict[str, Any]:
    verdicts: dict[str, Verdict] = {}
    lives: dict[str, Life] = {}
    befell = _troubles(struck)
    grounds = [weather.ground for weather in weathers]
    for weather in weathers:
        ground = weather.ground
        verdicts |= ground.verdicts(books, prices[ground.stand.venue], [*befell, *weather.past()])
        lives |= ground.lives()
    kills = _kills(lives, struck)
    return {
        "seed": plan.seed,
        "minutes": plan.minutes,
        "database": "PostgreSQL" if plan.database_url else "SQLite",
        "broker": "Redis" if plan.redis_url else "ORM",
        "clean": all(verdict.is_clean for verdict in verdicts.values()),
        "verdicts": {name: asdict(verdict) for name, verdict in verdicts.items()},
        "orders": len(books["orders"]),
        "trades": len(books["trades"]),
        "round_trips": _trips(books),
        "trades_by_connection": Counter(trade["connection__name"] for trade in books["trades"]),
        "requests_struck_by_a_fault": {ground.stand.venue: ground.struck() for ground in grounds},
        "order_states": Counter(order["state"] for order in books["orders"]),
        "events": Counter(event["kind"] for event in books["events"]),
        "disasters": Counter(strike.name for strike in struck),
        "unknown_orders_ended_as": _fates(books),
        "seconds_until_quotes_again": _returns(kills),
        "kills": kills,
        "logs": str(folder),
    }


def _troubles(struck: Iterable[Struck]) -> list[Trouble]:
    """What befell the whole desk, as far as an exit may be late for it."""

    def budget(strike: Struck) -> float:
        is_near = strike.name in {Disasters.kill_a_worker.__name__, Disasters.restart_the_database.__name__}
        return BACK_SECONDS if is_near else BACK_FROM_ELSEWHERE_SECONDS

    return [Trouble(strike.at, strike.ended_at, budget(strike)) for strike in struck]


def _trips(books: Mapping[str, Any]) -> dict[str, int]:
    """By what ended them."""
    return Counter(trip["closing"] or trip["state"] for trip in books["round_trips"])


def _fates(books: Mapping[str, Any]) -> dict[str, int]:
    """What became of the orders whose outcome was unknown for a while."""
    words = [event["text"] for event in books["events"] if event["kind"] == "order_unknown"]
    absent = [event for event in books["events"] if event["kind"] == "order_absent"]
    return {"told_unknown": len(words), "given_up_as_absent": len(absent)}


def _kills(lives: Mapping[str, Life], struck: list[Struck]) -> list[dict[str, Any]]:
    """Each kill, with the seconds until the slowest connection was heard of again with quotes as before.

    A connection without quotes at that moment lost none by the kill; it is counted apart.
    """
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
