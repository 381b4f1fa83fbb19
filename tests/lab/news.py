"""What happens on an exchange, told to those who listen: for streams over WebSockets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.lab.interference import Interference
from tests.lab.journal import Event
from tests.lab.orders import Order, PublicTrade


@dataclass(frozen=True)
class BookChanged:
    """Once for all that one order or cancel did to it."""

    symbol: str


@dataclass(frozen=True)
class OrderChanged:
    """Of an account that is not the crowd's. trade: of a fill."""

    order: Order
    event: Event
    trade: PublicTrade | None


Item = BookChanged | PublicTrade | OrderChanged
Listener = Callable[[Item], None]


class News:
    """Listeners are called in the midst of what happens: they note it down, and change nothing.

    interference: with those who tell it on.
    """

    def __init__(self) -> None:
        self.interference = Interference()
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """What ends the subscription."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def tell(self, item: Item) -> None:
        for listener in list(self._listeners):
            listener(item)
