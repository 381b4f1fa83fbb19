"""Sets the desk up in this folder and runs it until Ctrl-C.

It is the project's own command because it looks down on everything: web, worker, bots and connections.
"""

from __future__ import annotations

import contextlib
import signal
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from bots.selectors import dry_run_notice
from config import demo
from config.dotenv import env_file
from config.exclusive import TakenError, only_one, require_free_port
from config.processes import Children

HOST = "127.0.0.1"
LOCK = ".quickstart.lock"
LOOK_SECONDS = 0.2
GUNICORN = ("--pythonpath=platform", "--config=platform/config/gunicorn.py", "--log-level=warning")


class Command(BaseCommand):
    help = (
        "Writes .env with fresh keys if there is none, prepares the database, a user and two demo bots on "
        "paper, and runs web and worker until Ctrl-C."
    )
    stopping = False
    untold_password: str | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=_port, default=8000, help="Where the web page listens (8000).")

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)
        folder = env_file().parent
        try:
            with only_one(folder / LOCK, f"A quickstart runs in {folder} already: end it first (Ctrl-C)."):
                require_free_port(HOST, options["port"])
                self._set_up_and_run(options["port"])
        except TakenError as error:
            raise CommandError(str(error)) from None

    def _ask_to_stop(self, *signal_and_frame: object) -> None:
        # Nothing more: an exception here could surface anywhere, in the middle of a migration too.
        self.stopping = True

    def _set_up_and_run(self, port: int) -> None:
        self._say("Preparing the database …")
        call_command("migrate", verbosity=0, interactive=False)
        if not self.stopping:
            self.untold_password = demo.create_admin()
        children = Children(settings.BASE_DIR)
        try:
            if not self.stopping:
                demo.create_demo_bots()
                self._start(children, port)
                self._greet_once_it_answers(children, port)
                self._wait(children)
        finally:
            self._say("Stopping …")
            children.stop()
            self._tell_password()
        self._say("Stopped.")

    def _start(self, children: Children, port: int) -> None:
        children.start(
            "web", [sys.executable, "-m", "gunicorn", *GUNICORN, f"--bind={HOST}:{port}", "config.wsgi"]
        )
        children.start("worker", [sys.executable, "manage.py", "worker"])

    def _greet_once_it_answers(self, children: Children, port: int) -> None:
        while not self.stopping and not _answers(port):
            self._look_after(children)
        if not self.stopping:
            self._say(_greeting(f"http://{HOST}:{port}/admin/", self.untold_password))
            if notice := dry_run_notice():
                self._say(notice)
            self.untold_password = None

    def _tell_password(self) -> None:
        """Where it ended before the greeting: nobody could read it later."""
        if self.untold_password:
            self._say(f"The user {demo.ADMIN} was created, with the password {self.untold_password}")

    def _wait(self, children: Children) -> None:
        while not self.stopping:
            self._look_after(children)

    def _look_after(self, children: Children) -> None:
        """Raises CommandError when one has ended on its own."""
        ended = children.first_ended()
        if ended and not self.stopping:
            raise CommandError(f"{ended.last_words()} What it said stands above.")
        time.sleep(LOOK_SECONDS)

    def _say(self, text: str) -> None:
        """A terminal that was closed keeps nothing from being stopped."""
        with contextlib.suppress(OSError):
            self.stdout.write(text)
            self.stdout.flush()


def _port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise ArgumentTypeError(f"{text!r} is not a port: a whole number from 1 to 65535.")
    return int(text)


def _python() -> str:
    """This interpreter as one would type it in this folder."""
    program = Path(sys.executable)
    return str(
        program.relative_to(settings.BASE_DIR) if program.is_relative_to(settings.BASE_DIR) else program
    )


def _answers(port: int) -> bool:
    """Whatever it says: with HTTPS_ONLY it would send us elsewhere."""
    web = HTTPConnection(HOST, port, timeout=2)
    try:
        web.request("GET", "/admin/login/")
        web.getresponse()
    except (OSError, HTTPException):
        return False
    else:
        return True
    finally:
        web.close()


def _greeting(address: str, password: str | None) -> str:
    shown = password or f"unchanged; a new one: {_python()} manage.py changepassword {demo.ADMIN}"
    return f"""
  Botdesk runs.

    open       {address}
    user       {demo.ADMIN}
    password   {shown}

  A spread bot and a scalper trade with play money. Ctrl-C ends everything.
"""
