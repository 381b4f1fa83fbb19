"""What a bot must be before it is saved or started; each mistake is one sentence at its field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal

from django.core.exceptions import ValidationError

from bots.models import AnyBot, SpreadBot
from bots.validation import scalper_bot, spread_bot
from bots.validation.starting import connection_refusal


def check_bot(bot: AnyBot) -> None:
    """Raises ValidationError with one sentence a field; leaves the values cleaned, money as Decimal."""
    bot.clean_fields()
    found: dict[str, str] = {}
    for name, sentence in _mistakes(bot):
        found.setdefault(name, sentence)
    if found:
        raise ValidationError(found)
    bot.full_clean()


def _mistakes(bot: AnyBot) -> Iterator[tuple[str, str]]:
    if bot.connection_id and bot.connection.archived_at is not None:
        yield "connection", f"“{bot.connection}” is archived: choose another connection."
    yield from spread_bot.mistakes(bot) if isinstance(bot, SpreadBot) else scalper_bot.mistakes(bot)


def start_refusal(bot: AnyBot, *, prices: Mapping[str, Decimal]) -> str:
    """Why it may not start, in one sentence; nothing where it may.

    prices: by symbol, quote per base, those that are known.
    """
    if bot.archived_at is not None:
        return f"“{bot}” is archived, and an archived bot does not start."
    refusal = connection_refusal(bot.connection)
    if refusal:
        return refusal
    if isinstance(bot, SpreadBot):
        return spread_bot.settings_refusal(bot, prices.get(bot.symbol))
    return scalper_bot.settings_refusal(bot, prices)


def warnings_of(bot: AnyBot) -> tuple[str, ...]:
    """What is allowed and odd, one sentence each."""
    return () if isinstance(bot, SpreadBot) else tuple(scalper_bot.warnings(bot))
