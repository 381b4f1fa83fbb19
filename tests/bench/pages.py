"""How long the lists of the admin and of the API take over a long past."""

from __future__ import annotations

import time
from typing import Any

from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.test.utils import override_settings
from django.urls import reverse

from api.urls import router
from bots.models import Order
from tests.bench import child
from tests.bench.findings import Finding, percentile
from tests.bench.plan import Plan
from tests.bench.profiles import cpu_profile, top_lines
from tests.bench.rows import seed

BUDGET_MS = 150.0
PAST_BUDGET_SHOWN = 5


def pages(plan: Plan) -> list[Finding]:
    """Through Django's test client: without a web server and a network."""
    with plan.database() as url:
        run = child.run(
            "tests.bench.pages", "measure", database_url=url, trades=plan.trades, calls=plan.pages
        )
    return [
        _finding(run, "lists", "any admin list", plan),
        _finding(run, "seeks", "searches and filters of the two longest lists", plan),
        _finding(run, "answers", "any list of the API", plan),
    ]


def _finding(run: dict[str, Any], kind: str, words: str, plan: Plan) -> Finding:
    times: dict[str, float] = run[kind]
    by_time = sorted(times, key=lambda url: times[url], reverse=True)
    slow = [url for url in by_time if times[url] > BUDGET_MS]
    shown = "; ".join(f"`{url}` {times[url]:.0f} ms" for url in (slow or by_time[:1])[:PAST_BUDGET_SHOWN])
    return Finding(
        what=f"{plan.trades:,} trades: {words}",
        budget="p95 ≤ 150 ms",
        measured=f"{len(times) - len(slow)} of {len(times)} within it; slowest: {shown} "
        f"({plan.database_name}, {run['orders']:,} orders, {plan.pages} calls each)",
        is_met=not slow,
        profile=tuple(run["lines"][kind]) if slow else (),
    )


@override_settings(ALLOWED_HOSTS=["testserver"], SECURE_SSL_REDIRECT=False)
def measure(*, trades: int, calls: int) -> dict[str, Any]:
    """In a child: {"lists", "seeks", "answers": {path: p95 in ms}, "lines": of each kind, "orders"}."""
    seed(trades=trades)
    client = Client()
    client.force_login(User.objects.create_superuser("boss"))
    lists = {url: _p95(client, url, calls) for url in _lists()}
    seeks = {url: _p95(client, url, calls) for url in _seeks()}
    answers = {url: _p95(client, url, calls) for url in _answers()}
    lines = {
        kind: [slowest := max(times, key=lambda url: times[url]), *_profile(client, slowest)]
        for kind, times in (("lists", lists), ("seeks", seeks), ("answers", answers))
    }
    orders = Order.objects.count()
    return {"lists": lists, "seeks": seeks, "answers": answers, "lines": lines, "orders": orders}


def _lists() -> list[str]:
    """The list of every model, and the first page."""
    metas = [model._meta for model in admin.site._registry]
    return [reverse("admin:index")] + [
        reverse(f"admin:{meta.app_label}_{meta.model_name}_changelist") for meta in metas
    ]


def _answers() -> list[str]:
    """The list of every resource, and what dashboards read."""
    lists = [reverse(f"api:{prefix}-list") for prefix, _viewset, _name in router.registry]
    return [reverse("api:status"), *lists]


def _seeks() -> list[str]:
    """By market, by an order's ids, by bot, by side, by connection, and far back."""
    order = Order.objects.select_related("bot").first()
    assert order is not None
    names = ("C00", order.client_id, order.venue_id, order.bot.name)
    filters = (f"connection__id__exact={order.connection_id}", f"bot__id__exact={order.bot_id}")
    asked = (*(f"q={name}" for name in names), "side__exact=sell", *filters, "p=1000")
    lists = [reverse(f"admin:bots_{name}_changelist") for name in ("trade", "order")]
    return [f"{url}?{question}" for url in lists for question in asked]


def _p95(client: Client, url: str, calls: int) -> float:
    """In ms; the first call, which fills caches, does not count."""
    times = []
    for _ in range(calls + 1):
        began = time.perf_counter()
        answer = client.get(url)
        times.append(1000 * (time.perf_counter() - began))
        if answer.status_code != 200 and "p=" not in url:
            raise RuntimeError(f"{url} was answered with {answer.status_code}.")
    return round(percentile(times[1:], 95), 1)


def _profile(client: Client, url: str) -> list[str]:
    """In CPU time of the web process: what is missing from the page's time is spent in the database."""
    began, profiler = time.perf_counter(), cpu_profile()
    cpu_began = time.thread_time()
    profiler.runcall(client.get, url)
    cpu, wall = time.thread_time() - cpu_began, time.perf_counter() - began
    return [f"{cpu:.3f} s of CPU here, {wall:.3f} s in all, under the profiler", *top_lines(profiler)]
