"""The first page: its parts as they are now; each is asked for again by itself."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from alerts.selectors import is_told_nothing
from console.desk import CHARTS, PARTS, sees_bots


def add_desk(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """unfold's DASHBOARD_CALLBACK."""
    shown = {
        part.name: {"url": part.url, "seconds": part.seconds, "html": part.render(request)}
        for part in PARTS
        if part.may_see(request)
    }
    charts = [chart for chart in CHARTS if chart.may_see(request)]
    hints = request.user.has_perm("alerts.add_alertchannel") and is_told_nothing(request.user)
    return context | {
        "title": "Overview", "parts": shown, "charts": charts, "may_view": sees_bots(request),
        "hints_at_alerts": hints,
    }  # fmt: skip
