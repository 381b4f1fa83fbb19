"""The weather strikes at its rates, the same for the same seed, and where it was told to."""

from __future__ import annotations

from collections import Counter

import pytest

from tests.lab.binance import BinanceDialect
from tests.lab.exchange import Exchange
from tests.lab.faults import Effect, Fault, FaultPlan, Target
from tests.lab.weather import KINDS, Region, Severity, Sky, Weather

ORDERS = Target("binance", "a", "POST", "/api/v3/order")
READS = Target("binance", "b", "GET", "/api/v3/account")
BINANCE = BinanceDialect(Exchange())
RATES = {"hang_after": 0.1, "drop_before": 0.2, "late_answer": 0.05}


def story(weather: Weather, target: Target, count: int = 400) -> list[tuple[str, float]]:
    strikes = [weather.draw(target, BINANCE) for _ in range(count)]
    return [("", 0.0) if strike is None else (strike.fault.name, strike.fault.seconds) for strike in strikes]


def test_the_same_seed_strikes_the_same_requests() -> None:
    first, second, third = (story(Weather(seed=seed, rates=RATES), ORDERS) for seed in (7, 7, 8))
    assert first == second
    assert first != third


def test_other_clients_requests_do_not_change_whom_it_strikes() -> None:
    alone, busy = Weather(seed=7, rates=RATES), Weather(seed=7, rates=RATES)
    seen = []
    for _ in range(100):
        busy.draw(READS, BINANCE)
        strike = busy.draw(ORDERS, BINANCE)
        seen.append("" if strike is None else strike.fault.name)
    assert seen == [name for name, _ in story(alone, ORDERS, 100)]


def test_it_strikes_as_often_as_its_rates_say() -> None:
    counts = Counter(name for name, _ in story(Weather(seed=1, rates=RATES), ORDERS, 20_000))
    for name, rate in RATES.items():
        assert counts[name] / 20_000 == pytest.approx(rate, rel=0.1)


def test_a_delay_stays_within_its_severity() -> None:
    weather = Weather(seed=1, rates={"late_request": 1}, severity=Severity(late_seconds=2))
    seconds = [length for _, length in story(weather, ORDERS)]
    assert 0.2 <= min(seconds) < max(seconds) <= 2


def test_every_kind_makes_a_fault_that_carries_its_name() -> None:
    for kind in KINDS:
        strike = Weather(seed=3, rates={kind: 1}).draw(ORDERS, BINANCE)
        assert strike is not None
        assert strike.fault.name == kind


@pytest.mark.parametrize(
    ("rates", "complaint"),
    [({"snow": 0.1}, "no weather called snow"), ({"drip": -0.1}, "chances"), ({"drip": 1.1}, "chances")],
)
def test_rates_that_make_no_sense_are_refused(rates: dict[str, float], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        Weather(seed=1, rates=rates)


def test_of_two_weathers_the_one_set_last_counts_where_both_reign() -> None:
    sky = Sky({"binance": BINANCE})
    sky.set(Weather(seed=1, rates={"drip": 1}), Region())
    sky.set(Weather(seed=1, rates={"firewall": 1}), Region(key="a"))
    named = [strike.fault.name for strike in map(sky.claim, (ORDERS, READS)) if strike is not None]
    assert named == ["firewall", "drip"]
    sky.clear()
    assert sky.claim(ORDERS) is None


def test_a_planned_fault_comes_before_the_weather() -> None:
    plan, sky = FaultPlan(), Sky({"binance": BINANCE})
    plan.behind.append(sky)
    sky.set(Weather(seed=1, rates={"drip": 1}), Region())
    plan.add(Fault(effect=Effect.DROP, key="a"))
    strikes = [plan.claim(ORDERS), plan.claim(ORDERS)]
    assert [strike.fault.effect for strike in strikes if strike is not None] == [Effect.DROP, Effect.DRIP]


def test_a_fault_of_some_probability_strikes_the_same_requests_for_the_same_seed() -> None:
    stories = []
    for _ in range(2):
        plan = FaultPlan(seed=5)
        plan.add(Fault(effect=Effect.DROP, probability=0.3, times=None))
        stories.append([plan.claim(ORDERS) is not None for _ in range(200)])
    assert stories[0] == stories[1]
    assert 30 < sum(stories[0]) < 90
