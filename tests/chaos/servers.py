"""PostgreSQL and Redis of a run's own, which it may stop, crash and start as it likes."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import redis

from tests.e2e.desk import free_port

START_SECONDS = 30
DEBIAN = "/usr/lib/postgresql"  # where Debian keeps what is not on the path


class NoServerError(Exception):
    """The programs of a server are not on this machine; the text names one."""


@dataclass(frozen=True)
class Servers:
    """Both, running."""

    postgres: Postgres
    redis: Redis


@contextmanager
def own_servers() -> Iterator[Servers]:
    """Raises NoServerError."""
    with ExitStack() as stack:
        postgres, broker = Postgres(), Redis()
        for server in (postgres, broker):
            stack.callback(server.remove)
            server.start()
        yield Servers(postgres, broker)


class Server:
    """A program with a folder and a port of its own. killed_by: what it cannot overlook."""

    killed_by = signal.SIGKILL

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix="botdesk-server-"))
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = self._open()
        until = time.monotonic() + START_SECONDS
        while not self._answers():
            if time.monotonic() > until:
                raise NoServerError(f"{type(self).__name__} did not start: see {self.folder}/log")
            time.sleep(0.05)

    def restart(self, outage_seconds: float, *, stop_by: signal.Signals) -> None:
        self.stop(stop_by)
        time.sleep(outage_seconds)
        self.start()

    def stop(self, by: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        self.stop(self.killed_by)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _open(self) -> subprocess.Popen[bytes]:
        raise NotImplementedError

    def _answers(self) -> bool:
        raise NotImplementedError


class Postgres(Server):
    """SIGINT stops it in order, SIGQUIT is a crash: it recovers from its log when it starts again."""

    killed_by = signal.SIGQUIT  # SIGKILL would leave its children behind

    def __init__(self) -> None:
        super().__init__()
        self._user = "postgres" if os.geteuid() == 0 else None  # it does not run as root
        if self._user:
            shutil.chown(self.folder, self._user)
        arguments = ["-D", str(self._data), "-U", "postgres", "-A", "trust", "--no-sync"]
        subprocess.run(
            [_program("initdb"), *arguments], user=self._user, cwd="/", check=True, stdout=subprocess.DEVNULL
        )

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _open(self) -> subprocess.Popen[bytes]:
        settings = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "fsync": "off"}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [_program("postgres"), "-D", str(self._data), "-p", str(self.port), *options]
        with (self.folder / "log").open("ab") as log:
            return subprocess.Popen(command, user=self._user, cwd="/", stdout=log, stderr=log)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True


class Redis(Server):
    """It keeps nothing: what was queued is lost with it."""

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def _open(self) -> subprocess.Popen[bytes]:
        options = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            command = [_program("redis-server"), "--port", str(self.port), *options]
            return subprocess.Popen(command, stdout=log, stderr=log)

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url, socket_timeout=2) as client:
                return bool(client.ping())
        except redis.ConnectionError:
            return False


def _program(name: str) -> str:
    found = shutil.which(name) or next(map(str, sorted(Path(DEBIAN).glob(f"*/bin/{name}"))), None)
    if found is None:
        raise NoServerError(f"There is no {name} on this machine: install PostgreSQL and Redis.")
    return found
