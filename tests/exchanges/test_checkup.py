"""What a test of a connection makes of each answer, against a venue that answers as told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from exchanges.checkup.examination import Findings, Subject, examine
from exchanges.checkup.report import Holding, Outcome, Part, Step, TestReport
from exchanges.checkup.verdicts import address_verdict, clock_verdict, holdings_of, permissions_verdict
from exchanges.errors import (
    AddressNotAllowedError,
    CredentialsError,
    PermissionMissingError,
    ProxyAuthError,
    ProxyDownError,
    RejectedError,
    VenueDownError,
)
from exchanges.gateway import AccountPermissions
from exchanges.types import Balance, Market
from exchanges.venues.handshakes import Handshake
from vault.keyring import SecretUnreadableError

BTC = Market(
    symbol="BTC/USDT", base="BTC", quote="USDT", price_step=Decimal("0.01"), amount_step=Decimal("0.001"),
    min_amount=Decimal("0.001"), min_cost=Decimal(5),
)  # fmt: skip
MARKETS = {"BTC/USDT": BTC}
BALANCES = {"BTC": Balance(currency="BTC", free=Decimal("0.5"), used=Decimal("1.0"))}
PASSED, FAILED = Outcome.PASSED, Outcome.FAILED
NOT_NEEDED, NOT_TRIED, WARNING = Outcome.NOT_NEEDED, Outcome.NOT_TRIED, Outcome.WARNING


class FakeVenue:
    """Answers as told; an answer that is an error is raised, and one that is None never comes."""

    def __init__(self, **answers: object) -> None:
        self.answers: dict[str, object] = {
            "load_markets": MARKETS,
            "fetch_permissions": AccountPermissions(can_trade=True, can_withdraw=False),
            "fetch_balances": BALANCES,
        } | answers

    def __getattr__(self, name: str) -> object:
        async def answer() -> object:
            given = self.answers.get(name, datetime.now(UTC) if name == "fetch_time" else None)
            if given is None:
                await asyncio.sleep(60)
            if isinstance(given, Exception):
                raise given
            return given

        return answer


async def examined(*, seconds: float = 5, key: bool = True, answers: Mapping[str, object] | None = None,
                   **subject: Any) -> Findings:  # fmt: skip
    venue: Any = FakeVenue(**(answers or {}))
    return await examine(Subject(data=venue, account=venue if key else None, **subject), seconds=seconds)


def outcomes(found: Findings) -> dict[str, Outcome]:
    return {step.name: step.outcome for step in found.steps}


def step(found: Findings, part: Part) -> Step:
    return next(each for each in found.steps if each.name == part)


async def test_a_healthy_account_behind_a_proxy_passes_every_step() -> None:
    found = await examined(has_proxy=True)
    assert outcomes(found) == dict.fromkeys(map(str, Part), PASSED)
    assert (found.markets, found.balances) == (MARKETS, BALANCES)


async def test_a_direct_connection_needs_no_proxy() -> None:
    assert outcomes(await examined())["Proxy"] is NOT_NEEDED


@pytest.mark.parametrize(
    ("answers", "part"),
    [
        ({"fetch_time": ProxyAuthError("The cause.", code="407")}, Part.PROXY),
        ({"fetch_time": ProxyDownError("The cause.")}, Part.PROXY),
        ({"fetch_time": VenueDownError("The cause.")}, Part.TLS),
        ({"fetch_time": VenueDownError("The cause.", code="HTTP 503")}, Part.TIME),
        ({"fetch_time": AddressNotAllowedError("The cause.", code="HTTP 451")}, Part.ADDRESS),
        ({"load_markets": VenueDownError("The cause.")}, Part.MARKETS),
        ({"fetch_permissions": CredentialsError("The cause.")}, Part.KEY),
        ({"fetch_permissions": SecretUnreadableError("The cause.")}, Part.KEY),
        ({"fetch_permissions": VenueDownError("The cause.")}, Part.KEY),
        ({"fetch_permissions": PermissionMissingError("The cause.")}, Part.PERMISSIONS),
        ({"fetch_permissions": AddressNotAllowedError("The cause.")}, Part.ADDRESS),
        ({"fetch_balances": PermissionMissingError("The cause.")}, Part.BALANCES),
    ],
    ids=lambda given: "" if isinstance(given, dict) else given.name,
)
async def test_a_failure_is_shown_at_the_part_that_it_is_about(
    answers: dict[str, object], part: Part
) -> None:
    found = await examined(answers=answers, has_proxy=True)
    failed = [each for each in found.steps if each.failed]
    assert [(each.name, each.sentence) for each in failed] == [(part, "The cause.")]
    later = list(Part)[list(Part).index(part) + 1 :]
    assert {outcomes(found)[name] for name in later} <= {NOT_TRIED}
    assert all(str(part) in step(found, name).sentence for name in later)


async def test_what_was_read_before_a_failure_is_kept() -> None:
    found = await examined(answers={"fetch_permissions": CredentialsError("Wrong key.")})
    assert (found.markets, found.balances) == (MARKETS, None)


async def test_a_key_without_a_permission_is_a_known_key() -> None:
    found = await examined(answers={"fetch_permissions": PermissionMissingError("It may not read.")})
    assert outcomes(found)["Key"] is PASSED


async def test_a_missing_trade_permission_does_not_hide_the_balances() -> None:
    rights = AccountPermissions(can_trade=False, can_withdraw=None)
    found = await examined(answers={"fetch_permissions": rights})
    assert (outcomes(found)["Permissions"], outcomes(found)["Balances"]) == (FAILED, PASSED)


async def test_a_clock_that_is_far_off_keeps_the_key_from_being_tried() -> None:
    found = await examined(answers={"fetch_time": datetime.now(UTC) + timedelta(seconds=40)})
    assert (outcomes(found)["Time"], outcomes(found)["Key"]) == (FAILED, NOT_TRIED)


async def test_a_venue_without_a_clock_is_tested_all_the_same() -> None:
    found = await examined(answers={"fetch_time": RejectedError("The venue does not offer this.")})
    assert outcomes(found)["Time"] is WARNING
    assert outcomes(found)["Balances"] is PASSED


async def test_a_venue_without_a_clock_that_cannot_be_reached_fails_on_the_way() -> None:
    answers = {
        "fetch_time": RejectedError("The venue does not offer this."),
        "load_markets": VenueDownError("It cannot be reached."),
    }
    found = await examined(answers=answers)
    assert step(found, Part.TLS).sentence == "It cannot be reached."


async def test_a_lost_encryption_key_claims_nothing_of_the_way() -> None:
    lost = CredentialsError("A stored secret was encrypted with another key.")
    found = await examined(answers={"fetch_time": lost}, has_proxy=True)
    assert [name for name, outcome in outcomes(found).items() if outcome is not NOT_TRIED] == ["Key"]
    assert step(found, Part.KEY).sentence == lost.sentence


async def test_a_live_connection_without_a_key_is_told_so() -> None:
    found = await examined(key=False, needs_key=True)
    assert "No API key is set" in step(found, Part.KEY).sentence
    assert outcomes(found)["Balances"] is NOT_TRIED


async def test_a_paper_connection_needs_no_key() -> None:
    found = await examined(key=False, needs_key=False)
    assert {outcomes(found)[name] for name in ("Key", "Permissions", "Address", "Balances")} == {NOT_NEEDED}


async def test_a_venue_that_hangs_ends_the_test_in_time() -> None:
    began = time.monotonic()
    found = await examined(answers={"load_markets": None}, seconds=0.2)
    assert time.monotonic() - began < 5
    assert "took too long" in step(found, Part.MARKETS).sentence
    assert outcomes(found)["Balances"] is NOT_TRIED


async def test_a_venue_that_hangs_behind_a_trusted_connection_is_not_blamed_on_it() -> None:
    shaken = Handshake(host="api.venue.test", version="TLSv1.3", expires=None, began=0.0, seconds=0.02)
    found = await examined(
        answers={"fetch_time": VenueDownError("It did not answer in time.")}, handshakes=lambda: [shaken]
    )
    assert (outcomes(found)["TLS"], outcomes(found)["Time"]) == (PASSED, FAILED)
    assert step(found, Part.TLS).sentence == "TLSv1.3 with a trusted certificate of api.venue.test."
    assert step(found, Part.TLS).milliseconds == 20


async def test_a_venue_where_trading_has_ended_is_read_with_a_warning() -> None:
    found = await examined(no_orders_because="It ended trading on 2026-08-26.")
    assert step(found, Part.PERMISSIONS).sentence == "It ended trading on 2026-08-26."
    assert (outcomes(found)["Permissions"], outcomes(found)["Balances"]) == (WARNING, PASSED)


@pytest.mark.parametrize("can_trade", [True, None])
def test_a_right_to_withdraw_is_a_loud_warning_and_no_failure(can_trade: bool | None) -> None:
    outcome, sentence = permissions_verdict(AccountPermissions(can_trade=can_trade, can_withdraw=True))
    assert outcome is WARNING
    assert "can WITHDRAW" in sentence


def test_a_key_that_may_withdraw_and_not_trade_hears_both() -> None:
    outcome, sentence = permissions_verdict(AccountPermissions(can_trade=False, can_withdraw=True))
    assert outcome is FAILED
    assert "allow spot trading" in sentence
    assert "can WITHDRAW" in sentence


@pytest.mark.parametrize(("bound", "words"), [(True, "listed addresses only"), (False, "bind it to yours")])
def test_the_address_step_says_whether_a_stolen_key_would_work(bound: bool, words: str) -> None:
    rights = AccountPermissions(can_trade=True, can_withdraw=False, is_address_bound=bound)
    assert words in address_verdict(rights)[1]


@pytest.mark.parametrize(
    ("seconds", "outcome", "words"),
    [(0.2, PASSED, "+200 ms"), (-3, WARNING, "3.0 s behind"), (9, FAILED, "9.0 s ahead")],
)
def test_the_difference_of_the_clocks_is_judged(seconds: float, outcome: Outcome, words: str) -> None:
    verdict = clock_verdict(timedelta(seconds=seconds))
    assert verdict[0] is outcome
    assert words in verdict[1]


def test_holdings_are_exact_and_leave_zeros_out() -> None:
    nothing = Balance(currency="ETH", free=Decimal("0E-8"), used=Decimal(0))
    long = Balance(currency="SHIB", free=Decimal("1E+9"), used=Decimal("0.123456789012345678"))
    held = holdings_of(BALANCES | {"ETH": nothing, "SHIB": long})
    assert [str(each) for each in held] == [
        "1.5 BTC (1 in orders)",
        "1000000000.123456789012345678 SHIB (0.123456789012345678 in orders)",
    ]


def test_a_report_survives_the_way_through_json() -> None:
    steps = (Step(name="Time", outcome=PASSED, sentence="It agrees.", milliseconds=34),
             Step(name="Key", outcome=FAILED, sentence="Enter it again."))  # fmt: skip
    report = TestReport(
        steps=steps, holdings=(Holding(currency="BTC", total="1", used="0"),), warnings=("The same key.",)
    )
    assert TestReport.from_json(report.as_json()) == report
    assert (report.ok, report.latency_ms, report.cause) == (False, 34, "Key: Enter it again.")
