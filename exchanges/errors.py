"""What can go wrong at a venue, split by what it means for the next step.

    VenueError
    ├── ConnectivityError           no answer, or none that counts: reads may be retried with backoff
    │   ├── VenueDownError          maintenance, 5xx, refused, DNS
    │   ├── RateLimitError          retry_after: seconds
    │   ├── ClockError              timestamp or nonce outside the venue's window
    │   ├── ProxyError
    │   │   ├── ProxyAuthError      407: never retried, never bypassed
    │   │   └── ProxyDownError
    │   ├── OutcomeUnknownError     an order or a cancel went out; nobody knows what became of it
    │   └── BookStreamError         what a venue tells of a book by itself is not to be trusted; trouble: why
    ├── MalformedAnswerError        the venue answered what no venue should: wrong types, missing fields
    └── RejectedError               the venue said no
        ├── CredentialsError
        │   ├── PermissionMissingError
        │   └── AddressNotAllowedError  address: the one that was refused, where the venue names it
        ├── InsufficientFundsError
        ├── InvalidOrderError       rule: which one was broken
        ├── OrderNotFoundError
        ├── UnknownSymbolError
        ├── NotOfferedError         nobody can ask this venue that
        └── VenueClosedError        trading has ended at this venue

Every error is one sentence for the operator: what happened, and what to do. Its text holds no secret;
the venue's modules build it from redacted parts.
"""

from __future__ import annotations

from enum import StrEnum


class VenueError(Exception):
    """connection: its name; call: what we asked for; code, text: the venue's own, redacted."""

    def __init__(
        self, sentence: str, *, connection: str = "", call: str = "", code: str = "", text: str = ""
    ) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.connection = connection
        self.call = call
        self.code = code
        self.text = text


class ConnectivityError(VenueError):
    pass


class VenueDownError(ConnectivityError):
    pass


class RateLimitError(ConnectivityError):
    """retry_after: seconds the venue asks us to stay away; None where it does not say. of_address: it is said
    to all who ask from there; else to one key. Without a code it is our own budget that is used up."""

    def __init__(
        self, sentence: str, *, retry_after: float | None = None, of_address: bool = False, **context: str
    ) -> None:
        super().__init__(sentence, **context)
        self.retry_after = retry_after
        self.of_address = of_address


class ClockError(ConnectivityError):
    pass


class ProxyError(ConnectivityError):
    pass


class ProxyAuthError(ProxyError):
    pass


class ProxyDownError(ProxyError):
    pass


class OutcomeUnknownError(ConnectivityError):
    pass


class Trouble(StrEnum):
    """What is wrong with a book that a venue tells by itself."""

    GAP = "gap"  # a message is missing
    CHECKSUM = "checksum"  # the venue's sum over the book is not ours
    SILENCE = "silence"  # nothing at all was heard, though nobody hung up
    CUT = "cut"  # the connection is gone, or was not to be had
    DIFFERENCE = "difference"  # asked, the venue shows another book
    CROSSED = "crossed"
    WORN = "worn"  # too few levels are left of what is known
    UNREADABLE = "unreadable"
    REFUSED = "refused"  # there is no such stream, or not on this way


class BookStreamError(ConnectivityError):
    def __init__(self, sentence: str, *, trouble: Trouble, **context: str) -> None:
        super().__init__(sentence, **context)
        self.trouble = trouble


class MalformedAnswerError(VenueError):
    pass


class RejectedError(VenueError):
    pass


class CredentialsError(RejectedError):
    pass


class PermissionMissingError(CredentialsError):
    pass


class AddressNotAllowedError(CredentialsError):
    def __init__(self, sentence: str, *, address: str | None = None, **context: str) -> None:
        super().__init__(sentence, **context)
        self.address = address


class InsufficientFundsError(RejectedError):
    pass


class Rule(StrEnum):
    """The rule of a venue that an order broke."""

    MIN_AMOUNT = "min_amount"
    MAX_AMOUNT = "max_amount"
    MIN_COST = "min_cost"
    PRICE_STEP = "price_step"
    AMOUNT_STEP = "amount_step"
    PRICE_RANGE = "price_range"
    POST_ONLY = "post_only"
    DUPLICATE = "duplicate"
    MAX_OPEN_ORDERS = "max_open_orders"
    OTHER = "other"


class InvalidOrderError(RejectedError):
    def __init__(self, sentence: str, *, rule: Rule = Rule.OTHER, **context: str) -> None:
        super().__init__(sentence, **context)
        self.rule = rule


class OrderNotFoundError(RejectedError):
    pass


class UnknownSymbolError(RejectedError):
    pass


class NotOfferedError(RejectedError):
    pass


class VenueClosedError(RejectedError):
    pass


# Whatever was asked about, the next question would meet the same.
OF_THE_CONNECTION = (ConnectivityError, CredentialsError, VenueClosedError)
