"""Pulls, releases and lists kill switches from the server's own command line."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from bots.engine.kill import Ended
from bots.kill_switch import (
    CANCEL_SECONDS,
    Target,
    cancel_covered,
    pull_kill_switch,
    release_kill_switch,
)
from bots.models import Bot, KillSwitch
from exchanges.models import ExchangeConnection


class Command(BaseCommand):
    help = (
        "Pulls the kill switch: nothing new is placed, and our orders are cancelled. Works without workers."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        pull = actions.add_parser("pull", help="pull it for the desk, an owner, a connection or a bot")
        what = pull.add_mutually_exclusive_group(required=True)
        what.add_argument("--desk", action="store_true")
        what.add_argument("--owner", metavar="USERNAME")
        what.add_argument("--connection", metavar="NAME")
        what.add_argument("--bot", metavar="NAME")
        pull.add_argument("--reason", required=True, help="why, for the record")
        pull.add_argument("--seconds", type=float, default=CANCEL_SECONDS, help="how long to try at most")
        cancel = actions.add_parser("cancel", help="cancel again what one that is on covers, by its number")
        cancel.add_argument("number", type=int)
        release = actions.add_parser("release", help="release one by its number")
        release.add_argument("number", type=int)
        actions.add_parser("list", help="list those that are on")

    def handle(self, *_args: Any, action: str, **options: Any) -> None:
        if action == "pull":
            self._pull(options)
        elif action == "cancel":
            self._cancel(options["number"])
        elif action == "release":
            self._release(options["number"])
        else:
            self._list()

    def _pull(self, options: dict[str, Any]) -> None:
        try:
            switch, ended = pull_kill_switch(
                actor=None, target=_target(options), reason=options["reason"], seconds=options["seconds"]
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from None
        self._tell(switch, ended)

    def _cancel(self, number: int) -> None:
        switch = KillSwitch.objects.engaged().filter(pk=number).first()
        if switch is None:
            raise CommandError(f"No kill switch {number} is on: `manage.py kill_switch list` shows them.")
        self._tell(switch, cancel_covered(switch))

    def _tell(self, switch: KillSwitch, ended: list[Ended]) -> None:
        for one in ended:
            self.stdout.write(f"{one.order.connection}: {one.order}: {one.sentence}")
        uncertain = [one for one in ended if not one.is_certain]
        self.stdout.write(
            f"Kill switch {switch.pk} is on ({switch}): {len(ended) - len(uncertain)} of {len(ended)} orders "
            "are certainly gone. Release it with: manage.py kill_switch release "
            f"{switch.pk}"
        )
        if uncertain:
            raise CommandError(
                f"{len(uncertain)} orders may still rest: pull it again, or look at the venue."
            )

    def _release(self, number: int) -> None:
        switch = KillSwitch.objects.filter(pk=number).first()
        if switch is None:
            raise CommandError(f"There is no kill switch {number}: `manage.py kill_switch list` shows them.")
        release_kill_switch(actor=None, switch=switch)
        self.stdout.write(f"Kill switch {number} is released; what it covered goes on as it was.")

    def _list(self) -> None:
        for switch in KillSwitch.objects.engaged():
            self.stdout.write(
                f"{switch.pk}: {switch}, since {switch.engaged_at:%Y-%m-%d %H:%M:%S} UTC: {switch.reason}"
            )
        if not KillSwitch.objects.engaged().exists():
            self.stdout.write("No kill switch is on.")


def _target(options: dict[str, Any]) -> Target:
    """Raises CommandError where the name is nobody's, or of several."""
    if options["owner"]:
        return Target(owner=_one(User.objects.filter(username=options["owner"]), "user", options["owner"]))
    if options["connection"]:
        rows = ExchangeConnection.objects.filter(name=options["connection"], archived_at=None)
        return Target(connection=_one(rows, "connection", options["connection"]))
    if options["bot"]:
        bots = Bot.objects.filter(name=options["bot"], archived_at=None)
        return Target(bot=_one(bots, "bot", options["bot"]))
    return Target()


def _one(rows: Any, kind: str, name: str) -> Any:
    found = list(rows[:2])
    if not found:
        raise CommandError(f"There is no {kind} “{name}”.")
    if len(found) > 1:
        raise CommandError(
            f"There are several {kind}s “{name}”: give them different names, or pull for the desk."
        )
    return found[0]
