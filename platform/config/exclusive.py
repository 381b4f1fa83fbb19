"""What only one process at a time may hold: a folder, a port."""

from __future__ import annotations

import errno
import fcntl
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class TakenError(Exception):
    """Another process has it; the text says what and what to do."""


@contextmanager
def only_one(file: Path, sentence: str) -> Iterator[None]:
    """Holds a lock that is gone with the process, however it ends. Raises TakenError."""
    with file.open("a") as stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise TakenError(sentence) from None
        yield


def require_free_port(host: str, port: int) -> None:
    """Raises TakenError when nobody could listen there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else f"cannot be used ({error.strerror})"
            raise TakenError(
                f"Port {port} {why}: end the program that listens there, or choose another one "
                "(`make run PORT=8001`, `python manage.py quickstart --port 8001`)."
            ) from None
