"""Sends one message with Apprise: the program of a process of its own, without Django.

It reads a job as JSON from its input and writes a `Verdict` as JSON. Apprise can do much more than tell a
web service something: it reads files, starts programs, follows redirects, logs addresses. In here it may
read no file but its own, start nothing, and dial no address but public ones: the interpreter's audit events
are refused before they happen, whatever library asks, so that a name which resolves to something else the
second time is of no use either. What Apprise logs is looked at for a status and goes nowhere else.
"""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import ssl
import sys
from typing import Any, NoReturn

from alerts.addresses import is_public

# Of the machine itself: desktops, its log, a lamp on its USB port.
LOCAL = {"blink1", "dbus", "glib", "gnome", "macosx", "syslog", "windows"}
STARTS_PROGRAM = ("subprocess.", "os.system", "os.exec", "os.posix_spawn", "os.fork", "os.spawn", "pty.")
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC
KINDS = {"info": "info", "warning": "warning", "error": "failure"}
HINTS = {
    401: " It does not take the password or token: enter the address anew.",
    403: " It does not take the password or token: enter the address anew.",
    404: " It knows no such place: enter the address anew.",
    410: " It knows no such place any more: enter the address anew.",
    429: " It has had too many messages: it is tried again later.",
}
_STATUS = re.compile(r"error=(\d{3})\b")
UNKNOWN = (
    "Apprise knows no such address: write it as Apprise does, for example jsons://host/path for a webhook, "
    "tgram://token/chat for Telegram, mailto://user:password@host for e-mail."
)
IS_LOCAL = "This service is the machine's own: a server shows nobody anything there."
IS_PRIVATE = (
    "The address leads to a private, loopback or metadata address, which is refused. Set "
    "ALERTS_ALLOW_PRIVATE=true where the receiver is in your own network."
)
ASKS_MACHINE = "The address asks for a file or a program of the server, which is refused."


class Guard:
    """Refuses what a message has no need of. refused: the sentence of the last refusal."""

    def __init__(self, *, allow_private: bool) -> None:
        self._allow_private = allow_private
        self.refused = ""
        roots = {sys.prefix, sys.base_prefix, *filter(None, sys.path), "/usr/share/zoneinfo", "/etc/ssl"}
        for paths in (ssl.get_default_verify_paths(), os.environ.get("REQUESTS_CA_BUNDLE")):
            roots |= {path for path in (paths if isinstance(paths, tuple) else (paths,)) if path}
        self._roots = tuple(os.path.realpath(root) for root in roots)

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        """The hook of `sys.addaudithook`."""
        if event in {"socket.connect", "socket.sendto", "socket.sendmsg"}:
            self._check_address(arguments[0], arguments[1])
        elif event == "open":
            self._check_file(arguments[0], arguments[2] or 0)
        elif event.startswith(STARTS_PROGRAM):
            self._refuse(ASKS_MACHINE)

    def _check_address(self, sock: socket.socket, address: Any) -> None:
        if sock.family not in {socket.AF_INET, socket.AF_INET6}:
            self._refuse(ASKS_MACHINE)
        if address is not None and not self._allow_private and not is_public(str(address[0])):
            self._refuse(IS_PRIVATE)

    def _check_file(self, path: Any, flags: int) -> None:
        if isinstance(path, int):
            return
        real = os.path.realpath(os.fsdecode(path))
        inside = any(real == root or real.startswith(root + os.sep) for root in self._roots)
        if flags & WRITES or not inside:
            self._refuse(ASKS_MACHINE)

    def _refuse(self, sentence: str) -> NoReturn:
        self.refused = sentence
        raise PermissionError(sentence)


class Statuses(logging.Handler):
    """Hears what Apprise logs, and keeps the last HTTP status."""

    last = 0

    def emit(self, record: logging.LogRecord) -> None:
        found = _STATUS.search(record.getMessage())
        if found:
            self.last = int(found[1])


def verdict(outcome: str, sentence: str = "", service: str = "") -> dict[str, str]:
    return {"outcome": outcome, "sentence": sentence, "service": service}


def carry(job: dict[str, Any]) -> dict[str, str]:
    """job: url, title, body, severity, allow_private, and only_check where nothing is to be sent."""
    import apprise

    statuses = Statuses()
    logger = logging.getLogger("apprise")
    logger.handlers, logger.propagate = [statuses], False
    apprise.Apprise().details()  # loads every service, before the guard is on
    guard = Guard(allow_private=job["allow_private"])
    sys.addaudithook(guard)
    asset = apprise.AppriseAsset(app_id="Botdesk", app_desc="Botdesk", secure_logging=True)
    service = apprise.Apprise.instantiate(job["url"], asset=asset)
    if service is None:
        return verdict("refused", guard.refused or _why_unknown(job["url"]))
    name = str(service.service_name)
    if type(service).__module__.rpartition(".")[2] in LOCAL:
        return verdict("refused", IS_LOCAL, name)
    if not job["allow_private"] and _leads_inside(service):
        return verdict("refused", IS_PRIVATE, name)
    if job["only_check"]:
        return verdict("sent", service=name)
    courier = apprise.Apprise(asset=asset)
    courier.add(service)
    sent = bool(courier.notify(job["body"], job["title"], KINDS[job["severity"]], body_format="text"))
    if sent:
        return verdict("sent", f"{name} took it.", name)
    if guard.refused:
        return verdict("refused", guard.refused, name)
    return verdict("failed", _why_not(name, statuses.last), name)


def _why_unknown(url: str) -> str:
    return IS_LOCAL if url.partition("://")[0].lower() in {*LOCAL, "qt", "kde", "gio"} else UNKNOWN


def _why_not(name: str, status: int) -> str:
    if not status:
        return f"{name} could not be reached, or refused the message."
    return f"{name} answered with status {status}.{HINTS.get(status, '')}"


def _leads_inside(service: Any) -> bool:
    """Whether its host resolves to an address that is refused; a name that does not resolve now, does not.

    Only of services whose address names a host: in others that part is a token, and no business of DNS.
    """
    host = getattr(service, "host", None)
    if not host or "host" not in type(service).template_tokens:
        return False
    try:
        found = socket.getaddrinfo(host.strip("[]"), None)
    except OSError:
        return False
    return not all(is_public(str(each[4][0])) for each in found)


def main() -> None:
    job = json.loads(sys.stdin.read())
    signal.alarm(job["seconds"])  # it ends even if nobody is left who would end it
    print(json.dumps(carry(job)))  # noqa: T201 - its answer


if __name__ == "__main__":
    main()
