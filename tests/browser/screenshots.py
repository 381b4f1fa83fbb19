"""Pictures of each page, light, dark and on a phone: `make screenshots`, into docs/images/.

A desk of real processes trades with play money meanwhile; its past is planted (history.py).
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

from tests.browser.chromium import find_chromium, open_chromium
from tests.browser.pages import PAGES
from tests.browser.person import Person
from tests.e2e.desk import ROOT, Desk

FOLDER = ROOT / "docs" / "images"
TRADING_MS = 20_000
LOOKS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1440, "height": 900}, "color_scheme": "dark"},
    "phone": {
        "viewport": {"width": 390, "height": 844}, "color_scheme": "light",
        "is_mobile": True, "has_touch": True,
    },
}  # fmt: skip
SETTLED_MS = 1500  # charts have their figures, and the theme its colours


def main(only: list[str]) -> None:
    path = find_chromium()
    if path is None:
        sys.exit("No Chromium is here: `apt-get install chromium`, or name one by CHROMIUM.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, open_chromium(path) as browser:
        desk = Desk(Path(folder), f"sqlite:///{folder}/desk.sqlite3", {}, LOG_LEVEL="INFO", WORKERS="1")
        try:
            _trade_for_a_while(desk)
            for picture in _pictures(browser, desk.url, only):
                sys.stdout.write(f"{picture.stat().st_size // 1000:4} kB  {picture.relative_to(ROOT)}\n")
        finally:
            desk.stop_all()


def _trade_for_a_while(desk: Desk) -> None:
    desk.prepare()
    desk.manage("shell", "-v0", "-c", "from tests.browser.history import plant; plant()")
    desk.start_worker()
    desk.start_web()


def _pictures(browser: Browser, url: str, only: list[str]) -> Iterator[Path]:
    pages = {name: place for name, place in PAGES.items() if not only or name in only}
    for look, window in LOOKS.items():
        person = Person("admin", browser, url, **window)
        person.open("/accounts/login/")
        yield _shot(person, _named("sign-in", look))
        person.sign_in()
        if look == "light":
            person.page.wait_for_timeout(TRADING_MS)
        for name, (path, link) in pages.items():
            person.open_page(path, link)
            yield _shot(person, _named(name, look))
        for trouble in person.leave():
            sys.stderr.write(f"{look}: {trouble}\n")


def _named(page: str, look: str) -> str:
    return page if look == "light" else f"{page}-{look}"


def _shot(person: Person, name: str) -> Path:
    person.page.wait_for_load_state("networkidle")
    person.page.wait_for_timeout(SETTLED_MS)
    path = FOLDER / f"{name}.png"
    person.page.screenshot(path=path, animations="disabled")
    return path


if __name__ == "__main__":
    main(sys.argv[1:])
