"""What is typed into the search of a long list: an id as a whole, or a part of a name.

Names are few and rows are many, so names are looked up first: then every question has an index.
"""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import admin
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest

from bots.models import Bot, Order, Position, SpreadBot
from exchanges.models import ExchangeConnection, Mode

HELP = "An id as a whole, or a part of the name of a bot, a connection or a market."


def searched(rows: QuerySet[Model], typed: str, named: Callable[[str], Q]) -> QuerySet[Model]:
    """Rows in which each of the words is found. named: the rows that a word names."""
    for word in typed.split():
        rows = rows.filter(named(word))
    return rows


def by_names(word: str) -> Q:
    """Of bots, of connections, and of markets in which bots have a position."""
    bots = Bot.objects.filter(name__icontains=word)
    connections = ExchangeConnection.objects.filter(name__icontains=word)
    return (
        Q(bot__in=list(bots.values_list("pk", flat=True)))
        | Q(connection__in=list(connections.values_list("pk", flat=True)))
        | _in_markets(word)
    )


def _in_markets(word: str) -> Q:
    """With the bots: a market that is traded once a year would be looked for in all trades."""
    found: set[tuple[UUID, str]] = {
        *Position.objects.filter(symbol__icontains=word).values_list("bot_id", "symbol"),
        *SpreadBot.objects.filter(symbol__icontains=word).values_list("pk", "symbol"),
    }
    bots, symbols = {bot for bot, _ in found}, {symbol for _, symbol in found}
    return Q(bot__in=bots, symbol__in=symbols)


def orders_with_id(word: str) -> list[int]:
    """Ours, or the venue's."""
    return list(Order.objects.filter(Q(client_id=word) | Q(venue_id=word)).values_list("pk", flat=True))


class ModeFilter(admin.SimpleListFilter):
    """By the mode of a row's connection. The connections are looked up first: they are few."""

    title = "mode"
    parameter_name = "mode"

    def lookups(self, request: HttpRequest, model_admin: object) -> list[tuple[str, str]]:
        return [(value, str(label)) for value, label in Mode.choices]

    def queryset(self, request: HttpRequest, rows: QuerySet[Model]) -> QuerySet[Model]:
        if self.value() is None:
            return rows
        connections = ExchangeConnection.objects.filter(mode=self.value())
        return rows.filter(connection__in=list(connections.values_list("pk", flat=True)))
