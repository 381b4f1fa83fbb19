"""One desk and one Chromium for all that is looked at here, and a window that tells of what goes wrong.

The plugin's own fixtures live as long as the session, and with them an event loop in its thread, under which
no test with a loop of its own could run. Ours end with this folder.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.chromium import find_chromium, open_chromium
from tests.browser.person import Person
from tests.e2e.desk import Desk, database_for

OpenWindow = Callable[..., Person]


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    path = find_chromium()
    if path is None:
        pytest.skip("No Chromium is here: `apt-get install chromium`, or name one by CHROMIUM.")
    with open_chromium(path) as browser:
        yield browser


@pytest.fixture(scope="package")
def desk(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """Its people and what a client has are those of planting.py; it trades with play money."""
    folder = tmp_path_factory.mktemp("desk")
    with database_for(folder, os.environ.get("DATABASE_URL", "")) as url:
        desk = Desk(folder, url, {}, LOG_LEVEL="INFO", WORKERS="1")
        try:
            desk.prepare()
            desk.manage("shell", "-v0", "-c", "from tests.browser.planting import plant; plant()")
            desk.start_worker()
            desk.start_web()
            yield desk
        finally:
            desk.stop_all()


@pytest.fixture
def open_window(desk: Desk, chromium: Browser) -> Iterator[OpenWindow]:
    """Opens a window of its own for a person by name. At the end nothing may have gone wrong in any.

    host: the desk's name in it; a passkey is bound to a name, not to an address.
    """
    people: list[Person] = []

    def open_window(name: str, host: str = "127.0.0.1") -> Person:
        people.append(Person(name, chromium, f"http://{host}:{desk.port}"))
        return people[-1]

    yield open_window
    troubles = {person.name: person.leave() for person in people}
    assert not any(troubles.values()), troubles
