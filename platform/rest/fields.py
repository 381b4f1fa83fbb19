"""How values are written: decimals as text, exact, without trailing zeros and without an exponent."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.core.exceptions import ValidationError as Mistake
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from database.money import DECIMAL_PLACES, MAX_DIGITS
from database.money import MoneyField as MoneyColumn

# As a person or a program may write one: digits, a point, more digits.
PATTERN = r"^-?\d{1,20}(\.\d{1,18})?$"
LONGEST = 40


@extend_schema_field({"type": "string", "format": "decimal", "pattern": PATTERN, "example": "0.015"})
class Money(serializers.Field[Decimal, str, str, Any]):
    """Text both ways: a JSON number is a float in most programs, and is refused."""

    default_error_messages = {
        "not_text": "Write decimals as text, “0.015” and not 0.015, so that no digit is lost.",
        "not_a_number": f"This is not a decimal of at most {MAX_DIGITS - DECIMAL_PLACES} digits before the "
        f"point and {DECIMAL_PLACES} behind it.",
    }
    _matches = serializers.RegexField(PATTERN, max_length=LONGEST, trim_whitespace=False)

    def to_internal_value(self, data: Any) -> Decimal:
        if not isinstance(data, str):
            self.fail("not_text")
        try:
            self._matches.run_validation(data)
            return Decimal(str(MoneyColumn().to_python(data)))
        except (serializers.ValidationError, Mistake):
            self.fail("not_a_number")

    def to_representation(self, value: Decimal) -> str:
        return plain(value)


def plain(value: Decimal) -> str:
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if value == 0 else text


class RowSerializer(serializers.ModelSerializer[Any]):
    """A model's columns as they are; it decides nothing."""

    serializer_field_mapping = {**serializers.ModelSerializer.serializer_field_mapping, MoneyColumn: Money}

    def build_standard_field(self, field_name: str, model_field: Any) -> Any:
        field_class, options = super().build_standard_field(field_name, model_field)
        if field_class is Money:
            for name in ("max_digits", "decimal_places", "min_value", "max_value"):
                options.pop(name, None)
        return field_class, options
