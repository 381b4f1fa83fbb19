"""Hands a message to the carrier: a process of its own, which is ended when it takes too long.

The only place where a channel's address is in clear text. It goes through a pipe, and what comes back is a
sentence of ours.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

from vault.keyring import VaultError
from vault.secret import Secret

SEND_SECONDS = 15
CHECK_SECONDS = 8
START_SECONDS = 10.0  # for the process to come up, on a busy machine
FOLDER = Path(__file__).resolve().parent.parent
PROGRAM = "import sys; sys.path.append(sys.argv[1]); from alerts.carrier import main; main()"
# No proxies of the environment: the address that is dialled is the receiver's, and is checked.
KEPT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")
NO_VERDICT = "The message could not be sent: the process that sends it ended without a word."


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """outcome: sent; refused, where another try is of no use; failed. service: Slack, JSON, …"""

    outcome: str
    sentence: str = ""
    service: str = ""

    @property
    def ok(self) -> bool:
        return self.outcome == "sent"


def send(url: Secret, *, title: str, body: str, severity: str) -> Verdict:
    """Waits for SEND_SECONDS at most, and START_SECONDS more where the machine is slow."""
    job = {"title": title, "body": body, "severity": severity, "only_check": False}
    return _carried(url, job, SEND_SECONDS)


def examine(url: Secret) -> Verdict:
    """Whether the address can be read and leads to a place that is allowed; nothing is sent."""
    return _carried(url, {"only_check": True}, CHECK_SECONDS)


def _carried(url: Secret, job: dict[str, Any], seconds: int) -> Verdict:
    try:
        plain = url.reveal()
    except VaultError as error:
        return Verdict(outcome="failed", sentence=str(error))
    job |= {"url": plain, "seconds": seconds, "allow_private": settings.ALERTS_ALLOW_PRIVATE}
    try:
        done = subprocess.run(  # noqa: S603 - our own command, and no shell
            [sys.executable, "-I", "-c", PROGRAM, str(FOLDER)],
            input=json.dumps(job).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a traceback would have the address in it
            env={name: os.environ[name] for name in KEPT if name in os.environ},
            timeout=seconds + START_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _late(seconds)
    return _late(seconds) if done.returncode == -signal.SIGALRM else _read(done.stdout)


def _late(seconds: int) -> Verdict:
    return Verdict(outcome="failed", sentence=f"No answer within {seconds} s.")


def _read(said: bytes) -> Verdict:
    try:
        return Verdict(**json.loads(said))
    except (TypeError, ValueError):
        return Verdict(outcome="failed", sentence=NO_VERDICT)
