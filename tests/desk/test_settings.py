"""Each mistake in the settings is one sentence that says the fix and holds no secret."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.core.checks import CheckMessage, run_checks
from django.core.exceptions import ImproperlyConfigured
from django.db import OperationalError, ProgrammingError
from django.test import override_settings

from config import boot, environment
from config.checks import (
    check_debug_is_local,
    check_disk_is_kept,
    check_redis_url,
    check_secret_key,
    check_sentry_dsn,
)

ROOT = Path(__file__).resolve().parent.parent.parent
STRONG = "0123456789abcdefghijklmnopqrstuvwxyz0123456789abcdefghijklmnopqrstuvwxyz"
FIELD_KEY = "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE="
POSTGRES = {"ENGINE": "django.db.backends.postgresql", "NAME": "desk", "HOST": "db"}
SQLITE = {"ENGINE": "django.db.backends.sqlite3", "NAME": "desk.sqlite3"}


# --- Reading


def database(url: str, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    monkeypatch.setenv("DATABASE_URL", url)
    return environment.database("DATABASE_URL", folder=Path("/desk"))


@pytest.mark.parametrize(
    ("url", "file"),
    [
        ("", "/desk/botdesk.sqlite3"),
        ("sqlite:///here.sqlite3", "/desk/here.sqlite3"),
        ("sqlite:////data/there.sqlite3", "/data/there.sqlite3"),
    ],
)
def test_sqlite_files_do_not_depend_on_where_a_process_was_started(
    url: str, file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert database(url, monkeypatch)["NAME"] == file


def test_a_postgresql_url_is_read_with_its_password_and_options(monkeypatch: pytest.MonkeyPatch) -> None:
    read = database("postgres://me:p%40ss%2Fword@db:6543/desk?sslmode=require", monkeypatch)
    assert read["ENGINE"] == "django.db.backends.postgresql"
    assert (read["USER"], read["PASSWORD"], read["HOST"], read["PORT"]) == ("me", "p@ss/word", "db", 6543)
    assert (read["NAME"], read["OPTIONS"]) == ("desk", {"sslmode": "require"})


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("mysql://me:hunter2-canary@db/desk", "begins with mysql://"),
        ("hunter2-canary", "is not a URL"),
        ("postgres://me:hunter2/canary@db:5432/desk", "%XX"),
        ("postgres://me:hunter2-canary@db:port/desk", "cannot be read"),
        ("postgres://me:hunter2-canary@db", "names no database"),
        ("sqlite://:memory:", "cannot be read"),
        ("sqlite:///", "names no file"),
        ("sqlite://desk.sqlite3", "names no file"),
    ],
)
def test_a_wrong_database_url_is_one_sentence_without_its_password(
    url: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(ImproperlyConfigured) as caught:
        database(url, monkeypatch)
    assert str(caught.value).startswith("DATABASE_URL ")
    assert sentence in str(caught.value)
    assert "canary" not in str(caught.value)


READERS: list[tuple[Callable[[], Any], str]] = [
    (lambda: environment.flag("X", default=False), "maybe"),
    (lambda: environment.whole_number("X", 1), "zwei"),
    (lambda: environment.whole_number("X", 1), "0"),
    (lambda: environment.whole_number("X", 1), "²"),
    (lambda: environment.choice("X", "INFO", ("DEBUG", "INFO")), "LOUD"),
    (lambda: environment.required("X", "set it."), ""),
]


@pytest.mark.parametrize(("read", "value"), READERS)
def test_a_value_that_is_not_understood_is_never_guessed(
    read: Callable[[], Any], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("X", value)
    with pytest.raises(ImproperlyConfigured, match=r"^X is "):
        read()


def test_words_are_read_between_commas_without_spaces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", " a, b ,,c ")
    assert environment.words("X") == ["a", "b", "c"]


@pytest.mark.parametrize(("value", "read"), [("True", True), ("on", True), ("no", False), ("", False)])
def test_flags_are_read_as_people_write_them(value: str, read: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("X", value)
    assert environment.flag("X", default=not read) is read


# --- Checks


def ids(messages: list[CheckMessage]) -> list[str | None]:
    assert all(message.hint for message in messages)
    return [message.id for message in messages]


@pytest.mark.parametrize("key", ["short", "x" * 60, "django-insecure-" + STRONG])
def test_a_weak_secret_key_is_an_error_unless_debug_is_on(key: str) -> None:
    with override_settings(SECRET_KEY=key, DEBUG=False):
        assert ids(check_secret_key()) == ["config.E001"]
    with override_settings(SECRET_KEY=key, DEBUG=True):
        assert ids(check_secret_key()) == []
    with override_settings(SECRET_KEY=STRONG, DEBUG=False):
        assert ids(check_secret_key()) == []


@pytest.mark.parametrize("host", ["desk.example.com", "*", "10.0.0.7"])
def test_debug_on_a_public_host_is_an_error(host: str) -> None:
    with override_settings(DEBUG=True, ALLOWED_HOSTS=["localhost", host]):
        assert ids(check_debug_is_local()) == ["config.E002"]
    with override_settings(DEBUG=False, ALLOWED_HOSTS=[host]):
        assert ids(check_debug_is_local()) == []
    with override_settings(DEBUG=True, ALLOWED_HOSTS=["localhost", "127.0.0.1"]):
        assert ids(check_debug_is_local()) == []


@pytest.mark.parametrize(
    "url", ["localhost:6379", "http://localhost", "redis://", "redis://host:port", "redis://h:0"]
)
def test_a_redis_url_that_names_no_server_is_an_error(url: str) -> None:
    with override_settings(REDIS_URL=url):
        assert ids(check_redis_url()) == ["config.E003"]


@pytest.mark.parametrize("url", ["", "redis://h", "rediss://:p@h:6380/1", "unix:///run/redis.sock"])
def test_a_good_redis_url_passes(url: str) -> None:
    with override_settings(REDIS_URL=url):
        assert ids(check_redis_url()) == []


@pytest.mark.parametrize(
    "dsn",
    ["canary", "https://sentry.example.com/7", "https://canary@sentry.example.com", "ftp://canary@host/7"],
)
def test_a_sentry_dsn_that_names_no_project_is_an_error_and_is_not_shown(dsn: str) -> None:
    with override_settings(SENTRY_DSN=dsn):
        (error,) = check_sentry_dsn()
    assert error.id == "config.E005"
    assert "canary" not in f"{error.msg} {error.hint}"


@pytest.mark.parametrize("dsn", ["", "https://0a1b2c3d@o4711.ingest.sentry.io/4711"])
def test_a_good_sentry_dsn_passes(dsn: str) -> None:
    with override_settings(SENTRY_DSN=dsn):
        assert check_sentry_dsn() == []


@pytest.mark.parametrize("variable", ["DYNO", "RAILWAY_ENVIRONMENT"])
def test_sqlite_on_a_disk_that_is_lost_is_a_warning(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", SQLITE)
    assert ids(check_disk_is_kept()) == []
    monkeypatch.setenv(variable, "web.1")
    assert ids(check_disk_is_kept()) == ["config.W004"]
    monkeypatch.setitem(settings.DATABASES, "default", POSTGRES)
    assert ids(check_disk_is_kept()) == []


def test_the_checks_run_at_boot_and_with_all_others() -> None:
    with override_settings(SECRET_KEY="short", FIELD_ENCRYPTION_KEYS=[], REDIS_URL="x", DEBUG=False):
        serious = {message.id for message in run_checks()} & {"config.E001", "config.E003", "vault.E001"}
        sentences = boot.wrong_settings()
    assert len(serious) == 3
    assert len(sentences) == 3


# --- What stops a process


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("no such table: auth_user", "manage.py migrate"),
        ("database is locked", "is busy"),
        ('connection failed: FATAL:\n\tpassword authentication failed for user "me"', "correct DATABASE_URL"),
        ('FATAL: database "desk" does not exist', "correct DATABASE_URL"),
        ("postgres://me:hunter2-canary@db/desk refused", "cannot be reached"),
    ],
)
def test_what_the_database_says_is_one_line_that_says_what_to_do(
    said: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", POSTGRES)
    sentence = boot.explain(OperationalError(said))
    assert sentence is not None
    assert told in sentence
    assert "\n" not in sentence
    assert "canary" not in sentence


REFUSED = (
    'connection failed: connection to server at "127.0.0.1", port 5999 failed: Connection refused\n'
    "\tIs the server running on that host and accepting TCP/IP connections?"
)


@pytest.mark.parametrize(
    ("said", "end"),
    [
        (REFUSED, "connection refused. Start its server, or correct DATABASE_URL."),
        (f"Multiple connection attempts failed. All failures were:\n- {REFUSED}\n- {REFUSED}",
         "cannot be reached: connection refused. Start its server, or correct DATABASE_URL."),
        ('connection failed: x failed: FATAL:  database "desk" does not exist',
         'database "desk" does not exist. Create it, or correct DATABASE_URL.'),
        ('connection failed: x failed: FATAL:  role "me" does not exist',
         'role "me" does not exist. Create that user, or correct DATABASE_URL.'),
        ('connection failed: x failed: FATAL:  password authentication failed for user "me"',
         'password authentication failed for user "me". Correct the password, or correct DATABASE_URL.'),
        ("failed to resolve host 'nohost': [Errno -2] Name or service not known",
         "Name or service not known. Check the name of its host, or correct DATABASE_URL."),
        ("unable to open database file",
         "Make its folder and allow writing there, or correct DATABASE_URL."),
    ],
)  # fmt: skip
def test_each_reason_why_a_database_is_out_of_reach_has_its_own_fix(
    said: str, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.DATABASES, "default", POSTGRES)
    sentence = boot.explain(OperationalError(said)) or ""
    assert sentence.startswith("The database “desk” at db")
    assert sentence.endswith(end)


@pytest.mark.parametrize("command", ["migrate", "quickstart"])
def test_a_wrong_setting_is_one_line_before_anything_is_written(command: str) -> None:
    ended = start("manage.py", command, FIELD_ENCRYPTION_KEYS="canary")
    assert ended.returncode == 2
    assert ended.stderr.count("\n") == 1
    assert ended.stderr.startswith("Key 1 of FIELD_ENCRYPTION_KEYS is not a Fernet key.")
    assert "canary" not in ended.stderr


def test_a_missing_table_on_postgresql_says_migrate_and_a_wrong_statement_is_no_setting() -> None:
    missing = ProgrammingError('relation "auth_user" does not exist LINE 1: SELECT')
    assert "manage.py migrate" in (boot.explain(missing) or "")
    assert boot.explain(ProgrammingError("syntax error at or near FROM")) is None
    assert boot.explain(ValueError("a defect")) is None


def start(*command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    good = {"SECRET_KEY": STRONG, "FIELD_ENCRYPTION_KEYS": FIELD_KEY, "BOTDESK_ENV_FILE": os.devnull}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], **good, **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


UNREACHABLE = "postgres://me:hunter2-canary@127.0.0.1:1/desk"
BOOTS = {
    "no SECRET_KEY": (["manage.py", "check"], {"SECRET_KEY": ""}, "SECRET_KEY is not set"),
    "wrong DATABASE_URL": (
        ["manage.py", "migrate"],
        {"DATABASE_URL": "mysql://u:canary@h/d"},
        "begins with mysql",
    ),
    "unreachable": (["manage.py", "migrate"], {"DATABASE_URL": UNREACHABLE}, "cannot be reached"),
    "a server": (["manage.py", "runserver"], {"DATABASE_URL": UNREACHABLE}, "cannot be reached"),
    "wrong proxy": (
        ["manage.py", "check"],
        {"QUOTAGUARDSTATIC_URL": "ftp://u:canary-password@h.example:21"},
        "QUOTAGUARDSTATIC_URL is not the address of a proxy",
    ),
    "a dry run or not": (
        ["manage.py", "worker"],
        {"DRY_RUN": "maybe"},
        "DRY_RUN is 'maybe': write true or false.",
    ),
    "a warning or not": (
        ["manage.py", "check"],
        {"SUPPRESS_SINGLE_EXCHANGE_WARNING": "2"},
        "SUPPRESS_SINGLE_EXCHANGE_WARNING is '2': write true or false.",
    ),
    "no field keys": (
        ["manage.py", "worker"],
        {"FIELD_ENCRYPTION_KEYS": ""},
        "FIELD_ENCRYPTION_KEYS is not set",
    ),
}


@pytest.mark.parametrize(("command", "variables", "sentence"), BOOTS.values(), ids=BOOTS)
def test_a_command_with_wrong_settings_ends_with_one_sentence(
    command: list[str], variables: dict[str, str], sentence: str
) -> None:
    ended = start(*command, **variables)
    assert ended.returncode == 2
    assert sentence in ended.stderr
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr + ended.stdout


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DATABASE_URL": UNREACHABLE}, "cannot be reached"),
        ({"FIELD_ENCRYPTION_KEYS": "canary"}, "is not a Fernet key"),
        ({"SECRET_KEY": ""}, "SECRET_KEY is not set"),
        ({"QUOTAGUARDSTATIC_URL": "h.example:9293"}, "QUOTAGUARDSTATIC_URL is not the address of a proxy"),
    ],
)
def test_the_web_process_with_wrong_settings_says_so_and_does_not_try_again(
    variables: dict[str, str], sentence: str
) -> None:
    options = ["--pythonpath=platform", "--config=platform/config/gunicorn.py", "--bind=127.0.0.1:0"]
    ended = start("-m", "gunicorn", *options, "config.wsgi", **variables)
    assert ended.returncode == 4
    assert ended.stderr.count(sentence) == 1
    assert "Traceback" not in ended.stderr
    assert "canary" not in ended.stderr + ended.stdout


def test_the_password_of_the_desks_proxy_is_masked_from_the_start() -> None:
    script = (
        "import sys; sys.path.insert(0, 'platform')\n"
        "import os; os.environ['DJANGO_SETTINGS_MODULE'] = 'config.settings'\n"
        "import django; django.setup()\n"
        "from django.conf import settings; from vault.redaction import redact\n"
        "print(settings.DEFAULT_PROXY, redact('p@ss:w/rd%#1-canary p%40ss%3Aw%2Frd%25%231-canary'))\n"
    )
    url = "https://quota:p%40ss%3Aw%2Frd%25%231-canary@h.example:9294"
    ended = start("-c", script, QUOTAGUARDSTATIC_URL=url)
    assert (ended.returncode, ended.stderr) == (0, "")
    assert "https://h.example:9294" in ended.stdout
    assert ended.stdout.endswith(" *** ***\n")


def test_a_new_key_is_printed_before_there_are_any_settings() -> None:
    ended = start("manage.py", "rotate_secrets", "--new-key", SECRET_KEY="", FIELD_ENCRYPTION_KEYS="")
    assert ended.returncode == 0
    assert len(ended.stdout.strip()) == 44


def test_a_desk_behind_https_passes_djangos_checks_for_deployment() -> None:
    checked = start(
        "manage.py",
        "check",
        "--deploy",
        HTTPS_ONLY="true",
        REQUIRE_MFA="staff",
        ALLOWED_HOSTS="desk.example.com",
    )
    assert "no issues" in checked.stdout + checked.stderr


def test_a_desk_without_an_env_file_says_nothing_of_it(tmp_path: Path) -> None:
    checked = start("manage.py", "check", BOTDESK_ENV_FILE=str(tmp_path / "none"))
    assert (checked.returncode, checked.stderr) == (0, "")


def test_a_deploy_without_a_second_factor_is_warned_of() -> None:
    checked = start("manage.py", "check", "--deploy", HTTPS_ONLY="true", ALLOWED_HOSTS="desk.example.com")
    assert checked.stderr.count("(config.") == 1
    assert "a stolen password is enough" in checked.stderr
    assert "REQUIRE_MFA=staff" in checked.stderr


def test_a_wrong_word_for_who_needs_a_second_factor_is_said_at_boot() -> None:
    checked = start("manage.py", "check", REQUIRE_MFA="sometimes")
    assert checked.returncode != 0
    assert "REQUIRE_MFA is 'SOMETIMES': write one of OFF, STAFF, ALL." in checked.stderr
