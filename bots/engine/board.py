"""Which bots are wanted, in which state and with which settings: asked once a second for a whole process."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from uuid import UUID

from bots.models import Bot, BotState, KillSwitch, ScalperBot, SpreadBot
from database.standing import Standing
from exchanges.models import ExchangeConnection

READ_WHOLE_SECONDS = 60.0


@dataclass(frozen=True)
class Notice:
    """What the database wants of the connections that this process holds."""

    connections: Collection[ExchangeConnection] = ()
    bots: Collection[Bot] = ()
    kill_switches: Collection[KillSwitch] = ()


@dataclass(frozen=True)
class Questions:
    """What is asked once a second of these connections. bots: only what tells a change."""

    connections: Standing[ExchangeConnection]
    bots: Standing[Bot]
    kill_switches: Standing[KillSwitch]


@lru_cache(maxsize=4)
def questions_about(connection_ids: tuple[UUID, ...]) -> Questions:
    return Questions(
        connections=Standing(ExchangeConnection.objects.filter(pk__in=connection_ids)),
        bots=Standing(Bot.objects.at_work().filter(connection__in=connection_ids).only(*_EDITION)),
        kill_switches=Standing(KillSwitch.objects.engaged()),
    )


def read_notice(connection_ids: Collection[UUID], known: Iterable[Bot] = ()) -> Notice:
    """In five statements at most, however many connections there are.

    known: bots as they were read before. Those that have not changed since are not read again: a bot's row
    is wide.
    """
    questions = questions_about(tuple(connection_ids))
    unchanged = {_edition(bot): bot for bot in known}
    at_work = {bot.pk: _edition(bot) for bot in questions.bots.ask()}
    changed = [key for key, edition in at_work.items() if edition not in unchanged]
    fresh = {bot.pk: bot for bot in _read_bots(changed)}
    bots = [fresh.get(key) or unchanged.get(edition) for key, edition in at_work.items()]
    return Notice(
        connections=questions.connections.ask(),
        bots=[bot for bot in bots if bot],
        kill_switches=questions.kill_switches.ask(),
    )


def _read_bots(keys: Collection[UUID]) -> Iterable[Bot]:
    """Those of them that are at work still."""
    if not keys:
        return ()
    spread_bots = SpreadBot.objects.filter(pk__in=keys).exclude(state=BotState.STOPPED)
    scalper_bots = ScalperBot.objects.filter(pk__in=keys).exclude(state=BotState.STOPPED)
    return *spread_bots.select_related("reference_connection"), *scalper_bots


_EDITION = ("pk", "state", "connection_id", "changed_at")


def _edition(bot: Bot) -> tuple[object, ...]:
    return tuple(getattr(bot, name) for name in _EDITION)


@dataclass
class Board:
    """The last notice, by connection."""

    _connections: dict[UUID, ExchangeConnection] = field(default_factory=dict)
    _bots: dict[UUID, list[Bot]] = field(default_factory=dict)
    _kill_switches: Collection[KillSwitch] = ()
    _urgent: set[tuple[UUID, object]] = field(default_factory=set)
    _read_whole_at: float = float("-inf")

    def known_bots(self, now: float) -> list[Bot]:
        """Those that need no second look. None once a minute, should a setting have been written past
        `save()`; and never one that looks at another connection's market, which may have changed itself.
        """
        if now - self._read_whole_at >= READ_WHOLE_SECONDS:
            self._read_whole_at = now
            return []
        bots = (bot for bots in self._bots.values() for bot in bots)
        return [bot for bot in bots if getattr(bot, "reference_connection_id", None) is None]

    def connection(self, connection_id: UUID) -> ExchangeConnection | None:
        return self._connections.get(connection_id)

    def bots(self, connection_id: UUID) -> list[Bot]:
        return self._bots.get(connection_id, [])

    def kill_switch(self, bot: Bot, connection: ExchangeConnection) -> str:
        """Why nothing may be placed for this bot; empty where no switch covers it."""
        on = (switch for switch in self._kill_switches if switch.covers(bot, connection))
        return next((switch.reason for switch in on), "")

    def post(self, notice: Notice) -> set[UUID]:
        """The connections where something changed that should not wait for the next cycle."""
        before = self._urgent
        self._kill_switches = notice.kill_switches
        bots: dict[UUID, list[Bot]] = defaultdict(list)
        for bot in notice.bots:
            bots[bot.connection_id].append(bot)
        self._bots = dict(bots)
        self._connections = {connection.pk: connection for connection in notice.connections}
        self._urgent = self._what_is_urgent()
        return {connection_id for connection_id, _ in before ^ self._urgent}

    def _what_is_urgent(self) -> set[tuple[UUID, object]]:
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
