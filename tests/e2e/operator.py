"""What an operator does in the admin: the forms that are filled in and the buttons that are pressed."""

from __future__ import annotations

from collections.abc import Mapping

from tests.e2e.browser import Browser, Page
from tests.e2e.desk import ADMIN_PASSWORD


def log_in(browser: Browser) -> None:
    page = browser.open("/admin/login/?next=/admin/")
    assert page.url.endswith("/accounts/login/?next=/admin/")
    home = browser.send(page, page.form_with("password"), username="admin", password=ADMIN_PASSWORD)
    assert home.url.endswith("/admin/")


def create_connection(browser: Browser, *, name: str, venue: str, login: Mapping[str, str]) -> Page:
    """login: key, secret and passphrase; the form shows of the key no more than its end."""
    page = browser.open("/admin/exchanges/exchangeconnection/add/")
    saved = browser.send(
        page, page.form_with("api_key"), name=name, venue=venue, mode="live", api_key=login["key"],
        api_secret=login["secret"], passphrase=login["passphrase"], _continue="1",
    )  # fmt: skip
    assert "/change/" in saved.url, saved.text
    assert f"…{login['key'][-4:]}" in saved.text
    return saved


def create_bot(
    browser: Browser, connection: Page, settings: Mapping[str, str | None], *, kind: str = "spreadbot"
) -> Page:
    """settings: of the form's fields; None leaves a box unticked."""
    page = browser.open(f"/admin/bots/{kind}/add/")
    form = page.form_with("cycle_seconds")
    connection_id = connection.url.rstrip("/").split("/")[-2]
    for name in [name for name, value in settings.items() if value is None]:
        form.fields.pop(name, None)
    filled = {name: value for name, value in settings.items() if value is not None}
    saved = browser.send(page, form, **filled, connection=connection_id, _continue="1")
    assert "/change/" in saved.url, saved.text
    return saved
