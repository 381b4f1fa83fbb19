"""Money is exact to the last digit and in the numbers' order, on every database."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.db import IntegrityError, connection, models, transaction
from django.db.models import F, Max, Min, Sum
from django.db.utils import DataError
from hypothesis import given
from hypothesis import strategies as st

from bots.models import Position, SpreadBot
from database.money import ENCODED_LENGTH, WHOLE_DIGITS, ExactSum, MoneyField, decode, encode
from exchanges.models import ExchangeConnection

LIMIT = Decimal(10) ** WHOLE_DIGITS
money = st.integers(-(10**38) + 1, 10**38 - 1).map(lambda units: Decimal(f"{units}E-18"))
on_sqlite = pytest.mark.skipif("connection.vendor != 'sqlite'", reason="SQLite keeps money as text")


@given(money)
def test_a_value_comes_back_as_it_was(value: Decimal) -> None:
    text = encode(value)
    assert decode(text) == value
    assert len(text) == ENCODED_LENGTH


@given(money, money)
def test_the_order_of_the_text_is_the_order_of_the_numbers(one: Decimal, other: Decimal) -> None:
    assert (encode(one) < encode(other)) == (one < other)


@pytest.mark.parametrize("zero", ["0", "-0", "0.0", "-1e-30", "1e-30", "0e50"])
def test_there_is_one_zero(zero: str) -> None:
    assert f"{MoneyField().to_python(zero):f}" == "0.000000000000000000"


@pytest.mark.parametrize(
    "value",
    ["1e20", "-1e20", "99999999999999999999.9999999999999999999", "1e999999", "NaN", "Infinity", "x", ""],
)
def test_what_does_not_fit_is_refused(value: str) -> None:
    with pytest.raises(ValidationError):
        MoneyField().to_python(value)


def test_a_float_is_refused() -> None:
    with pytest.raises(TypeError, match="not float"):
        MoneyField().to_python(0.1)


def test_a_wide_value_keeps_its_digits_past_pythons_default_precision() -> None:
    wide = Decimal("12345678901234567890.123456789012345678")
    assert MoneyField().to_python(wide) == wide


# --- In the database


@pytest.fixture
def bot(db: None) -> SpreadBot:
    owner = User.objects.create_user("owner")
    account = ExchangeConnection.objects.create(name="Demo", venue="demo", owner=owner)
    return new_bot(account, "first", "0.1")


def new_bot(account: ExchangeConnection, name: str, amount: str, **fields: Any) -> SpreadBot:
    spread = Decimal("0.01")
    return SpreadBot.objects.create(
        name=name,
        connection=account,
        symbol="BTC/USDT",
        bid_spread_pct=spread,
        ask_spread_pct=spread,
        order_amount=Decimal(amount),
        **fields,
    )


@pytest.mark.parametrize(
    "amount", ["0.000000000000000001", "99999999999999999999.999999999999999999", "0.1", "1E+5", "2.9999"]
)
def test_the_database_gives_back_what_it_was_given(bot: SpreadBot, amount: str) -> None:
    bot.order_amount = Decimal(amount)
    bot.save()
    bot.refresh_from_db()
    assert bot.order_amount == Decimal(amount)
    assert SpreadBot.objects.values_list("order_amount", flat=True).get() == Decimal(amount)
    assert SpreadBot.objects.get(order_amount=Decimal(amount)) == bot
    assert SpreadBot.objects.get(order_amount__in=[Decimal(amount)]) == bot


def test_rows_are_compared_and_sorted_as_numbers(bot: SpreadBot) -> None:
    for name in ("9", "10", "-2", "-10", "0", "0.5"):
        new_bot(bot.connection, name, "1", price_floor=Decimal(name))
    bots = SpreadBot._base_manager.exclude(price_floor=None).order_by("price_floor")
    assert [row.name for row in bots] == ["-10", "-2", "0", "0.5", "9", "10"]
    assert {row.name for row in bots.filter(price_floor__lt=0)} == {"-10", "-2"}
    assert {row.name for row in bots.filter(price_floor__range=(Decimal("0.5"), 9))} == {"0.5", "9"}
    extremes = bots.aggregate(low=Min("price_floor"), high=Max("price_floor"))
    assert extremes == {"low": Decimal(-10), "high": Decimal(10)}


def test_one_column_is_compared_with_another(bot: SpreadBot) -> None:
    row = new_bot(bot.connection, "between", "1", price_floor=Decimal(9), price_ceiling=Decimal(10))
    assert SpreadBot.objects.get(price_ceiling__gt=F("price_floor")) == row


def test_nothing_stays_nothing(bot: SpreadBot) -> None:
    bot.refresh_from_db()
    assert bot.price_floor is None


def test_constraints_hold_in_the_database_itself(bot: SpreadBot) -> None:
    wrong_values = [
        ("order_amount", 0),
        ("order_amount", -1),
        ("bid_spread_pct", 1),
        ("ask_spread_pct", "-0.1"),
    ]
    for column, value in wrong_values:
        with pytest.raises(IntegrityError), transaction.atomic():
            SpreadBot.objects.update(**{column: value})


def test_many_rows_are_updated_at_once(bot: SpreadBot) -> None:
    bot.order_amount = Decimal("-0.0") + Decimal("3.000000000000000003")
    SpreadBot.objects.bulk_update([bot], ["order_amount"])
    bot.refresh_from_db()
    assert bot.order_amount == Decimal("3.000000000000000003")


@on_sqlite
def test_arithmetic_in_sql_is_refused_where_it_would_not_be_exact(bot: SpreadBot) -> None:
    with pytest.raises((IntegrityError, DataError, TypeError)), transaction.atomic():
        SpreadBot.objects.update(order_amount=F("order_amount") + Decimal(1))
    bot.refresh_from_db()
    assert bot.order_amount == Decimal("0.1")


@on_sqlite
def test_a_sum_in_sql_is_refused_where_it_would_not_be_exact(bot: SpreadBot) -> None:
    with pytest.raises(TypeError, match="use ExactSum"):
        SpreadBot.objects.aggregate(total=Sum("order_amount"))


def test_an_exact_sum_loses_no_digit_on_any_database(bot: SpreadBot) -> None:
    for name in (
        "-12345678901234567890.000000000000000001",
        "22345678901234567890.3",
        "-0.000000000000000002",
    ):
        new_bot(bot.connection, name, "1", price_floor=Decimal(name))
    rows = SpreadBot.objects.order_by()
    exact = Decimal("10000000000000000000.299999999999999997")
    assert rows.aggregate(total=ExactSum("price_floor")) == {"total": exact}
    assert rows.values("connection").annotate(total=ExactSum("price_floor")).get()["total"] == exact
    assert rows.filter(name="first").aggregate(total=ExactSum("price_floor")) == {"total": None}


def test_the_column_is_numeric_on_postgresql_and_text_on_sqlite() -> None:
    kinds = {"sqlite": "text", "postgresql": "numeric(38, 18)"}
    assert SpreadBot._meta.get_field("order_amount").db_type(connection) == kinds[connection.vendor]


def test_migrations_do_not_carry_digits_and_places() -> None:
    _, path, _, kwargs = MoneyField("amount", null=True).deconstruct()
    assert path == "database.money.MoneyField"
    assert kwargs == {"verbose_name": "amount", "null": True}


def test_every_column_of_money_is_a_money_field() -> None:
    decimals = [
        f"{model._meta.label}.{field.name}"
        for model in (SpreadBot, Position)
        for field in model._meta.fields
        if isinstance(field, models.DecimalField) and not isinstance(field, MoneyField)
    ]
    assert decimals == []
