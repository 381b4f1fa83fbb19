"""Which venues there are, found without loading ccxt."""

from __future__ import annotations

import subprocess
import sys

import pytest

from exchanges.gateway import ConnectionSpec, Credentials
from exchanges.venues.demo import DemoMarketData
from exchanges.venues.dialects import dialect_of
from exchanges.venues.registry import (
    UnknownVenueError,
    known_venues,
    open_gateway,
    open_market_data,
    venue,
)
from exchanges.venues.wire import Wire


def test_the_registry_loads_neither_ccxt_nor_aiohttp() -> None:
    code = (
        "import sys; sys.path.insert(0, 'platform'); import exchanges.venues.registry as registry; "
        "registry.venue('kraken'); registry.venue('bitget'); "
        "print([name for name in sys.modules if name.split('.')[0] in ('ccxt', 'aiohttp')])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_binance_and_the_demo_come_first() -> None:
    assert [known.id for known in known_venues()][:2] == ["binance", "demo"]


def test_a_venue_is_found_however_it_is_written() -> None:
    assert venue(" Binance ").id == "binance"


def test_any_other_id_of_ccxt_is_a_venue() -> None:
    assert [field.name for field in venue("bitget").credential_fields] == [
        "api_key",
        "api_secret",
        "passphrase",
    ]


@pytest.mark.parametrize("nonsense", ["__init__", "base", "../binance", "", "abstract"])
def test_a_file_of_ccxt_that_is_no_venue_is_none(nonsense: str) -> None:
    with pytest.raises(UnknownVenueError):
        venue(nonsense)


def test_an_unknown_venue_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownVenueError, match="did you mean binance"):
        venue("binanse")


def test_the_demo_has_no_accounts_and_asks_for_no_key() -> None:
    demo = venue("demo")

    assert (demo.is_paper_only, demo.credential_fields) == (True, ())


async def test_the_demo_market_needs_no_socket() -> None:
    async with Wire() as wire:
        assert isinstance(open_market_data("demo", proxy=None, wire=wire), DemoMarketData)


async def test_a_paper_account_without_a_database_is_a_mistake() -> None:
    spec = ConnectionSpec(id="1", name="play", venue="demo", is_paper=True, credentials=Credentials())
    async with Wire() as wire:
        with pytest.raises(ValueError, match="database"):
            open_gateway(spec, wire=wire)


def test_what_is_said_of_streams_is_what_the_dialects_can_do() -> None:
    real = [known for known in known_venues() if not known.is_synthetic]
    assert {known.id: known.streams_books for known in real} == {
        known.id: dialect_of(known.id).book_streaming is not None for known in real
    }
