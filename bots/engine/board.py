"""Which bots are wanted, in which state and with which settings: asked once a second for a whole process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from bots.models import BotState, SpreadBot
from exchanges.models import ExchangeConnection


@dataclass(frozen=True)
class Notice:
    """What the database wants of the connections that this process holds."""

    connections: Collection[ExchangeConnection] = ()
    bots: Collection[SpreadBot] = ()


def read_notice(connection_ids: Collection[UUID]) -> Notice:
    """In two statements, however many connections there are."""
    connections = ExchangeConnection.objects.filter(pk__in=connection_ids)
    bots = SpreadBot.objects.exclude(state=BotState.STOPPED).filter(connection_id__in=connection_ids)
    return Notice(list(connections), list(bots.select_related("reference_connection")))


@dataclass
class Board:
    """The last notice, by connection."""

    _connections: dict[UUID, ExchangeConnection] = field(default_factory=dict)
    _bots: dict[UUID, list[SpreadBot]] = field(default_factory=dict)

    def connection(self, connection_id: UUID) -> ExchangeConnection | None:
        return self._connections.get(connection_id)

    def bots(self, connection_id: UUID) -> list[SpreadBot]:
        return self._bots.get(connection_id, [])

    def post(self, notice: Notice) -> set[UUID]:
        """The connections where something changed that should not wait for the next cycle."""
        before = self._urgent()
        bots: dict[UUID, list[SpreadBot]] = defaultdict(list)
        for bot in notice.bots:
            bots[bot.connection_id].append(bot)
        self._bots = dict(bots)
        self._connections = {connection.pk: connection for connection in notice.connections}
        return {connection_id for connection_id, _ in before ^ self._urgent()}

    def _urgent(self) -> set[tuple[UUID, object]]:
        states = {(key, (bot.pk, bot.state)) for key, bots in self._bots.items() for bot in bots}
        return states | {(key, identity(connection)) for key, connection in self._connections.items()}


def identity(connection: ExchangeConnection) -> object:
    """What makes it another account, or another way to it: when it changes, it is opened anew."""
    secrets = (connection.api_key, connection.api_secret, connection.passphrase, connection.proxy_password)
    return (
        connection.venue,
        connection.mode,
        connection.enabled,
        connection.proxy_url,
        connection.proxy_username,
        *(secret.sealed() for secret in secrets),
    )
