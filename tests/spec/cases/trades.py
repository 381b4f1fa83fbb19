"""Fills: each counted once, to the last digit. The desk's orders were placed at another time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from exchanges.types import Fee, Liquidity, Side, TradeReport
from tests.lab.orders import Fill
from tests.lab.rules import MarketRules
from tests.spec.bench import DESK, MONEY, Bench, ref_to
from tests.spec.case import Need, case
from tests.spec.compare import same_trades

DAY_MS = 86_400_000


@case("S61", "knows price, amount, cost, fee, time and order of a fill")
async def _(bench: Bench) -> None:
    bench.crowd("sell", bench.stand.amount, bench.ticks(3))
    order = bench.ours("buy", bench.stand.amount * 2, bench.ticks(3))
    gateway = bench.gateway()

    (trade,) = await gateway.fetch_trades(bench.stand.symbol, since=bench.long_ago())

    same_trades([trade], bench.fills(), bench.stand)
    assert trade.order_venue_id == (await gateway.fetch_order(ref_to(order))).venue_id


@case("S62", "tells fills that took from fills that made", Need.LIQUIDITY)
async def _(bench: Bench) -> None:
    _step_back(bench, 10_000)
    bench.fill("buy", bench.stand.amount, bench.ticks(0))
    _step_back(bench, 0)
    bench.ours("buy", bench.stand.amount, bench.ticks(-1))
    bench.passer_by("sell", bench.stand.amount, bench.ticks(-1))

    trades = await bench.gateway().fetch_trades(bench.stand.symbol, since=bench.long_ago())

    assert [trade.liquidity for trade in trades] == [Liquidity.TAKER, Liquidity.MAKER]


@case("S63", "counts a fee in base", Need.FEE_IN_BASE)
async def _(bench: Bench) -> None:
    fill = bench.fill("buy", bench.stand.amount, bench.ticks(0))

    await _fee_is_told(bench, fill, bench.rules.base)


@case("S64", "counts a fee in quote", Need.FEE_IN_QUOTE)
async def _(bench: Bench) -> None:
    fill = bench.fill("sell", bench.stand.amount, bench.ticks(0))

    await _fee_is_told(bench, fill, bench.rules.quote)


@case("S65", "counts a fee in a third currency", Need.FEE_IN_THIRD)
async def _(bench: Bench) -> None:
    third = bench.stand.third_currency
    account = bench.house.exchange.accounts[DESK]
    account.fees = replace(account.fees, currency=third, price_in_quote={bench.rules.quote: Decimal(600)})
    fill = bench.fill("buy", bench.stand.amount, bench.ticks(0))

    await _fee_is_told(bench, fill, third)


async def _fee_is_told(bench: Bench, fill: Fill, currency: str) -> None:
    assert fill.fee_currency == currency
    assert fill.fee > 0

    (trade,) = await bench.gateway().fetch_trades(bench.stand.symbol, since=bench.long_ago())

    assert trade.fees == (Fee(currency=currency, amount=fill.fee),)


@case("S66", "can say of every cent where it went")
async def _(bench: Bench) -> None:
    """What the fills moved, less the fees, is what the balances changed by."""
    for number, side in enumerate(("buy", "sell", "buy", "buy", "sell")):
        _step_back(bench, 10_000 - 1_000 * number)
        bench.fill(side, bench.stand.amount * (number + 1), bench.ticks(7 * number))
    _step_back(bench, 0)
    gateway = bench.gateway()

    trades = await gateway.fetch_trades(bench.stand.symbol, since=bench.long_ago())
    balances = await gateway.fetch_balances()

    moved = _moved(trades, bench.rules)
    for kind, currency in (("base", bench.rules.base), ("quote", bench.rules.quote)):
        assert balances[currency].total == MONEY[kind] + moved[currency]


def _moved(trades: Iterable[TradeReport], rules: MarketRules) -> Mapping[str, Decimal]:
    """By currency."""
    moved: defaultdict[str, Decimal] = defaultdict(Decimal)
    for trade in trades:
        sign = 1 if trade.side is Side.BUY else -1
        moved[rules.base] += sign * trade.amount
        moved[rules.quote] -= sign * trade.cost
        for fee in trade.fees:
            moved[fee.currency] -= fee.amount
    return moved


@case("S67", "collects trades over all pages, each once")
async def _(bench: Bench) -> None:
    count = 2 * bench.trades_page + 3
    _many_fills(bench, count, apart_ms=10 * bench.stand.time_step_ms)

    trades = await bench.gateway().fetch_trades(bench.stand.symbol, since=bench.long_ago())

    assert len(trades) == count
    same_trades(trades, bench.fills(), bench.stand)


@case("S68", "loses no trade of a moment in which a page ends")
async def _(bench: Bench) -> None:
    _many_fills(bench, bench.trades_page - 2, apart_ms=bench.stand.time_step_ms)
    bench.crowd("buy", bench.stand.amount * 5, bench.ticks(0))
    for _ in range(5):
        bench.ours("sell", bench.stand.amount, bench.ticks(0))
    count = len(bench.fills())

    trades = await bench.gateway().fetch_trades(bench.stand.symbol, since=bench.long_ago())

    assert len(trades) == count == bench.trades_page + 3
    assert len({trade.id for trade in trades}) == len(trades)


def _many_fills(bench: Bench, count: int, *, apart_ms: int) -> None:
    """The oldest count * apart_ms ago."""
    bench.crowd("sell", bench.stand.amount * count, bench.ticks(0))
    for number in range(count):
        _step_back(bench, (count - number) * apart_ms)
        bench.ours("buy", bench.stand.amount, bench.ticks(0))
    _step_back(bench, 0)


@case("S69", "finds trades of days ago")
async def _(bench: Bench) -> None:
    _step_back(bench, 3 * DAY_MS)
    bench.fill("buy", bench.stand.amount, bench.ticks(0))
    _step_back(bench, 0)

    trades = await bench.gateway().fetch_trades(
        bench.stand.symbol, since=datetime.now(UTC) - timedelta(days=5)
    )

    same_trades(trades, bench.fills(), bench.stand)


@case("S70", "asks for the trades since its cursor, and gets the one at the cursor again")
async def _(bench: Bench) -> None:
    for back_ms in (30_000, 20_000, 10_000):
        _step_back(bench, back_ms)
        bench.fill("buy", bench.stand.amount, bench.ticks(0))
    _step_back(bench, 0)
    gateway = bench.gateway()
    everything = await gateway.fetch_trades(bench.stand.symbol, since=bench.long_ago())

    trades = await gateway.fetch_trades(bench.stand.symbol, since=everything[1].time)

    assert [trade.id for trade in trades] == [trade.id for trade in everything[1:]]


@case("S71", "finds the trades of one order, which are its own")
async def _(bench: Bench) -> None:
    bench.fill("buy", bench.stand.amount, bench.ticks(5))
    for ticks in (0, 1):
        bench.crowd("sell", bench.stand.amount, bench.ticks(ticks))
    order = bench.ours("buy", bench.stand.amount * 2, bench.ticks(1))
    gateway = bench.gateway()
    report = await gateway.fetch_order(ref_to(order))

    trades = await gateway.fetch_order_trades(ref_to(order, report.venue_id))

    assert sorted(trade.price for trade in trades) == [bench.ticks(0), bench.ticks(1)]
    assert {trade.order_venue_id for trade in trades} == {report.venue_id}


@case("S72", "reads the trades of one market apart from another's")
async def _(bench: Bench) -> None:
    bench.fill("buy", bench.stand.amount, bench.ticks(0))
    stand = bench.stand
    bench.fill("buy", stand.other_amount, stand.other_price, stand.other_symbol)

    trades = await bench.gateway().fetch_trades(stand.other_symbol, since=bench.long_ago())

    same_trades(trades, bench.fills(stand.other_symbol), stand)


def _step_back(bench: Bench, ms: int) -> None:
    """What happens now happened so long ago."""
    bench.house.clock.offset_ms = -ms
