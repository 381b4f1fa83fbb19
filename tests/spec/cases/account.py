"""What the account owns."""

from __future__ import annotations

from decimal import Decimal

from tests.spec.bench import DESK, Bench
from tests.spec.case import case
from tests.spec.compare import same_balance


@case("S21", "reads balances to the last digit")
async def _(bench: Bench) -> None:
    bench.house.exchange.ledger.deposit(DESK, bench.rules.base, Decimal("0.00000001"))
    bench.house.exchange.ledger.deposit(DESK, bench.rules.quote, Decimal("0.01"))

    balances = await bench.gateway().fetch_balances()

    for currency in (bench.rules.base, bench.rules.quote):
        same_balance(balances.get(currency), bench.holding(currency))


@case("S22", "tells what is free from what open orders hold, on both sides")
async def _(bench: Bench) -> None:
    bench.ours("buy", bench.stand.amount, bench.ticks(-100))
    bench.ours("sell", bench.stand.amount * 2, bench.ticks(100))
    assert bench.holding(bench.rules.base).used
    assert bench.holding(bench.rules.quote).used

    balances = await bench.gateway().fetch_balances()

    for currency in (bench.rules.base, bench.rules.quote):
        same_balance(balances.get(currency), bench.holding(currency))


@case("S23", "takes a currency that the account has nothing of for nothing")
async def _(bench: Bench) -> None:
    base = bench.rules.base
    bench.leave_only(base, Decimal(0))

    balances = await bench.gateway().fetch_balances()

    same_balance(balances.get(base), bench.holding(base))
    assert balances[bench.rules.quote].free == bench.holding(bench.rules.quote).free
