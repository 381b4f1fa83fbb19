"""What would a spread bot quote in a situation that is written down in a file? Needs no database."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from bots.management.input_file import read_text
from bots.strategies.base import Decision
from bots.strategies.fields import ScenarioError
from bots.strategies.figures import plain
from bots.strategies.scenario import read_scenario
from bots.strategies.spread import decide
from exchanges.types import Side


class Command(BaseCommand):
    help = "Prints the quotes of a spread bot for the settings and the market in a JSON file."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", metavar="FILE", help="One JSON object; - reads standard input.")

    def handle(self, *_args: Any, file: str, **_options: Any) -> None:
        try:
            scenario = read_scenario(read_text(file))
        except ScenarioError as error:
            raise CommandError(str(error)) from None
        decision = decide(scenario.snapshot, scenario.settings)
        self.stdout.write(json.dumps(as_json(decision)))


def as_json(decision: Decision) -> dict[str, Any]:
    """The quotes of each side from the touch outwards, as pairs of price and amount, and the reason."""
    return {
        "buys": _pairs(decision, Side.BUY),
        "sells": _pairs(decision, Side.SELL),
        "reason": decision.reason,
    }


def _pairs(decision: Decision, side: Side) -> list[list[str]]:
    return [[plain(quote.price), plain(quote.amount)] for quote in decision.quotes if quote.side is side]
