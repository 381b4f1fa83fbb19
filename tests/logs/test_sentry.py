"""What Sentry is told: the mistake, and neither a secret nor anything of a person. Loopback listens."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
SECRET = "canary-4711-secret"
# What must not be found: the secret, and a person's cookie, query, body, header and address. The script has
# them from its environment, because the lines of the source are told.
NEVER = {
    "SECRET": SECRET,
    "COOKIE": "canary-cookie",
    "QUERY": "canary-query",
    "BODY": "canary-body",
    "HEADER": "canary-header",
    "ADDRESS": "203.0.113.77",
}

MISTAKES = """
import logging, os, sentry_sdk
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory, override_settings
from logs.about import about
from vault.secret import Secret
given = os.environ
Secret(given["SECRET"])
log = logging.getLogger("bots.engine.duty")
def broken():
    secret, local = given["SECRET"], given["BODY"]
    raise RuntimeError(f"refused {secret} by http://user:{secret}@proxy")
try:
    broken()
except RuntimeError:
    with about(connection_id="c-4711", bot_id="b-4712"):
        log.exception("with %s", Secret(given["SECRET"]))
class Broken:
    def __init__(self, get_response): pass
    def __call__(self, request): raise KeyError("in a page")
asked = RequestFactory().post(
    "/admin/login/?next=" + given["QUERY"], {"password": given["BODY"]}, REMOTE_ADDR=given["ADDRESS"],
    headers={
        "Authorization": "Token " + given["HEADER"],
        "X-Request-ID": "request-id-4713",
        "Cookie": "sessionid=" + given["COOKIE"],
    },
)
with override_settings(MIDDLEWARE=["logs.middleware.RequestIdMiddleware", "__main__.Broken"]):
    list(WSGIHandler()(asked.environ, lambda *told: None))
child = os.fork()
if child == 0:
    log.error("told by a forked process")
    sentry_sdk.flush(10)
    os._exit(0)
os.waitpid(child, 0)
sentry_sdk.flush(10)
"""


class Ingest(HTTPServer):
    """Keeps what is sent to it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Keeper)
        self.bodies: list[str] = []

    def events(self) -> list[dict[str, Any]]:
        items = [json.loads(line) for body in self.bodies for line in body.splitlines()]
        return [item for item in items if "event_id" in item and "platform" in item]


class _Keeper(BaseHTTPRequestHandler):
    server: Ingest

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.bodies.append(_plain(body, self.headers.get("Content-Encoding", "")))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_told: object) -> None:
        """Nothing to standard error."""


def _plain(body: bytes, encoding: str) -> str:
    assert encoding in ("", "gzip"), encoding
    return (gzip.decompress(body) if encoding else body).decode()


@pytest.fixture
def ingest() -> Iterator[Ingest]:
    server = Ingest()
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def run(code: str, folder: Path, **settings: str) -> None:
    script = folder / "mistakes.py"
    setup = "import django, sys\nsys.path[:0] = ['.', 'platform']\ndjango.setup()\n"
    script.write_text(setup + code)
    environment = {
        "PATH": os.environ["PATH"],
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "BOTDESK_ENV_FILE": os.devnull,
        "SECRET_KEY": "sentry-" + "0123456789" * 5,
        "FIELD_ENCRYPTION_KEYS": "dGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtdGVzdHMtISE=",
        "DATABASE_URL": f"sqlite:///{folder}/sentry.sqlite3",
        "ALLOWED_HOSTS": "testserver",
        **settings,
    }
    done = subprocess.run(
        [sys.executable, str(script)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_mistakes_are_told_without_secrets_variables_or_people(ingest: Ingest, tmp_path: Path) -> None:
    run(MISTAKES, tmp_path, SENTRY_DSN=f"http://public@127.0.0.1:{ingest.server_port}/7", **NEVER)
    told = "\n".join(ingest.bodies)
    events = ingest.events()
    assert len(events) == 3, told
    assert [name for name, never in NEVER.items() if never in told] == []
    assert "RuntimeError" in told
    assert '"vars"' not in told
    assert events[0]["tags"] == {"connection_id": "c-4711", "bot_id": "b-4712"}
    page = next(event for event in events if "request" in event)
    assert page["request"] == {"method": "POST", "url": "http://testserver/admin/login/"}
    assert page["tags"]["request_id"] == "request-id-4713"
    assert "told by a forked process" in told


def test_without_a_dsn_sentry_is_not_even_loaded(tmp_path: Path) -> None:
    run("assert not any(name.startswith('sentry_sdk') for name in sys.modules)\n", tmp_path)
