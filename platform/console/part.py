"""A part of a page that renews itself: rendered with the page first, then asked for again by htmx."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.safestring import SafeString
from django.views.decorators.http import require_GET

View = Callable[[HttpRequest], HttpResponse]
Permission = Callable[[HttpRequest], bool]


@dataclass(frozen=True, kw_only=True)
class Part:
    """context: what its template gets, in a fixed number of queries. seconds: how often it is asked for."""

    name: str
    seconds: int
    may_see: Permission
    context: Callable[[HttpRequest], dict[str, Any]]

    @property
    def url(self) -> str:
        return reverse(f"admin:desk_{self.name}")

    def render(self, request: HttpRequest) -> SafeString:
        return render_to_string(f"console/parts/{self.name}.html", self.context(request), request)

    def as_view(self, is_known: Permission) -> View:
        """is_known: whether anybody is logged in who may see the admin."""
        return guarded(is_known, self.may_see, lambda request: HttpResponse(self.render(request)))


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart of the first page. data: as charts.js wants it."""

    name: str
    title: str
    may_see: Permission
    data: Callable[[HttpRequest], dict[str, Any]]

    @property
    def url(self) -> str:
        return reverse(f"admin:desk_{self.name}")

    def as_view(self, is_known: Permission) -> View:
        return guarded(is_known, self.may_see, lambda request: JsonResponse(self.data(request)))


def guarded(is_known: Permission, may_see: Permission, answer: View) -> View:
    """GET only. Whoever was logged out meanwhile is sent to the login by the page as a whole."""

    @require_GET
    def view(request: HttpRequest) -> HttpResponse:
        if not is_known(request):
            return HttpResponse(status=204, headers={"HX-Refresh": "true"})
        if not may_see(request):
            raise PermissionDenied
        return answer(request)

    return view
