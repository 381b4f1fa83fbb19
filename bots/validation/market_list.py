"""The markets that a scalper is told to trade: how they are written, and whether the venue has them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from difflib import get_close_matches

from bots.models import Markets, ScalperBot
from bots.strategies.figures import plain
from bots.strategies.protections import quote_of
from bots.validation.columns import Mistakes
from exchanges import selectors as exchanges
from exchanges.types import Market

SHOWN = 5


def known_markets(bot: ScalperBot) -> list[Market]:
    """Those of its markets whose rules are on record; of all of a quote currency, those that trade."""
    if not bot.connection_id:
        return []
    venue = bot.connection.venue
    if bot.markets == Markets.LISTED:
        return exchanges.markets(venue, symbols=bot.listed_symbols)
    return [market for market in exchanges.markets(venue, quote=bot.quote_currency) if market.active]


def market_mistakes(bot: ScalperBot, known: Sequence[Market]) -> Mistakes:
    """known: its markets as `known_markets` has them."""
    if bot.markets == Markets.LISTED:
        yield from (("symbols", sentence) for sentence in _list_mistakes(bot, known))
    else:
        yield from (("quote_currency", sentence) for sentence in _quote_mistakes(bot, known))


def market_refusal(bot: ScalperBot, known: Sequence[Market]) -> str:
    """Why it may not start, as far as its markets say."""
    sentence = next((sentence for _, sentence in market_mistakes(bot, known)), "")
    closed = _closed(known)
    if not sentence and closed and len(closed) == len(bot.listed_symbols):
        return f"{_title(bot)} does not trade {_named(closed)} at the moment."
    return sentence


def _closed(known: Sequence[Market]) -> list[str]:
    return [market.symbol for market in known if not market.active]


def market_warnings(bot: ScalperBot, known: Sequence[Market]) -> Iterator[str]:
    if closed := _closed(known):
        yield f"{_title(bot)} does not trade {_named(closed)} at the moment: nothing is opened there."
    quotes = sorted({quote_of(symbol) for symbol in bot.listed_symbols})
    if bot.markets == Markets.LISTED and len(quotes) > 1:
        size = plain(Decimal(bot.order_cost))
        yield (
            f"Its markets are priced in {' and in '.join(quotes)}, and its sizes are in the currency of each "
            f"market: an entry costs {' or '.join(f'{size} {quote}' for quote in quotes)}."
        )


def _list_mistakes(bot: ScalperBot, known: Sequence[Market]) -> Iterator[str]:
    symbols = bot.listed_symbols
    if not symbols:
        yield "List the markets, for example BTC/USDT."
        return
    if wrong := [symbol for symbol in symbols if not _is_well_formed(symbol)]:
        yield f"“{wrong[0]}” is not a market: write base and quote with a slash, as ccxt does: BTC/USDT."
        return
    if twice := [symbol for symbol, count in Counter(symbols).items() if count > 1]:
        yield f"{_named(twice)} {'is' if len(twice) == 1 else 'are'} listed twice."
    yield from _unknown_markets(bot, known)


def _is_well_formed(symbol: str) -> bool:
    base, slash, quote = symbol.partition("/")
    return bool(base and slash and quote) and "/" not in quote


def _unknown_markets(bot: ScalperBot, known: Sequence[Market]) -> Iterator[str]:
    if not _list_is_known(bot):
        return  # the worker will load it, and its own checks have the last word
    there = {market.symbol for market in known}
    unknown = [symbol for symbol in dict.fromkeys(bot.listed_symbols) if symbol not in there]
    if unknown:
        near = get_close_matches(unknown[0].upper(), exchanges.market_symbols(bot.connection.venue), n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        yield f"{_title(bot)} has no market {_named(unknown)}: correct the list.{hint}"


def _quote_mistakes(bot: ScalperBot, known: Sequence[Market]) -> Iterator[str]:
    if not bot.quote_currency:
        yield "Name the quote currency of the markets, for example USDT."
        return
    if known or not _list_is_known(bot):
        return
    quotes = sorted({quote_of(symbol) for symbol in exchanges.market_symbols(bot.connection.venue)})
    near = get_close_matches(bot.quote_currency.upper(), quotes, n=1) or quotes[:SHOWN]
    yield f"{_title(bot)} has no market in {bot.quote_currency} that trades: there is {_named(near)}."


def _list_is_known(bot: ScalperBot) -> bool:
    return bool(bot.connection_id) and exchanges.markets_known(bot.connection.venue)


def _title(bot: ScalperBot) -> str:
    return exchanges.venue_title(bot.connection.venue)


def _named(names: Sequence[str]) -> str:
    more = len(names) - SHOWN
    shown = list(names[:SHOWN])
    if more > 0:
        return f"{', '.join(shown)} and {more} more"
    return " and ".join(filter(None, [", ".join(shown[:-1]), shown[-1]]))
