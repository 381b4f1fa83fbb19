"""The admin's pages as tests use them: forms are read off the page and sent back as a browser would."""

from __future__ import annotations

from datetime import timedelta
from html.parser import HTMLParser
from typing import Any

from django.test import Client
from django.utils import timezone

from exchanges.models import ConnectionHealth, ExchangeConnection


class _Fields(HTMLParser):
    """The values that one form of a page would send if nobody touched it."""

    def __init__(self, form_id: str) -> None:
        super().__init__()
        self.form_id = form_id
        self.fields: dict[str, str] = {}
        self._inside = False
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "form":
            self._inside = given.get("id") == self.form_id
        name = given.get("name") or ""
        if not self._inside or (not name and tag != "option"):
            return
        if tag == "input" and (given.get("type") not in {"checkbox", "submit"} or "checked" in given):
            self.fields[name] = given.get("value") or ("on" if given.get("type") == "checkbox" else "")
        elif tag == "select":
            self._select = name
        elif tag == "option" and self._select and "selected" in given:
            self.fields[self._select] = given.get("value") or ""
        elif tag == "textarea":
            self._textarea, self.fields[name] = name, ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] += data


def form_of(client: Client, url: str, form_id: str) -> dict[str, str]:
    page = client.get(url)
    assert page.status_code == 200, (url, page.status_code)
    parser = _Fields(form_id)
    parser.feed(page.content.decode())
    return parser.fields


def a_health(connection: ExchangeConnection, **told: Any) -> ConnectionHealth:
    """As of an hour ago: all is well, but for what is told."""
    an_hour_ago = timezone.now() - timedelta(hours=1)
    well = {
        "score": 100, "grade": "good", "state": "closed", "median_ms": 120, "p95_ms": 300, "requests": 200,
        "errors": 0, "error_rate": 0.0, "budget_used": 0.12,
        "changed_at": an_hour_ago, "updated_at": an_hour_ago,
    }  # fmt: skip
    return ConnectionHealth.objects.create(connection=connection, **(well | told))
