"""The product as an operator runs it: a database, a web process and a worker, each real, around a lab."""

from __future__ import annotations

import atexit
import contextlib
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import psycopg
import requests
from psycopg import sql

ROOT = Path(__file__).resolve().parent.parent.parent
ADMIN_PASSWORD = "correct horse battery staple"
ENCRYPTION_KEY = "ZTJlLWUyZS1lMmUtZTJlLWUyZS1lMmUtZTJlLWUyZSE="

T = TypeVar("T")


class Desk:
    """Its processes' output goes to files in `folder`; `logs()` is all of it."""

    def __init__(self, folder: Path, database_url: str, lab: dict[str, str], **settings: str) -> None:
        """lab: the environment by which it is reached; empty: there is none.

        settings: further environment, as SHIFT_SECONDS or LOG_LEVEL.
        """
        self.folder = folder
        self.database_url = database_url
        self._launcher = "tests/lab/manage.py" if lab else "manage.py"
        self._application = "tests.lab.wsgi" if lab else "config.wsgi"
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            "PATH": os.environ["PATH"],
            "BOTDESK_ENV_FILE": os.devnull,
            "SECRET_KEY": uuid.uuid4().hex * 2,
            "FIELD_ENCRYPTION_KEYS": ENCRYPTION_KEY,
            "DATABASE_URL": database_url,
            "REDIS_URL": os.environ.get("REDIS_URL", ""),
            "LOG_LEVEL": "DEBUG",
            "SHIFT_SECONDS": "5",
            "DJANGO_SUPERUSER_PASSWORD": ADMIN_PASSWORD,
            "PYTHONUNBUFFERED": "1",
            **lab,
            **settings,
        }

    def prepare(self) -> None:
        """Its tables and its admin. An SQLite file is a copy of one that was made by the same commands."""
        if self.database_url.startswith("sqlite"):
            copy_tables_and_admin(self.database_url)
        else:
            self.make_tables_and_admin()

    def make_tables_and_admin(self) -> None:
        self.manage("migrate", "-v0")
        self.manage("createsuperuser", "--noinput", "--username", "admin", "--email", "admin@example.com")

    def manage(self, *arguments: str) -> str:
        """Runs a command of manage.py to its end; its standard output."""
        command = [sys.executable, self._launcher, *arguments]
        with (self.folder / "manage.log").open("ab") as log:
            done = subprocess.run(
                command, cwd=ROOT, env=self.environment, stdout=subprocess.PIPE, stderr=log, check=False
            )
            log.write(done.stdout)
        assert done.returncode == 0, self.logs()[-3000:]
        return done.stdout.decode()

    def report(self) -> dict[str, Any]:
        """The database's books, see report.py."""
        output = self.manage("shell", "-v0", "-c", "from tests.e2e.report import report; report()")
        answer: dict[str, Any] = json.loads(output.splitlines()[-1])
        return answer

    def start_web(self) -> None:
        bind = f"127.0.0.1:{self.port}"
        self._start(
            "web", "gunicorn", "--pythonpath", "platform", "--bind", bind, "--threads", "2", self._application
        )
        wait_until(self.answers, "the web process answers", seconds=30)

    def start_worker(self, name: str = "worker", **settings: str) -> subprocess.Popen[bytes]:
        """In a process group of its own, as a platform would run it."""
        return self._start(name, self._launcher, "worker", **settings)

    def stop(self, name: str, *, seconds: float = 30) -> int:
        """SIGTERM; the exit code."""
        process = self._processes.pop(name)
        process.send_signal(signal.SIGTERM)
        try:
            return process.wait(seconds)
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()

    def stop_all(self) -> None:
        for name in list(self._processes):
            self.stop(name)

    def process(self, name: str) -> subprocess.Popen[bytes]:
        return self._processes[name]

    def reap(self, name: str) -> int:
        """The exit code of one that was ended by other means."""
        return self._processes.pop(name).wait(10)

    def logs(self) -> str:
        return "\n".join(path.read_text(errors="replace") for path in sorted(self.folder.glob("*.log")))

    def _start(self, name: str, *command: str, **settings: str) -> subprocess.Popen[bytes]:
        is_module = not command[0].endswith(".py")
        line = [sys.executable, *(["-m"] if is_module else []), *command]
        with (self.folder / f"{name}.log").open("ab") as log:
            self._processes[name] = subprocess.Popen(
                line,
                cwd=ROOT,
                env=self.environment | settings,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return self._processes[name]

    def answers(self) -> bool:
        with contextlib.suppress(requests.ConnectionError):
            return requests.get(f"{self.url}/admin/login/", timeout=10).status_code == 200
        return False


def copy_tables_and_admin(url: str) -> None:
    """url: of an SQLite file that is not there yet."""
    shutil.copyfile(_prepared_file(), url.removeprefix("sqlite:///"))


@functools.cache
def _prepared_file() -> Path:
    """Made once in a process that runs tests: it takes eight seconds of CPU."""
    folder = Path(tempfile.mkdtemp(prefix="botdesk-"))
    atexit.register(shutil.rmtree, folder)
    file = folder / "desk.sqlite3"
    Desk(folder, f"sqlite:///{file}", {}).make_tables_and_admin()
    return file


def wait_until(look: Callable[[], T], what: str, *, seconds: float = 60, pause: float = 0.2) -> T:
    """Looks again and again until it sees something true; fails with `what` after so many seconds."""
    give_up_at = time.monotonic() + seconds
    while True:
        seen = look()
        if seen:
            return seen
        assert time.monotonic() < give_up_at, f"waited {seconds} s in vain: {what}"
        time.sleep(pause)


@contextlib.contextmanager
def database_for(folder: Path, server: str) -> Iterator[str]:
    """The URL of a fresh database: on PostgreSQL where `server` is the URL of one, or else an SQLite file."""
    if not server.startswith("postgres"):
        yield f"sqlite:///{folder / 'desk.sqlite3'}"
        return
    name = f"desk_{uuid.uuid4().hex[:12]}"
    host = server.rpartition("/")[0]
    _tell(host, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    try:
        yield f"{host}/{name}"
    finally:
        _tell(host, sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def _tell(host: str, statement: sql.Composed) -> None:
    """Over a connection of its own: the server may be restarted between two statements."""
    with psycopg.connect(f"{host}/postgres", autocommit=True) as connection:
        connection.execute(statement)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
