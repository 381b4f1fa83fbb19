"""The content security policy, and that no page needs more than it allows."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from django.contrib.auth.models import User
from django.contrib.staticfiles import finders
from django.test import Client
from django.urls import reverse

from bots.models import SpreadBot
from bots.services import start_bot
from tests.desk.second_factors import PASSWORD, a_person, set_up_an_app, sign_in
from tests.desk.two_clients import a_desk_of, browser_of
from tests.test_acting_urls import addresses

pytestmark = [pytest.mark.django_db, pytest.mark.any_database]
# Text for scripts to read, which no browser runs.
DATA = {"application/json"}
LOADS = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src", "form": "action"}
ACCOUNT_PAGES = [
    "mfa_index", "mfa_activate_totp", "mfa_add_webauthn", "mfa_list_webauthn", "account_change_password",
    "account_reauthenticate", "account_logout",
]  # fmt: skip


class _Page(HTMLParser):
    """breaks: what the policy forbids. loads: addresses of what it loads or sends to."""

    def __init__(self) -> None:
        super().__init__()
        self.breaks: list[str] = []
        self.loads: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.breaks += [f"<{tag} {name}>" for name in given if name.startswith("on")]
        self.breaks += [f"{name}={value}" for name, value in given.items() if value.startswith("javascript:")]
        if tag == "script" and "src" not in given and given.get("type") not in DATA:
            self.breaks.append("an inline script")
        if tag == "base":
            self.breaks.append("<base>")
        if tag in LOADS and given.get(LOADS[tag]):
            self.loads.append(given[LOADS[tag]])


def read(html: str) -> _Page:
    page = _Page()
    page.feed(html)
    return page


def foreign(addresses: list[str]) -> list[str]:
    return [address for address in addresses if "//" in address]


@pytest.fixture
def boss() -> User:
    return User.objects.create_superuser("boss", password=PASSWORD)


@pytest.fixture
def bot(boss: User) -> SpreadBot:
    return a_desk_of(boss)


def test_the_policy_is_sent_with_every_page(boss: User) -> None:
    for answer in (Client().get("/accounts/login/"), browser_of(boss).get("/admin/"), Client().get("/no/")):
        parts = dict(
            part.strip().partition(" ")[::2] for part in answer["Content-Security-Policy"].split(";")
        )
        assert parts["default-src"] == "'none'"
        assert parts["script-src"] == "'self' 'unsafe-eval'"
        assert parts["style-src"] == "'self' 'unsafe-inline'"
        assert parts["img-src"] == "'self' data:"
        assert (parts["connect-src"], parts["form-action"]) == ("'self'", "'self'")
        assert (parts["frame-ancestors"], parts["base-uri"]) == ("'none'", "'none'")
        assert answer["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "html",
    ["<script>go()</script>", '<a onclick="go()">', '<a href="javascript:go()">', '<base href="/x/">'],
)
def test_the_reader_of_pages_finds_what_the_policy_forbids(html: str) -> None:
    assert read(html).breaks
    assert not read('<script src="/a.js"></script><script type="application/json">{}</script>').breaks
    assert foreign(read('<img src="https://elsewhere.example/x.png"><img src="/x">').loads)


def pages(browser: Client, bot: SpreadBot) -> Iterator[tuple[str, str]]:
    for address in addresses(bot):
        answer = browser.get(address)
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html"):
            yield address, answer.content.decode()


def test_no_page_of_the_admin_has_a_script_of_its_own_or_loads_from_elsewhere(
    boss: User, bot: SpreadBot
) -> None:
    start_bot(bot=bot, actor=boss)
    seen = dict(pages(browser_of(boss), bot))
    assert len(seen) > 30
    broken = {address: page.breaks for address, html in seen.items() if (page := read(html)).breaks}
    assert broken == {}
    assert {
        address: foreign(read(html).loads) for address, html in seen.items() if foreign(read(html).loads)
    } == {}


def test_what_pages_load_is_there(boss: User, bot: SpreadBot) -> None:
    loaded = {load.split("?")[0] for _, html in pages(browser_of(boss), bot) for load in read(html).loads}
    files = {load.removeprefix("/static/") for load in loaded if load.startswith("/static/")}
    assert len(files) > 10
    assert [file for file in files if not finders.find(file)] == []


def test_the_pages_of_an_account_keep_to_the_policy() -> None:
    a_person()
    browser = Client()
    sign_in(browser)
    browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    set_up_an_app(browser)
    seen = {name: browser.get(reverse(name), follow=True) for name in ACCOUNT_PAGES}
    seen |= {
        "codes": browser.get(reverse("mfa_view_recovery_codes")),
        "login": Client().get("/accounts/login/"),
    }
    waiting = Client()
    sign_in(waiting)
    seen["code"] = waiting.get(reverse("mfa_authenticate"))
    for name, answer in seen.items():
        page = read(answer.content.decode())
        assert (answer.status_code, page.breaks, foreign(page.loads)) == (200, [], []), name
        assert all(
            finders.find(load.removeprefix("/static/")) for load in page.loads if load.startswith("/static/")
        ), name
