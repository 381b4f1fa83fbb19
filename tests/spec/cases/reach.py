"""Connections, keys and clocks."""

from __future__ import annotations

import asyncio
import traceback
from datetime import UTC, datetime, timedelta

import pytest

from exchanges.errors import AddressNotAllowedError, CredentialsError, VenueDownError, VenueError
from exchanges.types import Side
from tests.lab.accounts import Login
from tests.spec.bench import Bench
from tests.spec.case import Need, case

ELSEWHERE = frozenset(["203.0.113.7"])
LOOPBACK = "127.0.0.1"


@case("S01", "reads the venue's clock without a key", Need.OPEN_DATA)
async def _(bench: Bench) -> None:
    bench.house.clock.offset_ms = 90_000

    told = await bench.market_data().fetch_time()

    assert abs(told - datetime.now(UTC) - timedelta(seconds=90)) < timedelta(seconds=5)
    assert [seen.key for seen in bench.requests.select()] == [None]


@case("S02", "opens an account with a good key and learns that it may trade, or that nobody says")
async def _(bench: Bench) -> None:
    permissions = await bench.gateway().fetch_permissions()

    assert permissions.can_trade in (True, None)
    assert permissions.can_withdraw in (False, None)


@case("S03", "learns that a key may withdraw", Need.WITHDRAWAL_RIGHT)
async def _(bench: Bench) -> None:
    bench.key.withdrawals = True

    permissions = await bench.gateway().fetch_permissions()

    assert permissions.can_withdraw is True


@case("S04", "is told of a wrong key")
async def _(bench: Bench) -> None:
    stranger = bench.house.dialect.new_login(9)

    with pytest.raises(CredentialsError):
        await bench.gateway(stranger).fetch_balances()


@case("S05", "is told of a wrong secret")
async def _(bench: Bench) -> None:
    with pytest.raises(CredentialsError):
        await bench.gateway(_with_wrong_secret(bench)).fetch_balances()


@case("S06", "is told of a wrong passphrase", Need.PASSPHRASE)
async def _(bench: Bench) -> None:
    mistyped = bench.login._replace(passphrase="not-the-passphrase")

    with pytest.raises(CredentialsError):
        await bench.gateway(mistyped).fetch_balances()


@case("S07", "takes a key that is revoked while it trades for refused, and for no network trouble")
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.fetch_balances()
    bench.key.is_revoked = True

    with pytest.raises(CredentialsError):
        await gateway.fetch_balances()


@case("S08", "is told of a key that may read and not trade", Need.TRADING, Need.KEY_RIGHTS)
async def _(bench: Bench) -> None:
    bench.key.trading = False
    gateway = bench.gateway()
    await gateway.fetch_balances()

    with pytest.raises(bench.stand.no_right):
        await gateway.place(bench.request(Side.BUY, bench.stand.amount, bench.ticks(-100)))

    assert bench.orders() == []


@case("S09", "is told that its address is not on the key's list", Need.ADDRESS_LIST)
async def _(bench: Bench) -> None:
    bench.key.allowed_ips = ELSEWHERE

    with pytest.raises(bench.stand.wrong_address) as caught:
        await bench.gateway().fetch_balances()

    if bench.stand.names_address:
        assert isinstance(caught.value, AddressNotAllowedError)
        assert caught.value.address == LOOPBACK
        assert LOOPBACK in caught.value.sentence


@case("S10", "is told that its clock is wrong", Need.SIGNED_TIME)
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()
    bench.house.clock.offset_ms = 600_000

    with pytest.raises(bench.stand.wrong_clock, match="clock"):
        await gateway.fetch_balances()


@case("S11", "asks several things at once with one key, and each is answered")
async def _(bench: Bench) -> None:
    gateway = bench.gateway()
    await gateway.load_markets()

    answers = await asyncio.gather(*(gateway.fetch_balances() for _ in range(6)))

    assert all(answer == answers[0] for answer in answers)


@case("S12", "shows no secret in any error")
async def _(bench: Bench) -> None:
    login = _with_wrong_secret(bench)
    gateway = bench.gateway(login)

    with pytest.raises(VenueError) as caught:
        await gateway.fetch_balances()

    error = caught.value
    shown = "\n".join([*traceback.format_exception(error), repr(error), repr(vars(error)), repr(gateway)])
    assert error.sentence in shown
    for secret in (login.key, login.secret, login.secret.splitlines()[-1], login.passphrase):
        assert not secret or secret not in shown


@case("S93", "tells nothing to a host that shows a certificate of nobody it trusts")
async def _(bench: Bench) -> None:
    bench.trust.ca_file = bench.trust.strangers

    with pytest.raises(VenueDownError, match="certificate"):
        await bench.gateway().fetch_balances()

    assert bench.requests.select() == []


def _with_wrong_secret(bench: Bench) -> Login:
    return bench.login._replace(secret=bench.house.dialect.new_login(8).secret)
