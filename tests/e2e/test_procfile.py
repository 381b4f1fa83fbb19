"""The Procfile's lines as Heroku runs them, from the release to a bot's first fill and a SIGTERM to all."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.chaos.servers import NoServerError, own_servers
from tests.e2e.books import books_agree, of_connection
from tests.e2e.browser import Browser
from tests.e2e.desk import ADMIN_PASSWORD, ENCRYPTION_KEY, ROOT, database_for, free_port, wait_until
from tests.e2e.heroku import HOST, Dyno, Router, config_vars, procfile, shut_down
from tests.e2e.operator import log_in
from tests.e2e.story import ACCOUNT, Day
from tests.lab.control import Control, LabProcess
from tests.spec.stands import STANDS

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300)]
if not Path("/proc/self").exists():
    pytest.skip("The processes of a dyno are found in /proc.", allow_module_level=True)

ENTRANCE = ROOT / "tests" / "lab" / "entrance"
PUBLIC = f"https://{HOST}"
PROBES = ("/livez", "/readyz", "/healthz")
REPORT = "python manage.py shell -v0 -c 'from tests.e2e.report import report; report()'"
CREATE_ADMIN = "python manage.py createsuperuser --noinput --username admin --email admin@example.com"


@dataclass
class Evening:
    """What is left when all dynos have ended. seconds: how long that took; traded: the books before;
    probes: how each was answered."""

    day: Day
    seconds: float
    traded: dict[str, Any] = field(repr=False)
    books: dict[str, Any] = field(repr=False)
    logs: dict[str, str] = field(repr=False)
    redirect: requests.Response = field(repr=False)
    probes: dict[str, int]


class Heroku:
    """An app with its config vars, in `folder`."""

    def __init__(self, folder: Path, variables: dict[str, str]) -> None:
        self.folder = folder
        self.port = free_port()
        self._variables = variables
        self.dynos: dict[str, Dyno] = {}

    def start(self, name: str) -> None:
        self.dynos[name] = self._dyno(name, procfile()[name], PORT=str(self.port))
        self.dynos[name].start()

    def run(self, line: str) -> str:
        """In a dyno of its own, to its end: what it says."""
        dyno = self._dyno(f"run-{secrets.token_hex(4)}", line)
        assert dyno.run() == 0, dyno.log.read_text()
        return dyno.log.read_text()

    def report(self) -> dict[str, Any]:
        books: dict[str, Any] = json.loads(self.run(REPORT).splitlines()[-1])
        return books

    def logs(self) -> dict[str, str]:
        return {name: dyno.log.read_text() for name, dyno in self.dynos.items()}

    def _dyno(self, name: str, line: str, **more: str) -> Dyno:
        return Dyno(name, line, self._variables | more, self.folder / f"{name}.log")


@pytest.fixture(scope="module")
def addons(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """DATABASE_URL and REDIS_URL: those of the environment; else of servers of the test's own, where their
    programs are; else SQLite alone."""
    given = {name: os.environ.get(name, "") for name in ("DATABASE_URL", "REDIS_URL")}
    with ExitStack() as stack:
        if not given["DATABASE_URL"]:
            try:
                own = stack.enter_context(own_servers())
                given = {"DATABASE_URL": own.postgres.url, "REDIS_URL": own.redis.url}
            except NoServerError:
                given["REDIS_URL"] = ""
        folder = tmp_path_factory.mktemp("database")
        url = stack.enter_context(database_for(folder, given["DATABASE_URL"]))
        yield given | {"DATABASE_URL": url}


@pytest.fixture(scope="module")
def evening(addons: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Evening]:
    lab = LabProcess()
    with lab as control:
        variables = config_vars(
            BOTDESK_ENV_FILE=os.devnull, SECRET_KEY=secrets.token_urlsafe(50), ALLOWED_HOSTS=HOST,
            FIELD_ENCRYPTION_KEYS=ENCRYPTION_KEY, CSRF_TRUSTED_ORIGINS=PUBLIC, HTTPS_ONLY="true",
            LOG_FORMAT="json", SHIFT_SECONDS="5", DJANGO_SUPERUSER_PASSWORD=ADMIN_PASSWORD,
            PYTHONPATH=str(ENTRANCE), **lab.environment, **addons,
        )  # fmt: skip
        heroku = Heroku(tmp_path_factory.mktemp("dynos"), variables)
        try:
            yield lived(heroku, control)
        finally:
            shut_down(*heroku.dynos.values())


def lived(heroku: Heroku, control: Control) -> Evening:
    """Release, an admin, web and worker; an operator's day until the first fill; the end of all dynos."""
    heroku.run(procfile()["release"])
    heroku.run(CREATE_ADMIN)
    heroku.start("web")
    heroku.start("worker")
    browser = open_browser(heroku.port)
    day = Day(next(stand for stand in STANDS if stand.venue == "binance"), control.at("binance"), browser)
    day.prepare()
    day.connect()
    day.start_bots()
    day.quoted()
    day.filled_in_part()
    traded = wait_until(lambda: with_trades(heroku), "the desk has its first fill on record")
    redirect = asked_in_plain(heroku.port, "/admin/")
    probes = {path: asked_in_plain(heroku.port, path).status_code for path in PROBES}
    seconds = shut_down(*heroku.dynos.values())
    browser.close()
    return Evening(day, seconds, traded, heroku.report(), heroku.logs(), redirect, probes)


def with_trades(heroku: Heroku) -> dict[str, Any]:
    books = heroku.report()
    return books if books["trades"] else {}


def open_browser(port: int) -> Browser:
    browser = Browser(PUBLIC)
    browser._session.mount(PUBLIC, Router(port))
    wait_until(lambda: answers(browser), "the web dyno answers", seconds=60)
    log_in(browser)
    return browser


def answers(browser: Browser) -> bool:
    try:
        return browser.open("/admin/login/").status == 200
    except requests.ConnectionError:
        return False


def asked_in_plain(port: int, path: str) -> requests.Response:
    with requests.Session() as session:
        session.mount("http://", Router(port, scheme="http"))
        return session.get(f"http://{HOST}{path}", allow_redirects=False, timeout=10)


def test_the_procfile_has_the_three_types_that_this_test_runs() -> None:
    assert procfile().keys() == {"release", "web", "worker"}


def test_a_bot_has_its_first_fill(evening: Evening) -> None:
    assert len(evening.traded["trades"]) == 1
    assert {row["lease_owner"] for row in evening.traded["connections"]} != {None}


def test_every_process_ends_by_itself_within_the_grace_time(evening: Evening) -> None:
    assert evening.seconds < 30
    assert "The worker has stopped." in evening.logs["worker"]
    assert "ended by force" not in evening.logs["worker"]


def test_the_lease_is_returned_and_the_bots_are_left_as_they_are_wanted(evening: Evening) -> None:
    assert {row["lease_owner"] for row in evening.books["connections"]} == {None}
    assert {bot["state"] for bot in evening.books["bots"]} == {"running"}


def test_every_order_is_cancelled_and_the_books_are_the_venues(evening: Evening) -> None:
    assert evening.day.venue.open_orders(account=ACCOUNT) == []
    books_agree(of_connection(evening.books, evening.day.connection), evening.day.venue, ACCOUNT)


def test_pages_are_https_only(evening: Evening) -> None:
    assert evening.redirect.status_code == 301
    assert evening.redirect.headers["Location"] == f"{PUBLIC}/admin/"
    assert evening.redirect.headers["X-Request-ID"] == "router-4711-0123456789"


def test_a_platforms_probes_are_answered_without_tls(evening: Evening) -> None:
    assert evening.probes == dict.fromkeys(PROBES, 200)


def test_log_lines_are_json_and_hold_no_secret(evening: Evening) -> None:
    lines = [line for line in "".join(evening.logs.values()).splitlines() if line.startswith("{")]
    assert lines
    assert all({"timestamp", "level", "logger", "message"} <= json.loads(line).keys() for line in lines)
    login = evening.day.login
    said = "".join(evening.logs.values())
    assert [name for name in ("key", "secret") if login[name] in said] == []
