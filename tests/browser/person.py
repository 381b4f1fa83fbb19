"""A person at a browser: signs in, fills in forms, presses buttons, and sees what stands on the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.chromium import PATIENCE_MS
from tests.browser.witness import Witness
from tests.desk.authenticator import code_of
from tests.e2e.desk import ADMIN_PASSWORD


class Person:
    """In a window of their own, which remembers nothing of anybody else's."""

    def __init__(self, name: str, browser: Browser, url: str, **window: Any) -> None:
        """window: as Playwright knows a context: its viewport, colour scheme, …"""
        self.name = name
        self._context = browser.new_context(base_url=url, **window)
        self._context.set_default_timeout(PATIENCE_MS)
        self.witness = Witness(urlsplit(url).netloc)
        self.witness.watch(self._context)
        self.page: Page = self._context.new_page()
        self.page.on("dialog", lambda dialog: dialog.accept())

    def leave(self) -> list[str]:
        """Closes the window; what went wrong in it."""
        assert self.witness.requests > 0, f"{self.name} looked at nothing"
        self._context.close()
        return self.witness.troubles

    def sign_in(self) -> Person:
        self.open("/admin/")
        self.fill({"username": self.name, "password": ADMIN_PASSWORD})
        self.press("Sign in")
        return self

    @property
    def path(self) -> str:
        return urlsplit(self.page.url).path

    def open(self, path: str) -> None:
        self.page.goto(path)

    def open_page(self, path: str, link: str = "") -> None:
        self.open(path)
        if link:
            self.follow(link)

    def follow(self, words: str) -> None:
        self.page.get_by_role("link", name=words, exact=True).first.click()

    def fill(self, values: Mapping[str, str | None]) -> None:
        """By the names of the fields; a select is chosen by its label, None unticks a box."""
        for name, value in values.items():
            self._fill(self.page.locator(f"[name={name}]"), value)

    def _fill(self, field: Locator, value: str | None) -> None:
        if value is None:
            field.uncheck()
        elif field.evaluate("field => field.tagName") == "SELECT":
            field.select_option(label=value)
        else:
            field.fill(value)

    def press(self, label: str) -> None:
        self.page.get_by_role("button", name=label, exact=True).first.click()

    def choose(self, name: str, label: str) -> None:
        """One of a select's options, whatever stands behind the words."""
        option = self.page.locator(f"[name={name}] option", has_text=label).first
        self.page.locator(f"[name={name}]").select_option(value=option.get_attribute("value"))

    def has_link(self, words: str) -> bool:
        return self.page.get_by_role("link", name=words, exact=True).count() > 0

    def may_press(self, label: str) -> bool:
        return self.page.get_by_role("button", name=label, exact=True).count() > 0

    def sees(self, words: str | re.Pattern[str]) -> None:
        """Sooner or later, without another click: parts of a page renew themselves."""
        expect(self.page.locator("body")).to_contain_text(words)

    def sees_nothing_of(self, words: str) -> None:
        expect(self.page.locator("body")).not_to_contain_text(words)

    def status_of(self, path: str) -> int:
        """Of a page that is to be refused."""
        self.witness.may_refuse.add(path)
        answer = self.page.goto(path)
        assert answer is not None
        return answer.status

    def set_up_an_app(self) -> None:
        """An authenticator app that reads the secret off the page."""
        self.open("/accounts/2fa/totp/activate/")
        if "reauthenticate" in self.path:
            self.fill({"password": ADMIN_PASSWORD})
            self.press("Confirm")
        self.secret = self.page.locator("#authenticator_secret").input_value()
        self.fill({"code": code_of(self.secret)})
        self.press("Activate")
