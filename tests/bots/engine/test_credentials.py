"""Credentials are tried before the first order, once; a live connection without any asks nothing."""

from __future__ import annotations

import pytest
from django.utils import timezone

from bots.models import Decision
from exchanges.errors import AddressNotAllowedError
from exchanges.gateway import AccountPermissions
from exchanges.models import ExchangeConnection
from exchanges.services import SecretName, update_connection
from tests.bots.engine.conftest import Desk
from tests.bots.engine.fake_venue import FakeGateway
from vault.secret import Secret

NOT_ALLOWED = AddressNotAllowedError("The venue refuses this address: add it to the key's allow-list.")


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> list[AccountPermissions | Exception]:
    """What the venue says of the key, answer by answer; the last one stays."""
    answers: list[AccountPermissions | Exception] = [AccountPermissions(can_trade=True, can_withdraw=False)]

    async def fetch_permissions(gateway: FakeGateway) -> AccountPermissions:
        gateway.venue.calls.append(("fetch_permissions", None))
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(FakeGateway, "fetch_permissions", fetch_permissions)
    return answers


Told = list[AccountPermissions | Exception]


async def row(desk: Desk) -> ExchangeConnection:
    return await desk.do(ExchangeConnection.objects.get, pk=desk.connection.pk)


async def test_a_new_key_is_tried_before_the_first_order_and_said_to_work(desk: Desk, told: Told) -> None:
    await desk.round()
    names = [name for name, _ in desk.venue.calls]
    assert names.index("fetch_permissions") < names.index("place")
    (event,) = await desk.events("credentials_work")
    assert event.text == "The venue accepts the key. The key may trade, and it may not withdraw."
    assert (await row(desk)).credentials_tested_at is not None


async def test_a_key_that_works_is_not_tried_again_by_the_next_worker(desk: Desk, told: Told) -> None:
    await desk.rounds(2)
    await desk.open()
    await desk.rounds(2)
    assert desk.venue.counts()["fetch_permissions"] == 1
    assert len(await desk.events("credentials_work")) == 1


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (NOT_ALLOWED, NOT_ALLOWED.sentence),
        (
            AccountPermissions(can_trade=False, can_withdraw=False),
            "The key may not trade: allow spot trading for it at the venue.",
        ),
    ],
)
async def test_a_key_that_does_not_work_places_nothing_and_is_told_of_once(
    desk: Desk, told: Told, answer: AccountPermissions | Exception, sentence: str
) -> None:
    told[:] = [answer]
    await desk.rounds(4)
    assert desk.venue.counts()["place"] == 0
    assert [event.text for event in await desk.events("connection_failed")] == [sentence]
    assert (await desk.do(Decision.objects.get, bot=desk.bot)).reason == sentence
    assert (await row(desk)).credentials_tested_at is None


async def test_a_key_that_was_mended_at_the_venue_goes_to_work(desk: Desk, told: Told) -> None:
    told.insert(0, NOT_ALLOWED)
    await desk.rounds(2)
    assert desk.venue.counts()["place"] == 2
    assert len(await desk.events("credentials_work")) == 1


async def test_a_key_that_may_withdraw_works_and_is_a_warning(desk: Desk, told: Told) -> None:
    told[:] = [AccountPermissions(can_trade=True, can_withdraw=True)]
    await desk.round()
    (event,) = await desk.events("credentials_work")
    assert event.severity == "warning"
    assert "WITHDRAW" in event.text
    assert desk.venue.counts()["place"] == 2


async def test_a_changed_key_is_tried_anew(desk: Desk, told: Told) -> None:
    await desk.rounds(2)
    secrets: dict[SecretName, Secret] = {"api_key": Secret("another"), "api_secret": Secret("other")}
    await desk.do(lambda: update_connection(connection=desk.connection, actor=None, secrets=secrets))
    assert (await row(desk)).credentials_tested_at is None
    await desk.rounds(2)
    assert desk.venue.counts()["fetch_permissions"] == 2
    assert len(await desk.events("credentials_work")) == 2


async def test_another_name_needs_no_new_trial(desk: Desk) -> None:
    await desk.do(ExchangeConnection.objects.update, credentials_tested_at=timezone.now())
    await desk.do(lambda: update_connection(connection=desk.connection, actor=None, name="Other"))
    assert (await row(desk)).credentials_tested_at is not None


async def test_a_key_that_changes_while_it_is_tried_is_not_taken_for_tested(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def changed_meanwhile(_gateway: FakeGateway) -> AccountPermissions:
        await desk.do(ExchangeConnection.objects.update, api_key=Secret("another-key"))
        return AccountPermissions(can_trade=True, can_withdraw=False)

    monkeypatch.setattr(FakeGateway, "fetch_permissions", changed_meanwhile)
    await desk.round()
    assert (await row(desk)).credentials_tested_at is None
    assert await desk.events("credentials_work") == []


async def test_a_paper_connection_is_not_asked_for_a_key(desk: Desk, told: Told) -> None:
    await desk.do(ExchangeConnection.objects.update, mode="paper", api_key=Secret(""), api_secret=Secret(""))
    await desk.round()
    assert desk.venue.counts()["fetch_permissions"] == 0
    assert desk.venue.counts()["place"] == 2


async def test_a_live_connection_without_keys_stands_aside_in_one_sentence_and_asks_nothing(
    desk: Desk,
) -> None:
    await desk.do(ExchangeConnection.objects.update, api_key=Secret(""), api_secret=Secret(""))
    await desk.rounds(5)
    sentence = "The connection “Main” is live but has no API key and no API secret: enter them first."
    assert desk.venue.calls == []
    assert desk.venue.gateways_opened == 0
    assert [event.text for event in await desk.events("connection_failed")] == [sentence]
    assert (await desk.do(Decision.objects.get, bot=desk.bot)).reason == sentence


async def test_keys_that_are_entered_let_the_bots_go_on(desk: Desk) -> None:
    await desk.do(ExchangeConnection.objects.update, api_key=Secret(""), api_secret=Secret(""))
    await desk.round()
    await desk.do(ExchangeConnection.objects.update, api_key=Secret("key"), api_secret=Secret("secret"))
    await desk.round()
    assert len(desk.venue.resting()) == 2
