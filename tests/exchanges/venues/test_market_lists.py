"""Market lists age: they are asked for anew, once for all, and what stands on them is not disturbed."""

from __future__ import annotations

import asyncio
import gc
import logging
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.errors import InvalidOrderError, OrderNotFoundError, UnknownSymbolError
from exchanges.types import OrderRef
from exchanges.venues import market_lists
from exchanges.venues.registry import open_market_data
from exchanges.venues.wire import Wire
from tests.exchanges.venues.conftest import SYMBOL, Lab, OpenGateway, buy
from tests.lab.faults import Effect, Fault, server_error
from tests.lab.rules import MarketRules
from tests.spec.bench import ref_of

D = Decimal
INFO = "/api/v3/exchangeInfo"
GONE = "ETH/USDT"


@pytest.fixture
def old_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_lists, "LIFETIME_SECONDS", 0.0)
    monkeypatch.setattr(market_lists, "DOUBTED_LIFETIME_SECONDS", 0.0)


@pytest.fixture
def doubts_count_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(market_lists, "DOUBTED_LIFETIME_SECONDS", 0.0)


async def renewed(wire: Wire, venue: str = "binance") -> None:
    """Until nobody asks for the list any more."""
    shared = wire.market_lists._lists[venue]
    if shared.renewal:
        await shared.renewal


def asked(lab: Lab) -> int:
    return len(lab.server.requests.select(path=INFO))


def change(lab: Lab, **rules: Any) -> None:
    market = lab.exchange.market(SYMBOL)
    market.rules = replace(market.rules, **rules)


async def test_an_hour_passes_before_the_list_is_asked_for_again(lab: Lab, open_binance: OpenGateway) -> None:
    gateway = open_binance()
    for _ in range(3):
        await gateway.load_markets()

    assert asked(lab) == 1
    assert 3200 < gateway._wire.market_lists._lists["binance"].lifetime_seconds < 4000


@pytest.mark.usefixtures("old_at_once")
async def test_a_new_tick_is_there_for_all_once_one_had_the_list_asked_for(
    lab: Lab, wire: Wire, open_binance: OpenGateway
) -> None:
    first, second = open_binance(), open_binance()
    await first.load_markets()
    await second.load_markets()
    await renewed(wire)
    change(lab, price_step=D("0.5"))
    lab.server.requests.clear()

    old = await first.load_markets()
    await renewed(wire)

    assert old[SYMBOL].price_step == D("0.01")
    assert asked(lab) == 1
    assert wire.market_lists.markets("binance")[SYMBOL].price_step == D("0.5")
    assert first._client.markets is second._client.markets
    await second.place(buy("0.5", "40000.5"))
    with pytest.raises(InvalidOrderError, match="tick"):
        await second.place(buy("0.5", "40000.01"))


@pytest.mark.usefixtures("old_at_once")
async def test_while_the_list_is_asked_for_everybody_goes_on_with_the_old_one(
    lab: Lab, wire: Wire, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    lab.server.faults.add(Fault(effect=Effect.HANG, path=INFO))

    async with asyncio.timeout(2):
        await gateway.load_markets()
        await gateway.place(buy("0.5", "40000"))
        await gateway.load_markets()

    renewal = wire.market_lists._lists["binance"].renewal
    assert renewal is not None
    assert not renewal.done()


@pytest.mark.usefixtures("old_at_once")
async def test_a_list_that_is_as_it_was_is_not_exchanged(wire: Wire, open_binance: OpenGateway) -> None:
    gateway = open_binance()
    before = await gateway.load_markets()
    shared = gateway._client.markets

    await gateway.load_markets()
    await renewed(wire)

    assert await gateway.load_markets() is before
    assert gateway._client.markets is shared


@pytest.mark.usefixtures("old_at_once")
async def test_the_old_list_is_nobodys_once_there_is_a_new_one(
    lab: Lab, wire: Wire, open_binance: OpenGateway
) -> None:
    gateway, everybodys = open_binance(), open_market_data("binance", proxy=None, wire=wire)
    await gateway.load_markets()
    await everybodys.load_markets()
    await renewed(wire)
    old = weakref.ref(wire.market_lists._lists["binance"].source)
    change(lab, price_step=D("0.5"))

    await gateway.load_markets()
    await renewed(wire)
    gc.collect()

    assert old() is None
    assert (await everybodys.load_markets())[SYMBOL].price_step == D("0.5")


async def test_while_the_venue_does_not_answer_the_old_list_stays_and_five_minutes_pass(
    lab: Lab, wire: Wire, open_binance: OpenGateway, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    gateway = open_binance()
    before = await gateway.load_markets()
    wire.market_lists._lists["binance"].lifetime_seconds = 0.0
    lab.server.faults.add(server_error(502, path=INFO))
    with caplog.at_level(logging.WARNING):
        await gateway.load_markets()
        await renewed(wire)

    assert "Binance stays as it was" in caplog.text
    assert await gateway.load_markets() is before
    assert asked(lab) == 2
    monkeypatch.setattr(market_lists, "DOUBTED_LIFETIME_SECONDS", 0.0)
    await gateway.load_markets()
    await renewed(wire)
    assert asked(lab) == 3


@pytest.mark.usefixtures("doubts_count_at_once")
@pytest.mark.parametrize(("rules", "request_", "error"), [
    ({"price_step": D("0.5")}, buy("0.5", "40000.01"), InvalidOrderError),
    ({"amount_step": D("0.3")}, buy("0.5", "40000"), InvalidOrderError),
    ({"min_cost": D(50_000)}, buy("0.5", "40000"), InvalidOrderError),
])  # fmt: skip
async def test_a_refusal_by_a_rule_that_was_listed_otherwise_has_the_list_asked_for(
    lab: Lab, wire: Wire, open_binance: OpenGateway, rules: dict[str, Decimal], request_: object, error: type
) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    change(lab, **rules)

    with pytest.raises(error):
        await gateway.place(request_)  # type: ignore[arg-type]
    await gateway.load_markets()
    await renewed(wire)

    market = (await gateway.load_markets())[SYMBOL]
    assert {name: getattr(market, name) for name in rules} == rules
    assert asked(lab) == 2


async def test_doubts_have_it_asked_for_once_in_five_minutes_at_most(
    lab: Lab, wire: Wire, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    for _ in range(3):
        with pytest.raises(UnknownSymbolError):
            await gateway.fetch_book("NEW/USDT")
    assert asked(lab) == 1

    wire.market_lists._lists["binance"].asked_at -= 301
    lab.exchange.list_market(MarketRules(base="NEW", quote="USDT"))
    with pytest.raises(UnknownSymbolError):
        await gateway.fetch_book("NEW/USDT")
    await renewed(wire)
    assert asked(lab) == 2
    assert (await gateway.fetch_book("NEW/USDT")).bids == ()


@pytest.mark.usefixtures("old_at_once")
async def test_a_market_that_is_gone_stays_inactive_and_keeps_its_name(
    lab: Lab, wire: Wire, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    await gateway.load_markets()
    await renewed(wire)
    lab.exchange.delist_market(GONE)
    for _ in range(3):
        await gateway.load_markets()
        await renewed(wire)

    market = (await gateway.load_markets())[GONE]

    assert (market.base, market.quote, market.active) == ("ETH", "USDT", False)
    assert gateway._client.market(GONE)["id"] == "ETHUSDT"
    lab.exchange.list_market(lab.exchange.delisted[GONE].rules)
    await renewed(wire)
    await gateway.load_markets()
    await renewed(wire)
    assert (await gateway.load_markets())[GONE].active


@pytest.mark.usefixtures("old_at_once")
async def test_in_a_market_that_is_gone_nothing_is_left(
    lab: Lab, wire: Wire, open_binance: OpenGateway
) -> None:
    gateway = open_binance()
    request = buy("0.5", "2000", symbol=GONE)
    report = await gateway.place(request)
    lab.exchange.delist_market(GONE)
    with pytest.raises(UnknownSymbolError):
        await gateway.fetch_open_orders([GONE])
    await renewed(wire)
    await gateway.load_markets()
    await renewed(wire)

    assert await gateway.fetch_open_orders([GONE, SYMBOL]) == []
    assert await gateway.fetch_trades(GONE, since=datetime.now(UTC) - timedelta(hours=1)) == []
    for ref in (ref_of(request), OrderRef(client_id="", symbol=GONE, venue_id=report.venue_id)):
        with pytest.raises(OrderNotFoundError, match="ETH/USDT any more"):
            await gateway.fetch_order(ref)


@pytest.mark.usefixtures("old_at_once")
async def test_a_wire_that_is_closed_asks_for_nothing_any_more(lab: Lab, open_binance: OpenGateway) -> None:
    async with Wire() as wire:
        data = open_market_data("binance", proxy=None, wire=wire)
        await data.load_markets()
        lab.server.faults.add(Fault(effect=Effect.HANG, path=INFO))
        await data.load_markets()
        renewal = wire.market_lists._lists["binance"].renewal
        await asyncio.sleep(0)
    assert renewal is not None
    assert renewal.done()
