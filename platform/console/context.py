"""What every page of the admin knows beside its own."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.urls import reverse

from bots.admin.kill_switch import PULL
from bots.kill_targets import visible_switches
from bots.selectors import dry_run_notice
from exchanges.admin.cells import age_cell
from exchanges.selectors import dry_run_setting


def dry_run(request: HttpRequest) -> dict[str, Callable[[], str]]:
    """Asked for by the page that shows it. Who is not logged in learns of the setting only."""
    user = getattr(request, "user", None)
    is_known = user is not None and user.is_authenticated
    return {"dry_run_notice": partial(dry_run_notice, user) if is_known else dry_run_setting}


def kill_switches(request: HttpRequest) -> dict[str, Any]:
    """Those that are on and cover something that this person sees, and whether they may pull one."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"engaged_switches": list, "may_pull_kill_switch": False}
    return {
        "engaged_switches": lambda: [
            {"switch": switch, "age": age_cell(switch.engaged_at)}
            for switch in visible_switches(user).engaged()
        ],
        "may_pull_kill_switch": user.has_perm(PULL),
    }


def account_pages(request: HttpRequest) -> dict[str, Any]:
    """Pages of sign-in and second factors have the admin's look, which Django hands to its own pages only."""
    if not request.path.startswith(reverse("account_login").removesuffix("login/")):
        return {}
    return admin.site.each_context(request)
