"""The one door to a venue: every request of a client waits for its pace here, and is licensed last.

The licence is checked after the wait and right before the request leaves; past it, nothing is sent.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Any

import ccxt.async_support as ccxt

from exchanges.errors import MalformedAnswerError
from exchanges.gateway import HTTP_TIMEOUT_SECONDS, Credentials, Licence, Proxy
from exchanges.pacing import Budget
from exchanges.stopwatch import held_back
from exchanges.venues.dialects import dialect_of
from exchanges.venues.meters import Counted, Meter, readings
from exchanges.venues.pace import Pace, Toll, pay
from exchanges.venues.trust import tls_context

if TYPE_CHECKING:
    from exchanges.venues.wire import Wire

log = logging.getLogger(__name__)
# ccxt writes every request at DEBUG, with key and signature.
log.setLevel(logging.WARNING)
FIRST_ERROR_STATUS = 300


@dataclass(frozen=True)
class HttpAnswer:
    """What came back for one request: its body is parsed, or the text where it is no JSON."""

    status: int
    headers: Mapping[str, str]
    body: Any


@dataclass
class Passage:
    """What became of one call: departed, once a request was handed to the network; the last answer.

    urgent: it places or cancels, or a cancel waits for it; places: it is a new order.
    """

    urgent: bool = False
    places: bool = False
    departed: bool = False
    answer: HttpAnswer | None = None


# One call is one task's; concurrent calls of a client do not see each other's.
passage: ContextVar[Passage | None] = ContextVar("passage", default=None)


class Door:
    """Mixed into a ccxt class, in front of it."""

    number = str  # ccxt hands numbers out as the venue wrote them, not as floats
    timeout_on_exit = 0  # ccxt waits for its own connector's sockets; ours are the wire's
    logger = log
    licence: Licence | None = None
    own_pace: Pace
    address_pace: Pace
    order_pace: Pace | None = None
    meters: Sequence[Meter] = ()

    async def throttle(self, cost: float | None = None) -> None:
        units = 1.0 if cost is None else float(cost)
        tolls = [(self.own_pace, units), (self.address_pace, units)]
        current = passage.get()
        if self.order_pace is not None and current is not None and current.places:
            tolls.append((self.order_pace, 1.0))
        await self.pay(*tolls)

    async def pay(self, *tolls: Toll) -> None:
        """Waits for these budgets. What costs nothing waits for a pause that the venue asked for."""
        with held_back():
            await pay(tolls, reads=not self.is_urgent())

    def is_urgent(self) -> bool:
        """Whether the call that is made now goes before others."""
        current = passage.get()
        return current is not None and current.urgent

    def budget_used(self) -> float:
        return max(pace.used for pace in self.paces())

    def paces(self) -> Sequence[Pace]:
        paces = (self.own_pace, self.address_pace)
        return paces if self.order_pace is None else (*paces, self.order_pace)

    def _counted(self, what: Counted) -> Pace | None:
        if what is Counted.ORDERS:
            return self.order_pace
        return self.address_pace if what is Counted.ADDRESS else self.own_pace

    async def fetch(self, url: str, method: str = "GET", headers: Any = None, body: Any = None) -> Any:
        if self.licence is not None:
            self.licence.check()
        current = passage.get()
        if current is not None:
            current.departed, current.answer = True, None
        return await super().fetch(url, method, headers, body)  # type: ignore[misc]

    def handle_errors(self, status: int, reason: str, url: str, method: str, headers: Any, body: str,
                      response: Any, request_headers: Any, request_body: Any) -> Any:  # fmt: skip
        current = passage.get()
        if current is not None:
            current.answer = HttpAnswer(status, headers, body if response is None else response)
        for meter, used, elapsed in readings(self.meters, headers):
            pace = self._counted(meter.counts)
            if pace is not None:
                pace.heard(used, elapsed)
        result = super().handle_errors(  # type: ignore[misc]
            status, reason, url, method, headers, body, response, request_headers, request_body
        )
        if response is None and body and status < FIRST_ERROR_STATUS:
            # ccxt would read an empty book or list out of half an answer.
            raise MalformedAnswerError("The venue's answer breaks off or is no JSON; it is asked again.")
        return result

    def parse_order_book_bid_ask(
        self, bidask: Any, price_key: Any = 0, amount_key: Any = 1, count_or_id_key: Any = 2
    ) -> list[Decimal]:
        """ccxt makes floats of book levels even when `number` is str."""
        return [Decimal(str(bidask[price_key])), Decimal(str(bidask[amount_key]))]


if TYPE_CHECKING:

    class Client(Door, ccxt.Exchange): ...  # type: ignore[misc]
else:
    Client = object


@cache
def _behind_door(venue_id: str) -> type[Client]:
    own = dialect_of(venue_id).client_class
    exchange = own() if own else getattr(ccxt, venue_id)
    return type(f"{venue_id}_behind_door", (Door, exchange), {})


def open_client(
    venue_id: str,
    *,
    wire: Wire,
    proxy: Proxy | None,
    credentials: Credentials | None = None,
    licence: Licence | None = None,
    kind: Callable[[str], type[Client]] = _behind_door,
) -> Client:
    """A ccxt client on the wire's sockets. Closing it leaves those open."""
    dialect = dialect_of(venue_id)
    client = kind(venue_id)(
        {
            "session": wire.session(proxy),
            "ssl_context": tls_context(),
            "timeout": int(HTTP_TIMEOUT_SECONDS * 1000),
            "enableRateLimit": True,
            "enableLastHttpResponse": dialect.needs_last_http_response,
            "enableLastResponseHeaders": False,
            "aiohttp_trust_env": False,
            "options": {"maxRetriesOnFailure": 0, **dialect.options},
            "has": dict(dialect.has),
            **_keys(credentials),
        }
    )
    budget = Budget.from_interval(client.rateLimit)
    client.licence, client.meters = licence, dialect.meters
    client.own_pace = Pace(dialect.key_budget or budget)
    client.order_pace = Pace(dialect.order_budget) if dialect.order_budget else None
    client.address_pace = wire.pace(venue_id, proxy, budget)
    return client


def take_key(client: Client, credentials: Credentials) -> None:
    """An open client signs with this key from now on."""
    for name, value in _keys(credentials).items():
        setattr(client, name, value)


def _keys(credentials: Credentials | None) -> dict[str, str]:
    if credentials is None:
        return {}
    # A PEM key that was pasted into one line has its line ends written out.
    secret = credentials.api_secret.reveal().replace("\\n", "\n")
    keys = {"apiKey": credentials.api_key.reveal(), "secret": secret}
    passphrase = credentials.passphrase.reveal()
    return keys | ({"password": passphrase, "uid": passphrase} if passphrase else {})
