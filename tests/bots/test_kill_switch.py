"""The kill switch at the lab's Binance: it empties the book without a worker, and blocks intents."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import AuditEntry
from bots.engine import lease as leases
from bots.engine import ledger
from bots.engine.ledger import BotNotRunningError
from bots.kill_switch import Target, cancel_covered, pull_kill_switch, release_kill_switch
from bots.models import Bot, KillSwitch, Order, SpreadBot
from bots.switches import engage_kill_switch
from exchanges.models import ExchangeConnection
from exchanges.selectors import connection_spec
from exchanges.types import OrderReport, OrderRequest, OrderType, Side
from exchanges.venues import wire
from exchanges.venues.registry import open_gateway
from tests.lab.background import BackgroundLab, background_lab
from tests.lab.faults import Stage, server_error
from vault.secret import Secret

pytestmark = pytest.mark.django_db(transaction=True)

KEY, SECRET = "KillSwitchKey" + "k" * 40, "s" * 40
SYMBOL = "BTC/USDT"


@pytest.fixture
def lab(monkeypatch: pytest.MonkeyPatch) -> Iterator[BackgroundLab]:
    with background_lab(username="nobody", password="nothing") as lab:
        monkeypatch.setattr(wire, "build_connector", lab.lab.connector)
        balances = {"USDT": Decimal(10_000), "BTC": Decimal(1)}
        lab.call(lambda: lab.lab.open_account("desk", key=KEY, secret=SECRET, balances=balances))
        lab.call(lambda: lab.lab.gather_crowd(SYMBOL, Decimal(50_000)))
        yield lab


@pytest.fixture
def owner() -> User:
    return User.objects.create_user("owner")


@pytest.fixture
def connection(owner: User) -> ExchangeConnection:
    secrets: dict[str, Any] = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    return ExchangeConnection.objects.create(
        name="Main", venue="binance", mode="live", owner=owner, **secrets
    )


@pytest.fixture
def bot(connection: ExchangeConnection) -> SpreadBot:
    return SpreadBot.objects.create(
        name="First", connection=connection, symbol=SYMBOL, bid_spread_pct="0.01", ask_spread_pct="0.01",
        order_amount="0.01", state="running",
    )  # fmt: skip


def rest(bot: Bot, price: str, *, heard: bool = True) -> Order:
    """An order of the bot that rests at the venue; heard: the desk got the venue's answer."""
    order = Order(
        connection=bot.connection, bot=bot, fence=1, symbol=SYMBOL, side=Side.BUY, price=Decimal(price),
        amount=Decimal("0.01"), created_at=timezone.now(), state="open" if heard else "unknown",
    )  # fmt: skip
    request = OrderRequest(
        client_id=order.client_id, symbol=SYMBOL, side=Side.BUY, type=OrderType.LIMIT, amount=order.amount,
        price=order.price,
    )  # fmt: skip
    report = asyncio.run(_place(bot.connection, request))
    order.venue_id = report.venue_id if heard else ""
    order.save()
    return order


async def _place(connection: ExchangeConnection, request: OrderRequest) -> OrderReport:
    async with wire.Wire() as lines:
        gateway = open_gateway(connection_spec(connection), wire=lines)
        try:
            return await gateway.place(request)
        finally:
            await gateway.close()


def resting(lab: BackgroundLab) -> list[Any]:
    return lab.call(lambda: list(lab.lab.exchange.open_orders("desk")))


def pull(bot: Bot, **options: Any) -> list[tuple[str, bool]]:
    """(sentence, is certain) of each order."""
    _, ended = pull_kill_switch(actor=None, target=Target(bot=bot), reason="A drill.", **options)
    return [(one.sentence, one.is_certain) for one in ended]


def test_every_order_is_gone_and_its_end_is_written_down_though_no_worker_lives(
    lab: BackgroundLab, bot: SpreadBot
) -> None:
    for price in ("40000", "40100", "40200"):
        rest(bot, price)

    assert pull(bot) == [("Canceled.", True)] * 3

    assert resting(lab) == []
    assert set(Order.objects.values_list("state", flat=True)) == {"canceled"}
    assert not Order.objects.filter(settled_at=None).exists()


def test_what_a_worker_cancelled_before_the_report_is_reported_too(
    lab: BackgroundLab, bot: SpreadBot
) -> None:
    quick, slow = rest(bot, "40000"), rest(bot, "40100")
    switch = engage_kill_switch(actor=None, target=Target(bot=bot), reason="A drill.")
    assert {row["sentence"] for row in switch.outcome} == {"It is being cancelled."}
    Order.objects.filter(pk=quick.pk).update(state="canceled", closed_at=timezone.now())

    cancel_covered(switch)

    told = {row["order"]: (row["sentence"], row["is_certain"]) for row in switch.outcome}
    assert told == {quick.client_id: ("Canceled.", True), slow.client_id: ("Canceled.", True)}
    assert len(resting(lab)) == 1  # the first was never asked for: its row had ended


def test_a_call_that_fails_keeps_no_other_order_from_its_cancel(lab: BackgroundLab, bot: SpreadBot) -> None:
    for price in ("40000", "40100", "40200"):
        rest(bot, price)
    fault = server_error(502, stage=Stage.BEFORE, method="DELETE", path="/api/v3/order")
    lab.call(lambda: lab.lab.faults.add(fault))

    assert pull(bot) == [("Canceled.", True)] * 3
    assert resting(lab) == []


def test_a_venue_that_does_not_answer_is_reported_order_by_order(lab: BackgroundLab, bot: SpreadBot) -> None:
    rest(bot, "40000")
    fault = server_error(502, stage=Stage.BEFORE)
    fault.times = None
    lab.call(lambda: lab.lab.faults.add(fault))

    ((sentence, is_certain),) = pull(bot, seconds=1.0)

    assert not is_certain
    assert "Binance" in sentence
    assert len(resting(lab)) == 1
    assert KillSwitch.objects.get().outcome[0]["is_certain"] is False


def test_an_order_whose_answer_was_lost_is_found_by_its_client_id(lab: BackgroundLab, bot: SpreadBot) -> None:
    rest(bot, "40000", heard=False)

    assert pull(bot) == [("Canceled.", True)]
    assert resting(lab) == []


def test_an_order_whose_number_was_misread_is_found_by_its_client_id(
    lab: BackgroundLab, bot: SpreadBot
) -> None:
    order = rest(bot, "40000")
    Order.objects.filter(pk=order.pk).update(venue_id="987654321")

    assert pull(bot) == [("Canceled.", True)]
    assert resting(lab) == []


def test_an_order_that_never_arrived_is_asked_for_until_it_cannot_be_on_its_way(
    lab: BackgroundLab, bot: SpreadBot
) -> None:
    facts = {"bot": bot, "connection": bot.connection, "fence": 1, "symbol": SYMBOL, "side": "buy",
             "price": Decimal(40_000), "amount": Decimal("0.01"), "state": "unknown"}  # fmt: skip
    Order.objects.create(**facts, created_at=timezone.now())

    assert pull(bot, seconds=0.8) == [("The venue has no such order.", False)]

    Order.objects.update(created_at=timezone.now() - timedelta(seconds=60))
    assert pull(bot, seconds=5.0) == [("The venue has no such order.", True)]


def test_an_order_that_filled_first_is_reported_as_filled(lab: BackgroundLab, bot: SpreadBot) -> None:
    order = rest(bot, "49990")
    lab.call(lambda: lab.lab.crowds[SYMBOL].hit_bid(Decimal("0.01"), price=Decimal(49990)))

    assert pull(bot) == [("Filled.", True)]
    order.refresh_from_db()
    assert (order.state, order.traded) == ("filled", Decimal("0.01"))


def test_foreign_orders_on_the_account_stay(lab: BackgroundLab, bot: SpreadBot) -> None:
    rest(bot, "40000")
    foreign = OrderRequest(
        client_id=uuid.uuid4().hex, symbol=SYMBOL, side=Side.BUY, type=OrderType.LIMIT,
        amount=Decimal("0.01"), price=Decimal(39_000),
    )  # fmt: skip
    asyncio.run(_place(bot.connection, foreign))

    pull(bot)

    assert [order.client_id for order in resting(lab)] == [foreign.client_id]


# --- Intents


def targets(bot: SpreadBot) -> dict[str, Target]:
    connection = bot.connection
    return {
        "desk": Target(),
        "owner": Target(owner=connection.owner),
        "connection": Target(connection=connection),
        "bot": Target(bot=bot),
    }


def intend(bot: SpreadBot) -> None:
    lease = leases.acquire_one(uuid.uuid4(), bot.connection_id)
    assert lease is not None
    order = Order(
        connection=bot.connection, bot=bot, fence=lease.fence, symbol=SYMBOL, side="buy",
        price=Decimal(40_000), amount=Decimal("0.01"), created_at=timezone.now(),
    )  # fmt: skip
    try:
        ledger.save_intents(lease, bot, [order])
    finally:
        leases.give_back(lease)


@pytest.mark.parametrize("scope", ["desk", "owner", "connection", "bot"])
def test_no_intent_is_saved_under_a_kill_switch_until_it_is_released(bot: SpreadBot, scope: str) -> None:
    switch, _ = pull_kill_switch(actor=None, target=targets(bot)[scope], reason="A drill.")
    with pytest.raises(BotNotRunningError):
        intend(bot)

    release_kill_switch(actor=None, switch=switch)
    intend(bot)

    assert Order.objects.count() == 1


@pytest.mark.parametrize("scope", ["owner", "connection", "bot"])
def test_a_kill_switch_stops_nobody_else(bot: SpreadBot, scope: str) -> None:
    stranger = User.objects.create_user("stranger")
    other = ExchangeConnection.objects.create(name="Other", venue="binance", mode="live", owner=stranger)
    its_bot = SpreadBot.objects.create(
        name="Second", connection=other, symbol=SYMBOL, bid_spread_pct="0.01", ask_spread_pct="0.01",
        order_amount="0.01", state="running",
    )  # fmt: skip
    pull_kill_switch(actor=None, target=targets(its_bot)[scope], reason="A drill.")

    intend(bot)

    assert Order.objects.count() == 1


def test_pull_and_release_are_on_record(bot: SpreadBot, owner: User) -> None:
    switch, _ = pull_kill_switch(actor=owner, target=Target(bot=bot), reason="A drill.")
    release_kill_switch(actor=owner, switch=switch)
    release_kill_switch(actor=owner, switch=switch)

    actions = AuditEntry.objects.order_by("pk").values_list("action", "actor__username")
    assert list(actions) == [("kill_switch.pulled", "owner"), ("kill_switch.released", "owner")]


def test_a_switch_that_is_on_is_pulled_again_and_stays_one(bot: SpreadBot) -> None:
    first, _ = pull_kill_switch(actor=None, target=Target(), reason="A drill.")
    second, _ = pull_kill_switch(actor=None, target=Target(), reason="Again.")

    assert first.pk == second.pk


def test_a_switch_without_a_reason_is_not_pulled(bot: SpreadBot) -> None:
    with pytest.raises(ValidationError, match="Say why"):
        pull_kill_switch(actor=None, target=Target(), reason="  ")

    assert not KillSwitch.objects.exists()


# --- The command


def run_command(*arguments: str) -> str:
    output = StringIO()
    call_command("kill_switch", *arguments, stdout=output)
    return output.getvalue()


def test_the_command_says_what_became_of_each_order(lab: BackgroundLab, bot: SpreadBot) -> None:
    rest(bot, "40000")

    said = run_command("pull", "--connection", "Main", "--reason", "A drill.")

    assert "Main: buy 0.01 BTC/USDT @ 40000: Canceled." in said
    assert "1 of 1 orders are certainly gone" in said
    assert "One connection: Main" in run_command("list")
    number = str(KillSwitch.objects.get().pk)
    assert "released" in run_command("release", number)
    assert "No kill switch is on." in run_command("list")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["pull", "--bot", "Nobody", "--reason", "x"], "There is no bot “Nobody”."),
        (["pull", "--desk", "--reason", " "], "Say why the kill switch is pulled."),
        (["release", "77"], "There is no kill switch 77"),
    ],
)
def test_a_wrong_command_is_one_sentence(arguments: list[str], sentence: str) -> None:
    with pytest.raises(CommandError, match=sentence):
        run_command(*arguments)


def test_a_name_that_several_have_pulls_nothing(bot: SpreadBot, owner: User) -> None:
    twin = ExchangeConnection.objects.create(name="Twin", venue="demo", owner=owner)
    SpreadBot.objects.create(
        name="First", connection=twin, symbol=SYMBOL, bid_spread_pct="0.01", ask_spread_pct="0.01",
        order_amount="0.01",
    )  # fmt: skip

    with pytest.raises(CommandError, match="several bots"):
        run_command("pull", "--bot", "First", "--reason", "x")

    assert not KillSwitch.objects.exists()
