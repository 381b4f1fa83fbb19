"""When, and why, would a position that is written down in a file be closed? Needs no database."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bots.management.input_file import read_text
from bots.strategies.exit_scenario import ExitScenario, Outcome, play, read_exit_scenario
from bots.strategies.fields import ScenarioError
from bots.strategies.figures import plain


class Command(BaseCommand):
    help = "Prints when the barriers in a JSON file close its position along a path of prices."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="One JSON object; - reads standard input.")

    def handle(self, *_args: Any, file: str, **_options: Any) -> None:
        try:
            scenario = read_exit_scenario(read_text(file))
        except ScenarioError as error:
            raise CommandError(str(error)) from None
        self.stdout.write(json.dumps(as_json(scenario, play(scenario))))


def as_json(scenario: ExitScenario, outcome: Outcome) -> dict[str, Any]:
    """stops: the stop price after each step that was reached, null while there is none."""
    return {
        "reason": outcome.reason,
        "price": _plain(outcome.price),
        "amount": plain(scenario.filled) if outcome.reason else None,
        "seconds": _plain(outcome.seconds),
        "profit_pct": _plain(outcome.profit_pct),
        "take_profit_price": _plain(outcome.take_profit_price),
        "stops": [_plain(stop) for stop in outcome.stops],
        "warnings": list(scenario.warnings),
    }


def _plain(value: Decimal | None) -> str | None:
    return None if value is None else plain(round(value, 12))
