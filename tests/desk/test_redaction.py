"""What is written down holds no secret, in no form."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import threading
from typing import Any
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vault.redaction import RedactingFormatter, RedactingHandler, redact, remember
from vault.secret import Secret

PASSWORD = "c4n@ry/pass+w:rd \"quoted\" 'é' \\ 100%"
PEM = "\n".join(
    [
        "-----BEGIN EC PRIVATE KEY-----",
        "canaryLineOne0123456789",
        "canaryLineTwo9876543210",
        "-----END EC PRIVATE KEY-----",
    ]
)


@pytest.fixture(autouse=True)
def secrets() -> None:
    Secret(PASSWORD)
    Secret(PEM)


@pytest.fixture
def log() -> Any:
    """A logger with the product's handler and formatter, and what it wrote."""
    written = io.StringIO()
    handler = RedactingHandler(written)
    handler.setFormatter(RedactingFormatter("%(levelname)s %(message)s"))
    logger = logging.Logger("test", level=logging.DEBUG)  # noqa: LOG001 - one that no other test shares
    logger.addHandler(handler)
    return logger, written


FORMS = {
    "as it is": PASSWORD,
    "repr": repr(PASSWORD),
    "repr within a repr": repr([repr({"password": PASSWORD})]),
    "json": json.dumps({"password": PASSWORD}),
    "json without escapes": json.dumps({"password": PASSWORD}, ensure_ascii=False),
    "url": quote(PASSWORD, safe=""),
    "url, slash kept": quote(PASSWORD),
    "url with plus": quote_plus(PASSWORD),
    "url in lower case": quote(PASSWORD, safe="").lower(),
    "form": urlencode({"a": 1, "password": PASSWORD, "b": 2}),
    "html": html.escape(PASSWORD),
    "bytes": repr(PASSWORD.encode()),
}


@pytest.mark.parametrize("written", FORMS.values(), ids=FORMS)
def test_a_known_secret_is_masked_in_each_form(written: str) -> None:
    masked = redact(f"before {written} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    assert "***" in masked
    assert "pass" not in masked.replace("password", "").lower()


@pytest.mark.parametrize("user", ["", "u", "us", "use", "user", "a-longer-user-name"])
@pytest.mark.parametrize("encode", [base64.b64encode, base64.urlsafe_b64encode])
def test_a_password_in_base64_is_masked_wherever_it_stands(user: str, encode: Any) -> None:
    token = encode(f"{user}:{PASSWORD}:more".encode()).decode()
    masked = redact(f"headers: {{'X-Auth': '{token}'}}")
    assert masked == "headers: {'X-Auth': '***'}"


def test_an_authorization_header_is_masked_even_if_nobody_held_the_password() -> None:
    token = base64.b64encode(b"nobody:ever-revealed-this").decode()
    assert redact(f"Proxy-Authorization: Basic {token}") == "Proxy-Authorization: Basic ***"


@pytest.mark.parametrize(
    ("written", "masked"),
    [
        ("http://user:never-held@proxy:8080/", "http://***@proxy:8080/"),
        ("postgres://u:p@ss/w:ord@db:5432/name", "postgres://***@db:5432/name"),
        ("redis://:never-held@127.0.0.1/0", "redis://***@127.0.0.1/0"),
        ("socks5://user@host", "socks5://***@host"),
        ("{'proxy': 'http://u:never-held@h', 'mail': 'a@b.c'}", "{'proxy': 'http://***@h', 'mail': 'a@b.c'}"),
        (
            "GET https://venue/api?timestamp=1&signature=ab12&x=2",
            "GET https://venue/api?timestamp=1&signature=***&x=2",
        ),
        ("apiKey=abc&password=def", "apiKey=***&password=***"),
    ],
)
def test_what_has_the_form_of_a_credential_is_masked(written: str, masked: str) -> None:
    assert redact(written) == masked


@pytest.mark.parametrize(
    "text",
    ["http://host:8080/path/@name", "https://venue/api?limit=5", "a basic set of orders", "user@example.com"],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text) == text


@pytest.mark.parametrize("write", [str, repr, json.dumps, lambda pem: pem.replace("\n", "\r\n    ")])
def test_no_line_of_a_private_key_is_shown(write: Any) -> None:
    assert "canaryLine" not in redact(f"key: {write(PEM)} rest")


def test_a_private_key_that_nobody_held_is_masked() -> None:
    unknown = "-----BEGIN PRIVATE KEY-----\nMIGHnever\n-----END PRIVATE KEY-----"
    assert redact(f"a {unknown} b") == "a *** b"


def test_short_secrets_are_not_masked_because_words_would_be() -> None:
    remember("price")
    assert redact("the price is 5") == "the price is 5"


@given(
    st.text(min_size=6).filter(lambda text: len(text.strip("*")) >= 6),
    st.text(alphabet="xyz ", max_size=20),
    st.text(alphabet="xyz ", max_size=20),
)
def test_any_secret_vanishes_from_any_text(secret: str, before: str, after: str) -> None:
    remember(secret)
    assert secret not in redact(before + secret + after)


def test_of_two_secrets_where_one_begins_the_other_the_longer_is_masked_whole() -> None:
    remember("prefix-of-both")
    remember("prefix-of-both-and-more")
    assert redact("[prefix-of-both-and-more] [prefix-of-both]") == "[***] [***]"


def test_a_secret_is_masked_in_the_message_its_arguments_and_the_traceback(log: Any) -> None:
    logger, written = log
    try:
        raise ValueError(f"the venue refused {PASSWORD}")
    except ValueError:
        logger.exception("with %s and %r in %s", PASSWORD, PASSWORD, {"headers": [PASSWORD]})
    assert "Traceback" in written.getvalue()
    assert "pass+w" not in written.getvalue()
    assert written.getvalue().count("***") >= 4


def test_a_logged_secret_object_is_masked(log: Any) -> None:
    logger, written = log
    logger.warning("connection with %s, %r", Secret(PASSWORD), {"key": Secret(PASSWORD)})
    assert written.getvalue() == "WARNING connection with ***, {'key': Secret(***)}\n"


def test_a_record_that_cannot_be_formatted_does_not_print_its_arguments(
    log: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logger, written = log
    logger.warning("%d orders", PASSWORD)
    captured = capsys.readouterr()
    assert "A log record could not be written" in written.getvalue()
    assert "pass+w" not in written.getvalue() + captured.err + captured.out


def test_a_secret_that_another_thread_is_remembering_is_masked_as_soon_as_remember_returns() -> None:
    leaks: list[str] = []
    for number in range(200):
        secret, start = f"racing-secret-{number}", threading.Barrier(4)

        def use(secret: str = secret, start: threading.Barrier = start) -> None:
            start.wait()
            remember(secret)
            leaks.extend(text for text in [redact(secret)] if text != "***")

        threads = [threading.Thread(target=use) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert leaks == []


def test_a_remembered_private_key_does_not_bare_another() -> None:
    remember("-----BEGIN PRIVATE KEY-----\nMIGHremembered\n-----END PRIVATE KEY-----\n")
    assert "MIGHother" not in redact("a -----BEGIN PRIVATE KEY-----\nMIGHother")
