"""Signing in with a real browser: password, app, passkey; and the content policy as the browser sees it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Error, Page, expect, sync_playwright

from tests.desk.second_factors import code_of
from tests.e2e.desk import ADMIN_PASSWORD, Desk

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or ""
PAGES = [
    "/admin/", "/admin/bots/spreadbot/", "/admin/bots/spreadbot/add/", "/admin/bots/scalperbot/add/",
    "/admin/bots/order/", "/admin/exchanges/exchangeconnection/", "/admin/exchanges/exchangeconnection/add/",
    "/admin/audit/auditentry/", "/admin/auth/user/", "/admin/auth/user/1/change/", "/admin/auth/user/add/",
    "/accounts/2fa/", "/accounts/password/change/", "/accounts/logout/",
]  # fmt: skip
AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium here: `apt-get install chromium` brings one"),
]


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    folder = tmp_path_factory.mktemp("people")
    desk = Desk(folder, f"sqlite:///{folder}/desk.sqlite3", {})
    desk.prepare()
    desk.start_web()
    yield desk
    desk.stop_all()


class Complaints:
    """What the browser says of a page, and whatever it asks of another host."""

    def __init__(self, page: Page) -> None:
        self.told: list[str] = []
        page.on("console", lambda said: self.told.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: self.told.append(str(error)))
        page.on("request", lambda request: self._look(request.url))

    def _look(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "localhost":
            self.told.append(f"asked {url}")


@pytest.fixture
def page(desk: Desk) -> Iterator[Page]:
    """A passkey is bound to a name, so the desk is called localhost here."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        context = browser.new_context(base_url=f"http://localhost:{desk.port}")
        yield context.new_page()
        browser.close()


@pytest.fixture
def complaints(page: Page) -> Complaints:
    return Complaints(page)


def sign_in(page: Page) -> None:
    page.goto("/admin/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def test_the_browser_has_nothing_to_complain_of_on_any_main_page(page: Page, complaints: Complaints) -> None:
    sign_in(page)
    expect(page).to_have_url("/admin/")
    for path in PAGES:
        page.goto(path)
        page.wait_for_load_state("networkidle")
        assert complaints.told == [], path


def test_a_script_that_somebody_brought_into_a_page_does_not_run(page: Page, complaints: Complaints) -> None:
    sign_in(page)
    expect(page).to_have_url("/admin/")
    with pytest.raises(Error):
        page.add_script_tag(content="window.taken = 1")
    with pytest.raises(Error):
        page.add_script_tag(url="https://elsewhere.example/x.js")
    assert page.evaluate("window.taken") is None
    assert any("Content Security Policy" in said for said in complaints.told)


def test_an_app_and_a_passkey_are_set_up_and_open_the_desk(page: Page, complaints: Complaints) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    sign_in(page)

    page.goto("/accounts/2fa/totp/activate/")
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.get_by_role("button", name="Confirm").click()
    secret = page.locator("#authenticator_secret").input_value()
    page.get_by_label("Authenticator code").fill(code_of(secret))
    page.get_by_role("button", name="Activate").click()
    expect(page.get_by_label("Unused codes")).to_be_visible()

    page.goto("/accounts/2fa/webauthn/add/")
    page.get_by_label("Name").fill("Laptop")
    page.get_by_label("Passwordless").check()
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_text("You have added 1 security key")).to_be_visible()

    page.context.clear_cookies()
    sign_in(page)
    expect(page).to_have_url("/accounts/2fa/authenticate/")
    page.goto("/admin/")
    expect(page).to_have_url("/accounts/2fa/authenticate/")
    page.get_by_role("button", name="Use a security key").click()
    expect(page).to_have_url("/admin/")

    page.context.clear_cookies()
    page.goto("/admin/")
    expect(page).to_have_url("/accounts/login/?next=/admin/")
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page).to_have_url("/admin/")
    assert complaints.told == []
