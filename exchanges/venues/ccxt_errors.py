"""Translates what ccxt raises, once: by the venue's own code first, then by what happened on the way.

ccxt's classes come last, because they mislead: it calls a refused key a network error, and a lost answer
the same as maintenance.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address

import aiohttp
import ccxt

from exchanges.errors import (
    AddressNotAllowedError,
    ClockError,
    CredentialsError,
    InsufficientFundsError,
    InvalidOrderError,
    MalformedAnswerError,
    OrderNotFoundError,
    OutcomeUnknownError,
    PermissionMissingError,
    ProxyError,
    RateLimitError,
    RejectedError,
    Rule,
    UnknownSymbolError,
    VenueDownError,
    VenueError,
)
from exchanges.venues.dialect import Dialect, Refusal, Ruling
from exchanges.venues.door import HttpAnswer, Passage
from vault.redaction import redact

LONGEST_TEXT = 300
BANNED, TOO_MANY = 418, 429
LONGEST_BUDGET_SECONDS = 60.0  # a later moment is our clock's fault, or the venue's
UNAVAILABLE_FOR_LEGAL_REASONS = 451

# What ccxt's parsers raise on an answer that is not what they expect.
UNREADABLE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
# What may come out of a call to ccxt; aiohttp's and the socket's errors mostly are wrapped, but not all.
ANY_FAILURE = (ccxt.BaseError, aiohttp.ClientError, OSError, VenueError, *UNREADABLE)


@dataclass(frozen=True, kw_only=True)
class Call:
    """What was asked. writes: it places or cancels, so that its outcome matters."""

    name: str
    title: str
    connection: str
    dialect: Dialect
    writes: bool = False


def translate(error: Exception, call: Call, passage: Passage) -> VenueError:
    """One sentence for the operator, without secrets; the venue's code and text are in its context."""
    found = (
        _own(error)
        or _by_venue(call, passage.answer)
        or _on_the_way(error, call)
        or _by_status(call, passage.answer)
        or _by_class(error, call, passage)
    )
    found.connection, found.call = call.connection, call.name
    if call.writes and _may_have_arrived(found, error, call, passage):
        found = _unknown(found, call)
    return found


def _own(error: Exception) -> VenueError | None:
    """What was translated where it was noticed, as a proxy's refusal is; nothing is told of what it was
    before."""
    found = next((cause for cause in _chain(error) if isinstance(cause, VenueError)), None)
    if found is not None:
        found.__cause__ = found.__context__ = None
    return found


# --- The venue's own code


def _by_venue(call: Call, answer: HttpAnswer | None) -> VenueError | None:
    refusal = call.dialect.read_refusal(answer.body) if answer else None
    if refusal is None or answer is None:
        return None
    ruling = call.dialect.ruling(refusal)
    if ruling is None:
        return _unlisted(refusal, call, answer)
    return _ruled(ruling, refusal, call, answer)


def _ruled(ruling: Ruling, refusal: Refusal, call: Call, answer: HttpAnswer) -> VenueError:
    text = _short(refusal.text)
    address = _address_in(text)
    sentence = ruling.sentence.format(venue=call.title, text=text, address=address or "of this machine")
    context = {"code": refusal.code, "text": text}
    if ruling.rule is not None:
        return InvalidOrderError(sentence, rule=ruling.rule, **context)
    if issubclass(ruling.error, RateLimitError):
        told = retry_after(answer, call.dialect.reset_header)
        wait = _until(call.dialect.resets_at(refusal)) if told is None else told
        return RateLimitError(sentence, retry_after=wait, of_address=ruling.of_address, **context)
    if issubclass(ruling.error, AddressNotAllowedError):
        return AddressNotAllowedError(sentence, address=address, **context)
    return ruling.error(sentence, **context)


def _address_in(text: str) -> str | None:
    """The first IP address that the venue's words name."""
    for word in text.split():
        try:
            return str(ip_address(word.strip("()[],.;:'\"")))
        except ValueError:
            continue
    return None


def _unlisted(refusal: Refusal, call: Call, answer: HttpAnswer) -> VenueError | None:
    """A code that we do not know: a refusal where the venue's 4xx always are, else left to what follows."""
    if not (call.dialect.client_errors_have_no_effect and 400 <= answer.status < 500):
        return None
    if answer.status in (BANNED, TOO_MANY):
        return None
    text = _short(refusal.text)
    sentence = (
        f"{call.title} refuses this ({refusal.code}): {text}. Check the connection and the bot's settings."
    )
    return RejectedError(sentence, code=refusal.code, text=text)


# --- On the way: DNS, TLS, time; what fails at a proxy is translated in its tunnel


def _on_the_way(error: Exception, call: Call) -> VenueError | None:
    for cause in _chain(error):
        found = _by_cause(cause, call)
        if found is not None:
            return found
    return None


def _chain(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or _wrapped(current) or current.__context__


def _wrapped(error: BaseException) -> BaseException | None:
    """ccxt's WebSocket client hands on what failed as its error's only argument."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, BaseException) else None


def _by_cause(cause: BaseException, call: Call) -> VenueError | None:
    if isinstance(cause, aiohttp.ClientConnectorDNSError):
        return VenueDownError(f"The name of {call.title} cannot be resolved: check the network and DNS.")
    if isinstance(cause, aiohttp.ClientSSLError | ssl.SSLError):
        return VenueDownError(
            f"No trusted TLS connection to {call.title}: something on the way shows another certificate; "
            "check the proxy and this machine's clock."
        )
    if isinstance(cause, aiohttp.ClientConnectorError):
        return VenueDownError(f"{call.title} cannot be reached: check the network; it is tried again.")
    if isinstance(cause, TimeoutError | ccxt.RequestTimeout):
        return VenueDownError(f"{call.title} did not answer in time; it is asked again.")
    if isinstance(cause, aiohttp.ClientConnectionError | aiohttp.ClientPayloadError | OSError):
        return VenueDownError(f"The connection to {call.title} broke before its answer; it is asked again.")
    return None


# --- The HTTP status


def _by_status(call: Call, answer: HttpAnswer | None) -> VenueError | None:
    if answer is None or answer.status < 400:
        return None
    code = f"HTTP {answer.status}"
    if answer.status in (BANNED, TOO_MANY):
        return RateLimitError(
            f"{call.title} wants fewer requests from us; we wait as long as it says.",
            retry_after=retry_after(answer, call.dialect.reset_header),
            of_address=answer.status in call.dialect.address_statuses,
            code=code,
        )
    if answer.status == UNAVAILABLE_FOR_LEGAL_REASONS:
        return AddressNotAllowedError(
            f"{call.title} does not serve this machine's country (451): reach it from a permitted one.",
            code=code,
        )
    if answer.status >= 500:
        return VenueDownError(f"{call.title} is out of order ({code}); it is asked again.", code=code)
    if answer.status == 403 and isinstance(answer.body, str):
        return VenueDownError(
            f"The firewall of {call.title} stopped the request (403): it came too often, or from an "
            "address that it distrusts.",
            code=code,
        )
    return None


def retry_after(answer: HttpAnswer, reset_header: str = "") -> float | None:
    """Seconds; the header holds those or a date (RFC 9110). reset_header: see `Dialect`."""
    headers = {name.lower(): value for name, value in answer.headers.items()}
    value = headers.get("retry-after", "")
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (TypeError, ValueError):
        return _until(headers.get(reset_header, ""))


def _until(reset: str) -> float | None:
    """Seconds until a moment that is told in seconds since 1970."""
    if not reset.isdecimal():
        return None
    return min(max(0.0, int(reset) - datetime.now(UTC).timestamp()), LONGEST_BUDGET_SECONDS)


# --- ccxt's class

_CLASSES: tuple[tuple[type[Exception], type[VenueError], str], ...] = (
    (ccxt.InsufficientFunds, InsufficientFundsError, "The account at {venue} holds too little for it."),
    (ccxt.OrderNotFound, OrderNotFoundError, "{venue} has no such order."),
    (ccxt.BadSymbol, UnknownSymbolError, "{venue} has no such market: check the symbol of the bot."),
    (ccxt.PermissionDenied, PermissionMissingError, "{venue} does not let this key do that: {text}."),
    (ccxt.AuthenticationError, CredentialsError, "{venue} refuses the key: {text}. Check key and secret."),
    (ccxt.ArgumentsRequired, RejectedError, "{venue} needs more for this call: {text}."),
    (ccxt.NotSupported, RejectedError, "{venue} does not offer this: {text}."),
    (ccxt.InvalidNonce, ClockError, "{venue} finds our time or nonce out of order: set the clock right."),
    (ccxt.DDoSProtection, RateLimitError, "{venue} wants fewer requests from us; we wait."),
    (ccxt.RateLimitExceeded, RateLimitError, "{venue} wants fewer requests from us; we wait."),
    (ccxt.BadResponse, MalformedAnswerError, "{venue} answered what cannot be read; it is asked again."),
    (ccxt.OnMaintenance, VenueDownError, "{venue} is under maintenance; it is asked again."),
    (ccxt.NetworkError, VenueDownError, "{venue} gives no answer that counts; it is asked again."),
    (ccxt.OperationRejected, RejectedError, "{venue} refuses this: {text}."),
    (ccxt.BadRequest, RejectedError, "{venue} refuses this: {text}. Check the bot's settings."),
)  # fmt: skip

_RULES: tuple[tuple[type[Exception], Rule], ...] = (
    (ccxt.OrderImmediatelyFillable, Rule.POST_ONLY),
    (ccxt.DuplicateOrderId, Rule.DUPLICATE),
    (ccxt.InvalidOrder, Rule.OTHER),
)


def _by_class(error: Exception, call: Call, passage: Passage) -> VenueError:
    text = _venue_text(error, passage)
    for kind, becomes, sentence in _CLASSES:
        if isinstance(error, kind):
            # A limit without a code would be taken for our own.
            code = kind.__name__ if becomes is RateLimitError else ""
            return becomes(sentence.format(venue=call.title, text=text), text=text, code=code)
    for kind, rule in _RULES:
        if isinstance(error, kind):
            return InvalidOrderError(f"{call.title} refuses the order: {text}.", rule=rule, text=text)
    if isinstance(error, ccxt.BaseError):
        return VenueError(
            f"{call.title} answered with an error: {text}. See the venue's documentation.", text=text
        )
    return MalformedAnswerError(
        f"{call.title} answered what cannot be read ({type(error).__name__}); nothing is assumed from it, "
        "and it is asked again."
    )


def _venue_text(error: Exception, passage: Passage) -> str:
    """The venue's words: ccxt's text holds them when it made it from an answer; else it may hold a URL."""
    if passage.departed and passage.answer is None:
        return type(error).__name__
    return _short(str(error)).rstrip(".")


def _short(text: str) -> str:
    return redact(text)[:LONGEST_TEXT]


# --- Orders and cancels


def _may_have_arrived(found: VenueError, error: Exception, call: Call, passage: Passage) -> bool:
    if not passage.departed or isinstance(found, ProxyError):
        return False
    if any(isinstance(cause, aiohttp.ClientConnectorError) for cause in _chain(error)):
        return False  # there was no connection to send it on
    refusal = call.dialect.read_refusal(passage.answer.body) if passage.answer else None
    ruling = call.dialect.ruling(refusal) if refusal else None
    if ruling is not None:
        return ruling.outcome_unknown
    if call.dialect.client_errors_have_no_effect and passage.answer and passage.answer.status < 300:
        return True  # the venue said yes, whatever ccxt makes of its words
    return not isinstance(found, RejectedError | RateLimitError | ClockError)


def _unknown(found: VenueError, call: Call) -> OutcomeUnknownError:
    what = "order" if call.name == "place" else call.name
    sentence = f"Whether {call.title} carried the {what} out is not known; it is looked up. {found.sentence}"
    return OutcomeUnknownError(
        sentence, connection=call.connection, call=call.name, code=found.code, text=found.text
    )
