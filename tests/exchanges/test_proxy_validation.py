"""What may be said of a proxy: each mistake is one sentence at its field, and repeats no password."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.test import Client, override_settings

from config import environment
from exchanges import services
from exchanges.models import ExchangeConnection
from exchanges.proxy_address import ProxyAddressError, proxy_url, split_login
from exchanges.selectors import connection_spec
from tests.desk.pages import form_of
from tests.lab.authority import Authority
from vault.secret import Secret

ADD = "/admin/exchanges/exchangeconnection/add/"
DEFAULT = split_login("http://quota:hunter2-canary@static.proxy.example:9293")


@pytest.fixture
def owner(db: None) -> User:
    return User.objects.create(username="ada")


def create(owner: User, **fields: Any) -> ExchangeConnection:
    return services.create_connection(
        actor=owner, owner=owner, name="X", venue="binance", mode="paper", **fields
    )


def refusals(owner: User, **fields: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        create(owner, **fields)
    return caught.value.message_dict


# --- Addresses


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("HTTPS://Proxy.Example:9294/", "https://proxy.example:9294"),
        ("socks5://127.0.0.1:1080", "socks5://127.0.0.1:1080"),
        ("socks5h://proxy.example:1080", "socks5://proxy.example:1080"),
        ("http://[::1]:3128", "http://[::1]:3128"),
    ],
)
def test_an_address_is_kept_in_one_form(given: str, kept: str) -> None:
    assert proxy_url(given) == kept


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("proxy.example:3128", "Start the proxy's address with http://, https:// or socks5://"),
        ("proxy.example", "Start the proxy's address"),
        ("ftp://proxy.example:21", "Start the proxy's address"),
        ("socks4://proxy.example:1080", "Start the proxy's address"),
        ("http://:3128", "Start the proxy's address"),
        ("http://proxy.example", "port"),
        ("http://proxy.example:0", "port"),
        ("http://proxy.example:port", "not a proxy's address"),
        ("http://proxy.example:99999", "not a proxy's address"),
        ("http://proxy example:3128", "not a proxy's address"),
        ("http://proxy.example:3128/path", "ends with its port"),
        ("http://olga:hunter2-canary@proxy.example:3128", "their own fields"),
        ("http://olga:p@ss:w/rd%#1-canary@proxy.example:3128", "their own fields"),
    ],
)
def test_an_address_that_cannot_work_is_one_sentence_at_its_field(
    owner: User, given: str, words: str
) -> None:
    found = refusals(owner, proxy_url=given)

    assert list(found) == ["proxy_url"]
    assert words in found["proxy_url"][0]
    assert "canary" not in found["proxy_url"][0]


# --- User names


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_user_name_with_a_colon_is_refused_for_an_http_proxy(owner: User, scheme: str) -> None:
    found = refusals(owner, proxy_url=f"{scheme}://proxy.example:1", proxy_username="desk:1")

    assert list(found) == ["proxy_username"]
    assert "colon" in found["proxy_username"][0]


def test_a_user_name_with_a_colon_is_taken_for_a_socks_proxy(owner: User) -> None:
    connection = create(owner, proxy_url="socks5://proxy.example:1", proxy_username="desk:1")

    assert connection.proxy_username == "desk:1"


# --- CA bundles


def test_a_ca_bundle_is_a_file_or_its_text(owner: User, tmp_path: Path) -> None:
    file = Authority(tmp_path, ["localhost"]).ca_file

    connection = create(owner, proxy_ca=f" {file}\n")
    file.write_text("# signée\n" + file.read_text())
    services.update_connection(connection=connection, actor=owner, proxy_ca=file.read_text())

    assert connection.proxy_ca == str(file)
    connection.refresh_from_db()
    assert connection.proxy_ca == file.read_text().strip()


def test_a_ca_file_that_cannot_be_reached_is_named(owner: User, tmp_path: Path) -> None:
    found = refusals(owner, proxy_ca=str(tmp_path / "gone.pem"))

    assert list(found) == ["proxy_ca"]
    assert "cannot be read (there is no such file)" in found["proxy_ca"][0]


@pytest.mark.parametrize(
    "text",
    [
        "-----BEGIN CERTIFICATE-----\nbm90IG9uZQ==\n-----END CERTIFICATE-----",
        "-----BEGIN CERTIFICATE-----",
        "-----BEGIN RUBBISH-----\n\x00ü",
    ],
)
def test_a_ca_bundle_that_is_no_certificate_is_one_sentence(owner: User, text: str) -> None:
    [sentence] = refusals(owner, proxy_ca=text)["proxy_ca"]

    assert "no PEM certificate" in sentence


def test_a_file_that_holds_no_certificate_is_one_sentence(owner: User, tmp_path: Path) -> None:
    file = tmp_path / "notes.txt"
    file.write_text("canary")

    [sentence] = refusals(owner, proxy_ca=str(file))["proxy_ca"]

    assert "no PEM certificate" in sentence
    assert "canary" not in sentence


def test_a_private_key_is_no_ca_bundle(owner: User, tmp_path: Path) -> None:
    authority = Authority(tmp_path, ["localhost"])

    [sentence] = refusals(owner, proxy_ca=authority._server_file.read_text())["proxy_ca"]

    assert "private key" in sentence


def test_the_form_takes_a_ca_bundle_and_the_choice_of_ipv4(owner: User, tmp_path: Path) -> None:
    pem = Authority(tmp_path, ["localhost"]).ca_file.read_text()
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    entered = {"name": "New", "venue": "demo", "mode": "paper", "proxy_url": "SOCKS5://127.0.0.1:1",
               "proxy_ca": pem.replace("\n", "\r\n"), "proxy_ipv4_only": "on"}  # fmt: skip

    browser.post(ADD, form_of(browser, ADD, "exchangeconnection_form") | entered)

    connection = ExchangeConnection.objects.get()
    assert connection.proxy_url == "socks5://127.0.0.1:1"
    assert connection.proxy_ca.split() == pem.split()
    assert connection.proxy_ipv4_only


def test_the_form_names_a_ca_file_that_cannot_be_reached(owner: User, tmp_path: Path) -> None:
    browser = Client()
    browser.force_login(User.objects.create_superuser("boss"))
    entered = {"name": "New", "venue": "demo", "mode": "paper", "proxy_ca": str(tmp_path / "gone.pem")}

    page = browser.post(ADD, form_of(browser, ADD, "exchangeconnection_form") | entered).content.decode()

    assert "CA bundle cannot be read (there is no such file)" in page
    assert not ExchangeConnection.objects.exists()


# --- The desk's own proxy


@override_settings(DEFAULT_PROXY=DEFAULT)
def test_a_connection_without_a_proxy_goes_through_the_desks(owner: User) -> None:
    proxy = connection_spec(create(owner, proxy_ipv4_only=True)).proxy

    assert proxy is not None
    assert (proxy.url, proxy.username) == ("http://static.proxy.example:9293", "quota")
    assert proxy.password == Secret("hunter2-canary")
    assert proxy.ipv4_only
    assert proxy.set_where == "in QUOTAGUARDSTATIC_URL"


@override_settings(DEFAULT_PROXY=DEFAULT)
def test_a_connection_with_a_proxy_keeps_its_own(owner: User) -> None:
    proxy = connection_spec(create(owner, proxy_url="socks5://own.example:1080")).proxy

    assert proxy is not None
    assert (proxy.url, proxy.username, bool(proxy.password)) == ("socks5://own.example:1080", "", False)


@override_settings(DEFAULT_PROXY=DEFAULT)
def test_a_connection_that_says_direct_goes_through_no_proxy(owner: User) -> None:
    connection = create(owner, proxy_url=" Direct ")

    assert connection.proxy_url == "direct"
    assert connection_spec(connection).proxy is None


@pytest.mark.parametrize(
    ("given", "url", "username", "password"),
    [
        ("http://quota:p%40ss%3Aw%2Frd%25%231@h.example:1", "http://h.example:1", "quota", "p@ss:w/rd%#1"),
        ("https://quota:p@ss:w/rd%#1@h.example:9294", "https://h.example:9294", "quota", "p@ss:w/rd%#1"),
        ("socks5://de%3Ask:secret@h.example:1080/", "socks5://h.example:1080", "de:sk", "secret"),
        ("http://h.example:9293\n", "http://h.example:9293", "", ""),
    ],
)  # fmt: skip
def test_the_environments_url_is_split_into_an_address_and_a_raw_login(
    monkeypatch: pytest.MonkeyPatch, given: str, url: str, username: str, password: str
) -> None:
    monkeypatch.setenv("QUOTAGUARDSTATIC_URL", given)

    read = environment.proxy("QUOTAGUARDSTATIC_URL")

    assert read is not None
    assert (read.url, read.username) == (url, username)
    assert read.password == Secret(password)
    assert not password or password not in repr(read)


def test_without_the_variable_there_is_no_proxy_of_the_desk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QUOTAGUARDSTATIC_URL", " ")

    assert environment.proxy("QUOTAGUARDSTATIC_URL") is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("quota:hunter2-canary@h.example:9293", "Start the proxy's address"),
        ("ftp://quota:hunter2-canary@h.example:9293", "Start the proxy's address"),
        ("http://quota:hunter2-canary@h.example", "port"),
        ("http://quota:hunter2-canary@", "Start the proxy's address"),
        ("http://quo%3Ata:hunter2-canary@h.example:9293", "colon"),
    ],
)
def test_a_wrong_proxy_in_the_environment_stops_the_start_with_one_sentence(
    monkeypatch: pytest.MonkeyPatch, given: str, words: str
) -> None:
    monkeypatch.setenv("QUOTAGUARDSTATIC_URL", given)

    with pytest.raises(ImproperlyConfigured) as caught:
        environment.proxy("QUOTAGUARDSTATIC_URL")

    assert str(caught.value).startswith("QUOTAGUARDSTATIC_URL is not the address of a proxy. ")
    assert words in str(caught.value)
    assert "canary" not in str(caught.value)


def test_an_address_error_never_repeats_the_address() -> None:
    with pytest.raises(ProxyAddressError) as caught:
        split_login("http://quota:hunter2-canary@h.example:9293/path")

    assert "canary" not in str(caught.value)
    assert caught.value.__cause__ is None
