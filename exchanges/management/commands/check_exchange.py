"""Tests connections from the server's own command line, and says of each what an operator needs."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from exchanges.checkup.report import Step, TestReport
from exchanges.models import ExchangeConnection
from exchanges.selectors import NoConnectionError, connections_named, dry_run_setting, venue_title
from exchanges.services import test_connection

UNKNOWN = 2


class Command(BaseCommand):
    help = (
        "Tests connections step by step: connected, or the cause and its remedy; balances; latency. "
        "Exit code 0: all work; 1: some do not; 2: there is no connection of that name."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        what = parser.add_mutually_exclusive_group(required=True)
        by_name = "connections by name, or all of a venue"
        what.add_argument("names", nargs="*", default=[], metavar="NAME|VENUE", help=by_name)
        what.add_argument("--all", action="store_true", help="all connections")
        parser.add_argument("--json", action="store_true", help="print a JSON list, for programs")
        parser.add_argument("--as", dest="username", metavar="USERNAME", help="who is recorded as the tester")

    def handle(self, *_args: Any, names: list[str], **options: Any) -> None:
        actor = _user(options["username"])
        try:
            connections = connections_named(names)
        except NoConnectionError as error:
            raise CommandError(str(error), returncode=UNKNOWN) from None
        if not options["json"] and (notice := dry_run_setting()):
            self.stdout.write(notice)
        told, failed = [], []
        for connection in connections:
            report = test_connection(connection=connection, actor=actor)
            if options["json"]:
                told.append(_facts(connection) | report.as_json())
            else:
                self.stdout.write("\n".join(_lines(connection, report)))
            if not report.ok:
                failed.append(connection.name)
        if options["json"]:
            self.stdout.write(json.dumps(told))
        if failed:
            raise CommandError(
                f"{len(failed)} of {len(connections)} connections do not work: {', '.join(failed)}."
            )


def _user(username: str | None) -> User | None:
    """Raises CommandError."""
    if not username:
        return None
    found = User.objects.filter(username=username).first()
    if found is None:
        raise CommandError(f"There is no user “{username}”.", returncode=UNKNOWN)
    return found


def _facts(connection: ExchangeConnection) -> dict[str, Any]:
    return {
        "connection": connection.name,
        "venue": connection.venue,
        "mode": connection.mode,
        "dry_run": connection.is_dry_run,
    }


def _lines(connection: ExchangeConnection, report: TestReport) -> Iterator[str]:
    mode = "live, now a dry run" if connection.is_dry_run else connection.mode
    place = f"{connection.name} ({venue_title(connection.venue)}, {mode})"
    yield f"{place}: {_verdict(report)}"
    yield from (f"  {_line(step)}" for step in report.steps)
    if report.holdings is not None:
        yield f"  balances: {', '.join(map(str, report.holdings)) or 'none'}"
    yield from (f"  warning: {sentence}" for sentence in report.warnings)


def _verdict(report: TestReport) -> str:
    if not report.ok:
        return f"NOT CONNECTED. {report.cause}"
    return "connected" if report.latency_ms is None else f"connected, answers in {report.latency_ms} ms"


def _line(step: Step) -> str:
    took = f"{step.milliseconds} ms" if step.milliseconds else ""
    return f"{step.name:<12}{step.outcome.value:<11}{took:>8}  {step.sentence}"
