"""The column in which money rests, exact to the last digit on every database."""

from __future__ import annotations

from decimal import Context, Decimal, InvalidOperation
from typing import Any, ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

MAX_DIGITS = 38
DECIMAL_PLACES = 18
WHOLE_DIGITS = MAX_DIGITS - DECIMAL_PLACES
ENCODED_LENGTH = MAX_DIGITS + 2  # the sign and the point
_QUANTUM = Decimal(1).scaleb(-DECIMAL_PLACES)
_WIDE = Context(prec=2 * MAX_DIGITS)  # Python's 28 digits would not hold a full column
_TOP = Decimal(10) ** WHOLE_DIGITS


class MoneyField(models.DecimalField):  # type: ignore[type-arg]
    """`numeric(38, 18)` on PostgreSQL, sortable text on SQLite.

    SQLite has no decimals: it would keep 15 digits and hand back floats. There a value is stored as
    "0" and 20 whole digits, a point, 18 decimals; a negative one as "-" and its distance from the bottom,
    so that comparing text compares numbers. The database sums with ExactSum only; what else is calculated
    with money is calculated in Python.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["max_digits"], kwargs["decimal_places"] = MAX_DIGITS, DECIMAL_PLACES
        if isinstance(kwargs.get("default"), str):  # so that a row is Decimal before it was ever saved
            kwargs["default"] = Decimal(kwargs["default"])
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> Any:
        name, path, args, kwargs = super().deconstruct()
        del kwargs["max_digits"], kwargs["decimal_places"]
        return name, path, args, kwargs

    def db_type(self, connection: BaseDatabaseWrapper) -> str | None:
        return "text" if connection.vendor == "sqlite" else f"numeric({MAX_DIGITS}, {DECIMAL_PLACES})"

    def get_internal_type(self) -> str:
        # Not DecimalField: for that SQLite's backend puts its own converter, which wants floats, first.
        return "MoneyField"

    def db_check(self, connection: BaseDatabaseWrapper) -> str | None:
        # Arithmetic in SQL would write a number that is no longer in this form.
        return f'length("{self.column}") = {ENCODED_LENGTH}' if connection.vendor == "sqlite" else None

    def get_db_prep_value(self, value: Any, connection: BaseDatabaseWrapper, prepared: bool = False) -> Any:
        if value is None or hasattr(value, "resolve_expression"):
            return value
        exact = _exact(value)
        return encode(exact) if connection.vendor == "sqlite" else exact

    def get_db_prep_save(self, value: Any, connection: BaseDatabaseWrapper) -> Any:
        if hasattr(value, "as_sql"):
            return value
        return self.get_db_prep_value(value, connection)

    def get_db_converters(self, connection: BaseDatabaseWrapper) -> list[Any]:
        # Not the backend's own converter: SQLite's goes through float.
        return [_from_database]

    def get_prep_value(self, value: Any) -> Any:
        return value if value is None or hasattr(value, "resolve_expression") else _exact(value)

    def to_python(self, value: Any) -> Decimal | None:
        return None if value is None else _exact(value)


class ExactSum(models.Sum):
    """The sum of a MoneyField, exact on every database; None over no rows."""

    def as_sqlite(self, compiler: Any, connection: BaseDatabaseWrapper, **extra: Any) -> Any:
        return super().as_sql(compiler, connection, function=_DecodedSum.NAME, **extra)


class _DecodedSum:
    """What SQLite calls for ExactSum: each row's text, then the sum's."""

    NAME: ClassVar = "MONEY_SUM"

    def __init__(self) -> None:
        self._total: Decimal | None = None

    def step(self, text: str | None) -> None:
        if text is not None:
            self._total = _WIDE.add(self._total or Decimal(0), decode(text))

    def finalize(self) -> str | None:
        return None if self._total is None else encode(self._total)


def _teach_to_sum(connection: BaseDatabaseWrapper, **_signal: Any) -> None:
    if connection.vendor == "sqlite":
        connection.connection.create_aggregate(_DecodedSum.NAME, 1, _DecodedSum)


connection_created.connect(_teach_to_sum, dispatch_uid="database.money")


def rounded(value: Decimal) -> Decimal:
    """To the places that a column keeps, so that what is computed on is what is stored."""
    return _WIDE.plus(value.quantize(_QUANTUM, context=_WIDE))  # plus: there is no -0


def encode(value: Decimal) -> str:
    """Text whose order is the numbers' order; within 10^20 of zero."""
    if value < 0:
        return f"-{_WIDE.add(value, _TOP):0{MAX_DIGITS + 1}.{DECIMAL_PLACES}f}"
    return f"0{value:0{MAX_DIGITS + 1}.{DECIMAL_PLACES}f}"


def decode(text: str) -> Decimal:
    number = Decimal(text[1:])
    return _WIDE.subtract(number, _TOP) if text[0] == "-" else number


def _exact(value: Any) -> Decimal:
    if isinstance(value, float):
        raise TypeError(f"Money is Decimal, not float: {value!r}")
    try:
        exact = Decimal(value) or Decimal(0)
    except (InvalidOperation, TypeError, ValueError):
        raise ValidationError(f"“{value}” is not a number.") from None
    if not exact.is_finite() or exact.adjusted() > WHOLE_DIGITS or rounded(exact).copy_abs() >= _TOP:
        raise ValidationError(f"{value} is not a number below 10^{WHOLE_DIGITS}.")
    return rounded(exact)


def _from_database(value: Any, expression: object, connection: BaseDatabaseWrapper) -> Decimal | None:
    if value is None or isinstance(value, Decimal):
        return value
    if isinstance(value, str) and len(value) == ENCODED_LENGTH:
        return decode(value)
    raise TypeError(
        f"Money was calculated by the database, which is not exact here ({value}); use ExactSum, or Python."
    )
