"""Cancels what a kill switch covers in a process of its own: the web process never loads ccxt, and its answer
does not wait for the venues. It needs no worker."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from contextlib import suppress
from io import StringIO

from django.conf import settings
from django.core.management import CommandError, call_command

from bots.models import KillSwitch
from vault.redaction import redact

log = logging.getLogger(__name__)


def cancel_covered_apart(switch: KillSwitch) -> None:
    """Returns at once; what became of the orders is in the switch's row when it is done."""
    if not settings.KILL_APART:
        with suppress(CommandError):  # said of orders that may still rest: their rows say so too
            call_command("kill_switch", "cancel", str(switch.pk), stdout=StringIO())
        return
    command = [sys.executable, str(settings.MANAGE_FILE), "kill_switch", "cancel", str(switch.pk)]
    process = subprocess.Popen(  # noqa: S603 - our own command, and no shell
        command,
        cwd=settings.BASE_DIR,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # a web process that is restarted meanwhile does not end it
    )
    threading.Thread(target=_see_out, args=(process, switch.pk), daemon=True).start()


def _see_out(process: subprocess.Popen[bytes], number: int) -> None:
    said, _ = process.communicate()
    if process.returncode:
        log.warning("kill switch %s: %s", number, redact(said.decode(errors="replace").strip()))
