"""Signing in, in a real browser, by password, app and passkey; and what its windows tell of."""

from __future__ import annotations

import pytest
from playwright.sync_api import Error, expect

from tests.browser.conftest import OpenWindow
from tests.browser.pages import EMPTY_LISTS, PAGES
from tests.desk.authenticator import next_code_of

AUTHENTICATOR = {
    "protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True,
    "isUserVerified": True, "automaticPresenceSimulation": True,
}  # fmt: skip
pytestmark = [pytest.mark.e2e, pytest.mark.browser, pytest.mark.timeout(300)]


def test_an_app_is_set_up_and_asked_for_at_the_next_sign_in(open_window: OpenWindow) -> None:
    mira = open_window("mira").sign_in()
    mira.sees("Overview")
    mira.set_up_an_app()
    mira.sees("Authenticator app activated.")

    again = open_window("mira").sign_in()
    again.sees("enter an authenticator code")
    again.open("/admin/")
    again.sees("enter an authenticator code")
    again.fill({"code": next_code_of(mira.secret)})
    again.press("Sign In")

    again.sees("Overview")


def test_a_passkey_opens_the_desk_without_a_password_and_after_one(open_window: OpenWindow) -> None:
    paula = open_window("paula", "localhost")
    devtools = paula.page.context.new_cdp_session(paula.page)
    devtools.send("WebAuthn.enable")
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    paula.sign_in()
    paula.set_up_an_app()
    paula.open("/accounts/2fa/webauthn/add/")
    paula.fill({"name": "Laptop"})
    paula.page.get_by_label("Passwordless").check()
    paula.press("Add")
    paula.sees("You have added 1 security key")

    paula.page.context.clear_cookies()
    paula.open("/admin/")
    paula.press("Sign in with a passkey")

    paula.sees("Overview")

    paula.page.context.clear_cookies()
    paula.sign_in()
    paula.press("Use a security key")

    paula.sees("Overview")


def test_no_page_is_complained_of_by_the_browser(open_window: OpenWindow) -> None:
    """Of what the witness hears of in each, the fixture tells at the end."""
    admin = open_window("admin").sign_in()
    for path in sorted({*EMPTY_LISTS, *(path for path, _ in PAGES.values())}):
        admin.open(path)
        expect(admin.page.locator("body")).to_be_visible()
    assert admin.witness.requests > len(PAGES)


def test_a_window_tells_of_whatever_goes_wrong_in_it(open_window: OpenWindow) -> None:
    viola = open_window("viola").sign_in()
    viola.sees("Overview")
    troubles = viola.witness.troubles
    assert troubles == []

    viola.page.evaluate("console.error('A script is not content.')")
    viola.page.evaluate("setTimeout(() => { throw new Error('Nobody catches this.') })")
    viola.page.evaluate("fetch('/no-such-page/')")
    with pytest.raises(Error):
        viola.page.add_script_tag(content="window.taken = 1")
    viola.page.evaluate("new Image().src = 'http://elsewhere.example/x.png'")
    viola.page.wait_for_timeout(1000)

    assert viola.page.evaluate("window.taken") is None
    told = "\n".join(troubles)
    for words in ("not content", "Nobody catches", "404: GET", "script-src", "elsewhere.example"):
        assert words in told, told
    troubles.clear()
