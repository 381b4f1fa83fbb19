"""`manage.py quickstart`: the first .env, the demo, and real processes that start and end together."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured

from bots.models import KINDS, Bot
from bots.models.bot import BotState
from bots.validation import warnings_of
from config import demo, dotenv
from config.exclusive import TakenError, only_one, require_free_port
from config.processes import Children
from exchanges.models import ExchangeConnection
from vault.keyring import is_key

ROOT = Path(__file__).resolve().parent.parent.parent
SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]
DEAF = [
    sys.executable,
    "-c",
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(60)",
]


# --- The first .env


@pytest.fixture
def env_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / ".env"
    monkeypatch.setenv("BOTDESK_ENV_FILE", str(file))
    for name in dotenv.KEYS:
        monkeypatch.delenv(name, raising=False)
    return file


def values_in(file: Path) -> dict[str, str]:
    lines = [line for line in file.read_text().splitlines() if line and not line.startswith("#")]
    return dict(line.split("=", 1) for line in lines)


def test_the_first_env_file_has_fresh_keys_and_only_its_owner_reads_it(env_file: Path) -> None:
    assert dotenv.write_if_missing()
    values = values_in(env_file)
    assert len(values["SECRET_KEY"]) >= 50
    assert is_key(values["FIELD_ENCRYPTION_KEYS"])
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
    assert [path.name for path in env_file.parent.iterdir()] == [".env"]


def test_an_env_file_is_never_overwritten(env_file: Path) -> None:
    env_file.write_text("SECRET_KEY=mine\n")
    assert not dotenv.write_if_missing()
    assert env_file.read_text() == "SECRET_KEY=mine\n"


def test_of_two_that_write_at_once_one_wins_and_the_file_is_whole(env_file: Path) -> None:
    wrote: list[bool] = []
    threads = [Thread(target=lambda: wrote.append(dotenv.write_if_missing())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(wrote) == [False] * 7 + [True]
    assert set(values_in(env_file)) == set(dotenv.KEYS)


def test_keys_that_the_environment_has_are_not_written(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "from the platform")
    assert dotenv.write_if_missing()
    assert set(values_in(env_file)) == {"FIELD_ENCRYPTION_KEYS"}


def test_a_folder_that_does_not_exist_is_one_sentence(
    env_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BOTDESK_ENV_FILE", str(env_file.parent / "nowhere" / ".env"))
    with pytest.raises(ImproperlyConfigured, match="cannot be written: No such file or directory"):
        dotenv.write_if_missing()


# --- The demo


def test_the_demo_is_a_running_bot_of_each_kind_on_paper(db: None) -> None:
    password = demo.create_admin()
    demo.create_demo_bots()
    admin, bots = User.objects.get(), [kind.objects.get() for kind in KINDS]
    assert password
    assert admin.check_password(password)
    assert admin.is_superuser
    assert {bot.state for bot in bots} == {BotState.RUNNING}
    connection = ExchangeConnection.objects.get()
    assert {bot.connection for bot in bots} == {connection}
    assert (connection.venue, connection.mode, connection.owner) == ("demo", "paper", admin)


def test_the_demo_has_nothing_that_a_person_is_warned_of(db: None) -> None:
    demo.create_admin()
    demo.create_demo_bots()
    for kind in KINDS:
        assert warnings_of(kind.objects.get()) == ()


def test_a_second_quickstart_creates_nothing_and_leaves_a_stopped_bot_stopped(db: None) -> None:
    demo.create_admin()
    demo.create_demo_bots()
    Bot.objects.update(state=BotState.STOPPED)
    assert demo.create_admin() is None
    demo.create_demo_bots()
    assert User.objects.count() == ExchangeConnection.objects.count() == 1
    assert [bot.state for bot in Bot.objects.all()] == [BotState.STOPPED] * len(KINDS)


# --- What only one may hold


def test_a_second_holder_of_a_lock_is_told_so_until_the_first_lets_go(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        only_one(lock, "mine"),
        pytest.raises(TakenError, match="somebody has it"),
        only_one(lock, "somebody has it"),
    ):
        pytest.fail("two hold the lock")
    with only_one(lock, "mine"):
        pass


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def test_a_port_in_use_is_refused_and_a_free_one_is_not(taken_port: int) -> None:
    with pytest.raises(TakenError, match=f"Port {taken_port} is in use"):
        require_free_port("127.0.0.1", taken_port)
    require_free_port("127.0.0.1", free_port())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- Children


def test_children_that_ended_on_their_own_are_named_with_their_exit_code(tmp_path: Path) -> None:
    children = Children(tmp_path)
    children.start("web", SLEEP)
    children.start("worker", [sys.executable, "-c", "raise SystemExit(7)"])
    while children.first_ended() is None:
        time.sleep(0.02)
    ended = children.first_ended()
    children.stop()
    assert ended is not None
    assert ended.last_words() == "The worker process ended with exit code 7."


def test_a_child_that_does_not_end_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("config.processes.STOP_SECONDS", 0.5)
    children = Children(tmp_path)
    children.start("worker", DEAF)
    time.sleep(0.3)
    children.stop()
    ended = children.first_ended()
    assert ended is not None
    assert ended.last_words() in {
        "The worker process was ended by signal 9.",
        "The worker process was ended by signal 15.",  # it was asked before it could stop listening
    }


# --- The command, as a person runs it


def quickstart(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    kept = {name: value for name, value in os.environ.items() if name not in {*dotenv.KEYS, "REDIS_URL"}}
    return subprocess.Popen(
        [sys.executable, str(ROOT / "manage.py"), "quickstart", *arguments],
        cwd=folder,
        env=kept
        | {
            "BOTDESK_ENV_FILE": str(folder / ".env"),
            "DATABASE_URL": f"sqlite:///{folder}/desk.sqlite3",
            "DJANGO_SETTINGS_MODULE": "config.settings",
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def read_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout is not None
    read = ""
    for line in process.stdout:
        read += line
        if words in line:
            return read
    pytest.fail(f"it ended before it said {words!r}:\n{read}")


@pytest.mark.e2e
def test_quickstart_runs_web_and_worker_and_ends_both_at_ctrl_c(tmp_path: Path) -> None:
    port = free_port()
    process = quickstart(tmp_path, "--port", str(port))
    said = read_until(process, "Ctrl-C ends everything")
    second, _ = quickstart(tmp_path, "--port", str(free_port())).communicate(timeout=60)
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)

    assert f"http://127.0.0.1:{port}/admin/" in said
    assert "A quickstart runs in" in second
    assert process.returncode == 0, rest
    assert "Traceback" not in said + second + rest
    require_free_port("127.0.0.1", port)


@pytest.mark.e2e
def test_quickstart_on_a_port_in_use_says_so_and_starts_nothing(tmp_path: Path, taken_port: int) -> None:
    process = quickstart(tmp_path, "--port", str(taken_port))
    said, _ = process.communicate(timeout=60)
    assert process.returncode != 0
    assert f"Port {taken_port} is in use" in said
    assert "Traceback" not in said
    assert not (tmp_path / "desk.sqlite3").exists()


@pytest.mark.e2e
@pytest.mark.parametrize("after_seconds", [0.05, 0.15, 0.2, 0.3, 0.8, 1.5])
def test_ctrl_c_at_any_moment_leaves_no_traceback(tmp_path: Path, after_seconds: float) -> None:
    process = quickstart(tmp_path, "--port", str(free_port()))
    time.sleep(after_seconds)
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    assert "Traceback" not in said
    # Before there is anything to end, it ends by the signal.
    assert process.returncode in {0, 130, -signal.SIGINT}, said
    assert not list(tmp_path.glob(".env-*"))


@pytest.mark.e2e
def test_ctrl_c_before_the_greeting_still_tells_the_password(tmp_path: Path) -> None:
    process = quickstart(tmp_path, "--port", str(free_port()))
    stored = wait_for_the_administrator(tmp_path / "desk.sqlite3")
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=60)
    told = re.search(r"password\s+(\S+)", said)
    assert told, said
    assert PBKDF2PasswordHasher().verify(told.group(1), stored)


def wait_for_the_administrator(file: Path) -> str:
    """The hash of its password, as soon as there is one."""
    give_up_at = time.monotonic() + 60
    while time.monotonic() < give_up_at:
        with contextlib.suppress(sqlite3.OperationalError), contextlib.closing(sqlite3.connect(file)) as desk:
            for (stored,) in desk.execute("SELECT password FROM auth_user"):
                return str(stored)
        time.sleep(0.01)
    pytest.fail("no administrator was created")


@pytest.mark.e2e
def test_a_terminal_that_is_closed_leaves_nothing_running(tmp_path: Path) -> None:
    port = free_port()
    process = quickstart(tmp_path, "--port", str(port))
    read_until(process, "Ctrl-C ends everything")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    assert process.stdout is not None
    process.stdout.close()
    process.send_signal(signal.SIGHUP)
    process.wait(timeout=60)
    assert len(children) == 2
    assert not [child for child in children if Path(f"/proc/{child}").exists()]
    require_free_port("127.0.0.1", port)
