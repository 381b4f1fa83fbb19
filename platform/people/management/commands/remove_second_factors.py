"""Lets somebody in again who lost their phone or passkey; their password is asked as before."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from people.services import remove_second_factors


class Command(BaseCommand):
    help = "Removes the second factors of a user, who then signs in with the password alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("username")

    def handle(self, *args: Any, **options: Any) -> None:
        user = User.objects.filter(username=options["username"]).first()
        if user is None:
            raise CommandError(f"There is no user {options['username']!r}.")
        removed = remove_second_factors(user=user, actor=None)
        self.stdout.write(f"Removed: {', '.join(removed)}." if removed else f"{user} has no second factor.")
