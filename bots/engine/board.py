"""Which bots are wanted, in which state and with which settings: asked once a second for a whole process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from bots.models import BotState, KillSwitch, SpreadBot
from exchanges.models import ExchangeConnection


@dataclass(frozen=True)
class Notice:
    """What the database wants of the connections that this process holds."""

    connections: Collection[ExchangeConnection] = ()
    bots: Collection[SpreadBot] = ()
    kill_switches: Collection[KillSwitch] = ()


def read_notice(connection_ids: Collection[UUID]) -> Notice:
    """In three statements, however many connections there are."""
    connections = ExchangeConnection.objects.filter(pk__in=connection_ids)
    bots = SpreadBot.objects.exclude(state=BotState.STOPPED).filter(connection_id__in=connection_ids)
    return Notice(
        connections=list(connections),
        bots=list(bots.select_related("reference_connection")),
        kill_switches=list(KillSwitch.objects.engaged()),
    )


@dataclass
class Board:
    """The last notice, by connection."""

    _connections: dict[UUID, ExchangeConnection] = field(default_factory=dict)
    _bots: dict[UUID, list[SpreadBot]] = field(default_factory=dict)
    _kill_switches: Collection[KillSwitch] = ()

    def connection(self, connection_id: UUID) -> ExchangeConnection | None:
        return self._connections.get(connection_id)

    def bots(self, connection_id: UUID) -> list[SpreadBot]:
        return self._bots.get(connection_id, [])

    def kill_switch(self, bot: SpreadBot, connection: ExchangeConnection) -> str:
        """Why nothing may be placed for this bot; empty where no switch covers it."""
        on = (switch for switch in self._kill_switches if switch.covers(bot, connection))
        return next((switch.reason for switch in on), "")

    def post(self, notice: Notice) -> set[UUID]:
        """The connections where something changed that should not wait for the next cycle."""
        before = self._urgent()
        self._kill_switches = notice.kill_switches
        bots: dict[UUID, list[SpreadBot]] = defaultdict(list)
        for bot in notice.bots:
            bots[bot.connection_id].append(bot)
        self._bots = dict(bots)
        self._connections = {connection.pk: connection for connection in notice.connections}
        return {connection_id for connection_id, _ in before ^ self._urgent()}

    def _urgent(self) -> set[tuple[UUID, object]]:
        states = {(key, (bot.pk, bot.state)) for key, bots in self._bots.items() for bot in bots}
        switches = tuple(sorted(switch.pk for switch in self._kill_switches))
        return states | {(key, (identity(c), switches)) for key, c in self._connections.items()}


def identity(connection: ExchangeConnection) -> object:
    """What makes it another account, or another way to it: when it changes, it is opened anew."""
    secrets = (connection.api_key, connection.api_secret, connection.passphrase, connection.proxy_password)
    return (
        connection.venue,
        connection.mode,
        connection.enabled,
        connection.proxy_url,
        connection.proxy_username,
        connection.proxy_ca,
        connection.proxy_ipv4_only,
        *(secret.sealed() for secret in secrets),
    )
