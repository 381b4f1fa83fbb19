"""What every page of the admin knows beside its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from django.http import HttpRequest

from bots.selectors import dry_run_notice
from exchanges.selectors import dry_run_setting


def dry_run(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """Asked for by the page that shows it. Who is not logged in learns of the setting only."""
    user = getattr(request, "user", None)
    is_known = user is not None and user.is_authenticated
    return {"dry_run_notice": partial(dry_run_notice, user) if is_known else dry_run_setting}
