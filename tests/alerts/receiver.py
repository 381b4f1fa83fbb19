"""A web service on loopback that takes messages, or does not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Receiver:
    """answers: a status for each request to come, then 200. hangs: nobody answers until it is let go."""

    host: str = "127.0.0.1"
    answers: list[int] = field(default_factory=list)
    location: str = ""
    taken: list[dict[str, Any]] = field(default_factory=list)
    taken_at: list[float] = field(default_factory=list)
    hangs: bool = False
    let_go: threading.Event = field(default_factory=threading.Event)
    port: int = 0

    @property
    def url(self) -> str:
        return f"json://{self.host}:{self.port}/canary-token-4711"

    @property
    def titles(self) -> list[str]:
        return [str(each["title"]) for each in self.taken]


@contextmanager
def receiving(host: str = "127.0.0.1") -> Iterator[Receiver]:
    receiver = Receiver(host=host)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = self.rfile.read(int(self.headers["Content-Length"]))
            if receiver.hangs:
                receiver.taken_at.append(time.monotonic())
                receiver.taken.append(json.loads(said))
                receiver.let_go.wait(60)
                return
            status = receiver.answers.pop(0) if receiver.answers else 200
            if status == 200:
                receiver.taken.append(json.loads(said))
            self.send_response(status)
            if receiver.location:
                self.send_header("Location", receiver.location)
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            """Says nothing."""

    server = ThreadingHTTPServer((host, 0), Handler)
    server.daemon_threads = True
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()
