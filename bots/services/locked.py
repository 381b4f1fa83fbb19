"""A bot's row, as its kind, for nobody else to change meanwhile."""

from __future__ import annotations

from bots.models import KINDS, AnyBot, Bot
from exchanges.models import ExchangeConnection


def locked(bot: Bot) -> AnyBot:
    """Its connection's row first, which archiving a connection and taking a lease lock too."""
    ExchangeConnection.objects.select_for_update(of=("self",)).get(pk=bot.connection_id)
    for kind in KINDS:
        rows = kind.objects.select_for_update(of=("self", "bot_ptr")).select_related("connection")
        row: AnyBot | None = rows.filter(pk=bot.pk).first()
        if row is not None:
            return row
    raise Bot.DoesNotExist(f"There is no bot {bot.pk}.")
