"""Neither command for connections prints or keeps a secret, whether a connection works or not."""

from __future__ import annotations

import io

import pytest
from django.core.management import CommandError, call_command

from exchanges.models import ExchangeConnection
from tests.canaries import API_KEY, API_SECRET, WRONG_KEY, WRONG_PASSWORD, leaks
from tests.canaries.planted import change_secret, rows, story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("form", [(), ("--json",)], ids=["text", "json"])
@pytest.mark.parametrize(
    ("changed", "part"),
    [({}, ""), ({"proxy_password": WRONG_PASSWORD}, "Proxy"), ({"api_key": WRONG_KEY}, "Key"),
     ({"api_secret": WRONG_KEY}, "Key")],
    ids=["it works", "proxy password", "key", "secret"],
)  # fmt: skip
def test_check_exchange_shows_no_secret(
    connection: ExchangeConnection, logs: io.StringIO, changed: dict[str, str], part: str, form: tuple[str]
) -> None:
    change_secret(connection, **changed)
    out, told = io.StringIO(), ""
    try:
        call_command("check_exchange", "Main", *form, stdout=out)
    except CommandError as error:
        told = story(error)
    assert bool(told) is bool(part)
    assert part in out.getvalue()
    assert leaks(out.getvalue() + told + logs.getvalue() + rows()) == []


@pytest.mark.parametrize("secret", [API_SECRET, f"{API_SECRET} in two parts"], ids=["taken", "refused"])
def test_import_connections_shows_no_secret(
    connection: ExchangeConnection, logs: io.StringIO, monkeypatch: pytest.MonkeyPatch, secret: str
) -> None:
    monkeypatch.setenv("BINANCE_API_KEY", WRONG_KEY)
    monkeypatch.setenv("BINANCE_API_SECRET", secret)
    monkeypatch.setenv("OKX_API_KEY", API_KEY)
    out, told = io.StringIO(), ""
    try:
        call_command("import_connections", "--update", stdout=out)
    except CommandError as error:
        told = story(error)
    assert bool(told) is (secret != API_SECRET)
    assert "Binance: " in out.getvalue()
    assert leaks(out.getvalue() + told + logs.getvalue() + rows()) == []
