"""One case of the spec: its number, its sentence, what it needs of a venue, and the story that shows it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.spec.bench import Bench


class Need(StrEnum):
    """What a case needs of a venue. Where there is no such thing, the stand says why."""

    TRADING = "it takes orders"
    POST_ONLY = "it takes post-only orders"
    IOC = "it takes immediate-or-cancel orders"
    MARKET_ORDERS = "it takes market orders"
    MIN_COST = "it has a smallest cost"
    MIN_AMOUNT = "it has a smallest amount above its step"
    ORDER_CAP = "it limits the open orders of a market"
    SIGNED_REQUESTS = "a key's secret is proved, not sent"
    SIGNED_TIME = "a signed request is good for a while only"
    PASSPHRASE = "a key has a passphrase"
    KEY_RIGHTS = "a key's rights can be taken away one by one"
    WITHDRAWAL_RIGHT = "it says whether a key may withdraw"
    ADDRESS_LIST = "a key can be bound to addresses"
    CANCELS_END = "what is cancelled cannot be cancelled again"
    OPEN_DATA = "it tells time and markets without a key"
    PUBLIC_TRADES = "it shows everybody's trades"
    DAY_VOLUMES = "it tells what was traded in a day"
    BOOK_DEPTH = "it shows more than the best level"
    LIQUIDITY = "a fill says whether it made or took"
    FEE_IN_BASE = "a buy can be charged in base"
    FEE_IN_QUOTE = "a fee can be charged in quote"
    FEE_IN_THIRD = "a fee can be charged in a third currency"
    RETRY_AFTER = "it says how long to stay away"


Story = Callable[["Bench"], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Case:
    """number: stays; a new case gets the next one, wherever it stands.

    sentence: what the desk does or gets, as the end of “The desk …”.
    """

    number: str
    sentence: str
    needs: frozenset[Need]
    story: Story


_CASES: list[Case] = []


def case(number: str, sentence: str, *needs: Need) -> Callable[[Story], Story]:
    """Enters the function below into the spec."""

    def enter(story: Story) -> Story:
        _CASES.append(Case(number=number, sentence=sentence, needs=frozenset(needs), story=story))
        return story

    return enter


def entered() -> tuple[Case, ...]:
    """By number; all of them once tests.spec.cases is imported."""
    return tuple(sorted(_CASES, key=lambda found: found.number))
