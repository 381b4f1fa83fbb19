"""What a browser sees go wrong while a person works: whatever it is, the test that it happened in fails."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Request, Response, WebError

# The page tells of what its policy kept back; the console hears it, whatever Chromium itself says.
TELL_VIOLATIONS = """
document.addEventListener("securitypolicyviolation", (event) => console.error(
    `Content policy: ${event.violatedDirective} kept back ${event.blockedURI || event.sample}`));
"""
# Chromium says so of each answer from 400 on; those are looked at by themselves, with their address.
OF_AN_ANSWER = "Failed to load resource"
LEFT = "net::ERR_ABORTED"  # a person went on to another page before the answer was there


@dataclass
class Witness:
    """may_refuse: paths whose answer is to be a refusal (404, 403); elsewhere one is trouble."""

    host: str
    may_refuse: set[str] = field(default_factory=set)
    troubles: list[str] = field(default_factory=list)
    requests: int = 0

    def watch(self, context: BrowserContext) -> None:
        context.add_init_script(TELL_VIOLATIONS)
        context.on("console", self._hear)
        context.on("weberror", self._error)
        context.on("request", self._request)
        context.on("requestfailed", self._failure)
        context.on("response", self._answer)

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and not message.text.startswith(OF_AN_ANSWER):
            self.troubles.append(f"console {message.type}: {message.text} ({message.location['url']})")

    def _error(self, error: WebError) -> None:
        self.troubles.append(f"uncaught in a script: {error.error}")

    def _request(self, request: Request) -> None:
        self.requests += 1
        address = urlsplit(request.url)
        if address.scheme not in {"data", "blob"} and address.netloc != self.host:
            self.troubles.append(f"a request to another host: {request.url}")

    def _failure(self, request: Request) -> None:
        if request.failure != LEFT:
            self.troubles.append(f"no answer: {request.method} {request.url}: {request.failure}")

    def _answer(self, answer: Response) -> None:
        if answer.status >= 400 and urlsplit(answer.url).path not in self.may_refuse:
            self.troubles.append(f"{answer.status}: {answer.request.method} {answer.url}")
