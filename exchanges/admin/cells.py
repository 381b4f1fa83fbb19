"""How values are written in lists and on pages."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import admin
from django.db import models
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from database.money import MoneyField

NOTHING = "-"
SHOWN_DIGITS = 6
SHOWN_DECIMALS = 2


def number(value: Decimal | None) -> str:
    """Exact, without trailing zeros and without an exponent."""
    if value is None:
        return NOTHING
    text = f"{value:f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if value == 0 else text


def short(value: Decimal | None) -> str:
    """To read at a glance: six digits, and two decimals at least."""
    if not value:
        return number(value)
    return number(round(value, max(SHOWN_DECIMALS, SHOWN_DIGITS - 1 - value.adjusted())))


def figure(value: Decimal | None, unit: str = "", *, is_profit: bool = False) -> SafeString:
    """Short, with the exact value for the pointer that rests on it; of a profit, its sign is seen."""
    sign = "gain" if value and value > 0 else "loss" if value and value < 0 else "flat"
    plus = "+" if is_profit and sign == "gain" else ""
    return format_html(
        '<span title="{}" class="desk-number{}">{}{}{}</span>',
        f"{number(value)} {unit}".strip(), f" desk-{sign}" if is_profit else "", plus, short(value),
        f" {unit}" if unit and value is not None else "",
    )  # fmt: skip


def ago(moment: datetime | None, now: datetime | None = None) -> str:
    """The age in the largest unit that says it: 3 s ago, 5 min ago, 2 h ago, 4 d ago."""
    if moment is None:
        return "never"
    seconds = max(0, int(((now or timezone.now()) - moment).total_seconds()))
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago"


def age_cell(moment: datetime | None) -> SafeString:
    """The age, with the time itself for the pointer that rests on it."""
    exact = f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else ""
    return format_html('<span title="{}" class="desk-number">{}</span>', exact, ago(moment))


def badge(text: str, kind: str) -> SafeString:
    """kind: good, busy, bad, live, paper or quiet."""
    return format_html('<span class="desk-badge desk-badge-{}">{}</span>', kind, text)


def number_column(name: str, title: str = "") -> Callable[[Any, Any], SafeString]:
    """An admin column of a MoneyField."""

    @admin.display(description=title or name.replace("_", " "), ordering=name)
    def column(model_admin: object, row: models.Model) -> SafeString:
        return format_html('<span class="desk-number">{}</span>', number(getattr(row, name)))

    return column


def profit_column(name: str, title: str) -> Callable[[Any, Any], SafeString]:
    """As figure() shows it."""

    @admin.display(description=title, ordering=name)
    def column(model_admin: object, row: models.Model) -> SafeString:
        return figure(getattr(row, name), is_profit=True)

    return column


def age_column(name: str, title: str) -> Callable[[Any, Any], SafeString]:
    @admin.display(description=title, ordering=name)
    def column(model_admin: object, row: models.Model) -> SafeString:
        return age_cell(getattr(row, name))

    return column


class Number(str):
    """A header whose column holds numbers: they stand to the right."""

    __slots__ = ()


Table = dict[str, Any]


def table(title: str, headers: list[str], rows: Iterable[tuple[Any, ...]]) -> Table:
    """numeric: a class a column of numbers, by its place."""
    numeric = [f"desk-n{place}" for place, header in enumerate(headers, 1) if isinstance(header, Number)]
    return {"title": title, "headers": headers, "numeric": " ".join(numeric), "rows": list(rows)}


class NumberField(forms.DecimalField):
    """An input that shows 0.01 and not 0.010000000000000000."""

    def prepare_value(self, value: Any) -> Any:
        return number(value) if isinstance(value, Decimal) else value

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        return {"inputmode": "decimal"}


INPUTS = {
    MoneyField: {"form_class": NumberField, "widget": UnfoldAdminTextInputWidget},
    models.JSONField: {"widget": UnfoldAdminTextareaWidget(attrs={"rows": 3})},
}
