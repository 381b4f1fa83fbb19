"""How a connection's venue answers, in badges and words: for the list, for its page, for the first page."""

from __future__ import annotations

from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString

from exchanges.admin.cells import NOTHING, Number, age_cell, badge
from exchanges.health import WINDOW_SECONDS, Grade, State
from exchanges.models import ConnectionHealth, ExchangeConnection

GRADES = {Grade.GOOD: "good", Grade.FAIR: "busy", Grade.POOR: "bad"}
BREAKERS = {State.CLOSED: "good", State.HALF_OPEN: "busy", State.OPEN: "bad"}
HEADERS = [
    "Connection", "Score", "Breaker", Number("Since"), Number("Median"), Number("95 % within"),
    Number("Failed in 5 min"), Number("Rate limit"), Number("Balances"), Number("As of"), "Last error",
]  # fmt: skip


def health_of(connection: ExchangeConnection) -> ConnectionHealth | None:
    """None before a worker's first look."""
    return getattr(connection, "health", None)


def health_cell(connection: ExchangeConnection) -> SafeString | str:
    """For a list: the score, and where all is not well, the breaker, since when, and why."""
    health = health_of(connection)
    if health is None:
        return NOTHING
    if health.state == State.CLOSED and health.grade == Grade.GOOD:
        return score_badge(health)
    return format_html(
        '{} {} {} <span class="desk-quiet">{}</span>',
        score_badge(health), breaker_badge(health), age_cell(health.changed_at), health.cause,
    )  # fmt: skip


def health_facts(connection: ExchangeConnection) -> list[tuple[str, SafeString | str]]:
    """For its page; none before a worker's first look."""
    health = health_of(connection)
    if health is None:
        return []
    facts = [
        ("Score", score_badge(health)),
        ("Breaker", breaker_badge(health)),
        ("Since", age_cell(health.changed_at)),
        ("Round trip", f"median {milliseconds(health.median_ms)}, 95 % within {milliseconds(health.p95_ms)}"),
        (f"Failed in {WINDOW_SECONDS / 60:.0f} min", failed(health)),
        ("Rate limit", f"{health.budget_used:.0%} used"),
        ("Last error", health.cause or NOTHING),
        ("As of", age_cell(health.updated_at)),
    ]
    if health.silent_since is not None:
        facts.insert(3, ("No answer, bots stopped", age_cell(health.silent_since)))
    return facts


def health_row(health: ConnectionHealth) -> tuple[SafeString | str, ...]:
    """Under HEADERS."""
    return (
        _link(health.connection), score_badge(health), breaker_badge(health), age_cell(health.changed_at),
        milliseconds(health.median_ms), milliseconds(health.p95_ms), failed(health),
        f"{health.budget_used:.0%}", age_cell(health.connection.balances_at), age_cell(health.updated_at),
        health.cause or NOTHING,
    )  # fmt: skip


def _link(connection: ExchangeConnection) -> SafeString:
    url = reverse("admin:exchanges_exchangeconnection_change", args=[connection.pk])
    return format_html('<a class="desk-link" href="{}">{}</a>', url, connection)


def score_badge(health: ConnectionHealth) -> SafeString:
    grade = Grade(health.grade)
    return badge(f"{health.score} {grade}", GRADES[grade])


def breaker_badge(health: ConnectionHealth) -> SafeString:
    return badge(health.get_state_display().lower(), BREAKERS[State(health.state)])


def milliseconds(value: int | None) -> str:
    return NOTHING if value is None else f"{value} ms"


def failed(health: ConnectionHealth) -> str:
    return f"{health.errors} of {health.requests} ({health.error_rate:.1%})"
