"""Encrypts every stored secret anew with the first key of FIELD_ENCRYPTION_KEYS."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vault.keyring import VaultError, keyring, new_key
from vault.rotation import Rotation, rotate_all


class Command(BaseCommand):
    help = (
        "Encrypts every stored secret anew with the first key of FIELD_ENCRYPTION_KEYS. First add the new "
        "key at the front and restart the desk, then run this, then take the old key away. Safe to run "
        "twice, and while the desk runs."
    )
    requires_system_checks = []  # --new-key must work when keys are missing

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--new-key", action="store_true", help="Print a fresh key and do nothing else.")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["new_key"]:
            self.stdout.write(new_key())
            return
        try:
            keyring()
        except VaultError as error:
            raise CommandError(str(error)) from None
        self._report(rotate_all())

    def _report(self, total: Rotation) -> None:
        self.stdout.write(
            f"{total.rotated} rotated, {total.current} already current, {len(total.unreadable)} unreadable."
        )
        if total.unreadable:
            places = "\n".join(f"  {place}" for place in total.unreadable)
            raise CommandError(
                f"These secrets open with no key of FIELD_ENCRYPTION_KEYS and were left as they are; put "
                f"their key back, or enter them again:\n{places}"
            )
