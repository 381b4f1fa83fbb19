"""Around every request: the API's answers are private and known by an ETag, its questions are short."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.http import ConditionalGetMiddleware
from django.utils.cache import patch_cache_control, patch_vary_headers

from audit.services import acting_in_person
from rest.errors import answer, is_for_the_api

MOST_BYTES = 256 * 1024
Answer = Callable[[HttpRequest], HttpResponseBase]


class ApiMiddleware:
    def __init__(self, get_response: Answer) -> None:
        self._get_response = get_response
        self._conditional: Answer = ConditionalGetMiddleware(self._private)  # type: ignore[assignment]

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        with acting_in_person():  # threads are used again: what a token did before ends here
            return (self._bounded if is_for_the_api(request) else self._get_response)(request)

    def _bounded(self, request: HttpRequest) -> HttpResponseBase:
        """Refuses a large body by what it says of itself, before anybody reads it. A server hands over no
        more than that."""
        stated = request.META.get("CONTENT_LENGTH") or "0"
        if stated.isascii() and stated.isdigit() and int(stated) <= MOST_BYTES:
            return self._conditional(request)
        return answer("body_too_large", f"The body of a request is {MOST_BYTES // 1024} kB at most.", 413)

    def _private(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        patch_vary_headers(response, ("Authorization", "Cookie"))
        if not response.has_header("Cache-Control"):
            patch_cache_control(response, private=True, no_cache=True)
        response.headers["X-Content-Type-Options"] = "nosniff"
        return response
