"""What the process that sends may do: reach public addresses, and nothing else.

Loopback stands in for the internet: 127.0.0.2 is called public there, and nothing else is.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytest_django import Settings

from alerts import courier
from alerts.carrier import ASKS_MACHINE, IS_LOCAL, IS_PRIVATE, UNKNOWN
from tests.alerts.receiver import Receiver, receiving
from vault.secret import Secret

PUBLIC = "127.0.0.2"
WORLD = f"""
import sys; sys.path.append(sys.argv[1])
from alerts import carrier
carrier.is_public = lambda address: address == {PUBLIC!r}
"""
REBINDING = f"""
import socket
told, lookup = [], socket.getaddrinfo
def getaddrinfo(host, port, *rest, **named):
    if host == "rebinding.example":
        told.append(host)
        host = {PUBLIC!r} if len(told) == 1 else "127.0.0.1"
    return lookup(host, port, *rest, **named)
socket.getaddrinfo = getaddrinfo
"""


def carried(url: str, *, world: str = WORLD, **job: Any) -> dict[str, str]:
    given = {
        "url": url, "title": "A title", "body": "A body", "severity": "error", "only_check": False,
        "allow_private": False, "seconds": 30,
    }  # fmt: skip
    done = subprocess.run(
        [sys.executable, "-I", "-c", world + "carrier.main()", str(courier.FOLDER)],
        input=json.dumps(given | job), capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    verdict: dict[str, str] = json.loads(done.stdout)
    return verdict


@pytest.fixture
def outside() -> Iterator[Receiver]:
    with receiving(PUBLIC) as it:
        yield it


@pytest.fixture
def inside() -> Iterator[Receiver]:
    with receiving() as it:
        yield it


def test_a_message_reaches_a_public_address(outside: Receiver) -> None:
    assert carried(outside.url)["outcome"] == "sent"
    (taken,) = outside.taken
    assert (taken["title"], taken["message"], taken["type"]) == ("A title", "A body", "failure")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_private_address_is_refused_and_not_dialled(inside: Receiver, host: str) -> None:
    verdict = carried(f"json://{host}:{inside.port}/hook")
    assert (verdict["outcome"], verdict["sentence"]) == ("refused", IS_PRIVATE)
    assert inside.taken == []


def test_a_redirect_to_a_private_address_is_refused(outside: Receiver, inside: Receiver) -> None:
    outside.answers, outside.location = [307], f"http://127.0.0.1:{inside.port}/admin"
    verdict = carried(outside.url)
    assert (verdict["outcome"], verdict["sentence"]) == ("refused", IS_PRIVATE)
    assert inside.taken == []


def test_a_name_that_resolves_to_something_else_the_second_time_is_refused(inside: Receiver) -> None:
    verdict = carried(f"json://rebinding.example:{inside.port}/hook", world=WORLD + REBINDING)
    assert (verdict["outcome"], verdict["sentence"]) == ("refused", IS_PRIVATE)
    assert inside.taken == []


@pytest.mark.parametrize(
    "attempt",
    [
        "open('/etc/passwd')",
        "open('/tmp/of-the-carrier', 'w')",
        "__import__('subprocess').run(['true'])",
        "__import__('os').system('true')",
        "__import__('socket').socket(__import__('socket').AF_UNIX).connect('/run/dbus/system_bus_socket')",
        "__import__('socket').socket(type=__import__('socket').SOCK_DGRAM).sendto(b'', ('127.0.0.1', 514))",
        "__import__('socket').socket().connect(('localhost', 9))",
    ],
)
def test_the_process_that_sends_reads_no_file_and_starts_no_program(attempt: str) -> None:
    code = f"import sys, subprocess\n{WORLD}\nsys.addaudithook(carrier.Guard(allow_private=False))\n{attempt}"
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, str(courier.FOLDER)], capture_output=True, text=True, check=False
    )
    assert done.stderr.strip().splitlines()[-1].startswith("PermissionError: The address ")


def test_an_address_that_names_a_file_of_the_server_is_refused(tmp_path: Path) -> None:
    secret = tmp_path / "settings.json"
    secret.write_text('{"text": "of the server"}')
    verdict = carried(f"workflows://{PUBLIC}:9/flow/signature/?template={secret}")
    assert (verdict["outcome"], verdict["sentence"]) == ("refused", ASKS_MACHINE)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("syslog://", IS_LOCAL), ("dbus://", IS_LOCAL), ("kde://", IS_LOCAL), ("gnome://", IS_LOCAL),
        ("windows://", IS_LOCAL), ("macosx://", IS_LOCAL), ("glib://", IS_LOCAL),
        ("file:///etc/passwd", UNKNOWN), ("exec://true", UNKNOWN), ("https://example.com/hook", UNKNOWN),
        ("json://203.0.113.9, json://127.0.0.1", UNKNOWN), ("nothing", UNKNOWN),
    ],
)  # fmt: skip
def test_what_is_no_service_on_the_network_is_refused(url: str, sentence: str) -> None:
    verdict = courier.examine(Secret(url))
    assert (verdict.outcome, verdict.sentence) == ("refused", sentence)


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("tgram://123456789:AbCdEfGhIjKlMnOpQrStUvWxYz012345678/12345/", "Telegram"),
        ("discord://421234567890123456/AbCdEfGhIjKlMnOpQrStUvWxYz/", "Discord"),
        ("jsons://93.184.215.14/hook", "JSON"),
        ("mailtos://user:password@93.184.215.14?from=a@example.com", "E-Mail"),
    ],
)
def test_an_address_is_examined_without_telling_anybody(url: str, service: str) -> None:
    verdict = courier.examine(Secret(url))
    assert (verdict.outcome, verdict.service) == ("sent", service)


@pytest.mark.parametrize("host", ["127.0.0.1", "10.0.0.1", "[::1]", "localhost", "169.254.169.254"])
def test_a_private_address_is_refused_as_it_is_entered(host: str) -> None:
    assert courier.examine(Secret(f"json://{host}/hook")).sentence == IS_PRIVATE


def test_a_private_address_is_taken_where_the_setting_says_so(settings: Settings) -> None:
    settings.ALERTS_ALLOW_PRIVATE = True
    assert courier.examine(Secret("json://10.0.0.1/hook")).ok


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (404, "JSON answered with status 404. It knows no such place: enter the address anew."),
        (500, "JSON answered with status 500."),
    ],
)
def test_a_refusal_of_the_service_is_a_sentence(receiver: Receiver, status: int, sentence: str) -> None:
    receiver.answers = [status]
    verdict = courier.send(Secret(receiver.url), title="T", body="B", severity="info")
    assert (verdict.outcome, verdict.sentence) == ("failed", sentence)


def test_a_service_that_does_not_answer_is_given_up(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver.hangs = True
    monkeypatch.setattr(courier, "SEND_SECONDS", 3)
    url = Secret(f"{receiver.url}?rto=60")
    verdict = courier.send(url, title="T", body="B", severity="info")
    assert (verdict.outcome, verdict.sentence) == ("failed", "No answer within 3 s.")


def test_no_proxy_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    assert courier.send(Secret(receiver.url), title="T", body="B", severity="info").ok
