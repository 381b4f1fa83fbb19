"""What an account is worth, in words: the total, how old it is, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from exchanges.admin.cells import NOTHING, ago, figure, number
from exchanges.models import ExchangeConnection
from exchanges.selectors import worth
from exchanges.valuation import Line, Valuation

LATE = timedelta(minutes=10)  # two looks were missed


def worth_cell(connection: ExchangeConnection) -> SafeString | str:
    """For a list: the total, what is left out of it, and its age where it is old."""
    value = worth(connection)
    if value is None:
        return NOTHING
    notes = [f"and {listed(value.unpriced)}"] if value.unpriced else []
    if _is_late(connection.balances_at):
        notes.append(f"last known, {ago(connection.balances_at)}")
    quiet = format_html(' <span class="desk-quiet">{}</span>', ", ".join(notes)) if notes else ""
    return format_html("{}{}", figure(value.total, value.quote), quiet)


def worth_sentences(connection: ExchangeConnection) -> list[str]:
    """For a page."""
    value = worth(connection)
    if value is None:
        return ["The balances were not read yet."]
    told = [f"{number(value.total)} {value.quote}, as the exchange said {ago(connection.balances_at)}."]
    if value.oldest_price:
        told.append(f"Valued at prices of which the oldest was seen {ago(value.oldest_price.at)}.")
    if value.unpriced:
        told.append(f"Without a price in {value.quote}, and not in the total: {listed(value.unpriced)}.")
    if _is_late(connection.balances_at):
        told.append(_why_late(connection))
    return told


def _is_late(balances_at: datetime | None) -> bool:
    return balances_at is not None and timezone.now() - balances_at > LATE


def _why_late(connection: ExchangeConnection) -> str:
    """One sentence: these are the last known, and what keeps newer ones away."""
    if connection.archived_at or not connection.enabled:
        return "These are the last known: no worker acts for a connection that is disabled or archived."
    if connection.last_error:
        return f"These are the last known. {connection.last_error}"
    return "These are the last known: no worker has looked since. Is one running?"


def listed(lines: Iterable[Line]) -> str:
    """7 XYZ, 2 ABC"""
    return ", ".join(f"{number(line.amount)} {line.currency}" for line in lines)


def left_out(value: Valuation) -> str:
    return listed(value.unpriced) or NOTHING
