"""What a saved bot would quote now, from what is known without asking its venue."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, localcontext

from bots.models import SpreadBot, Trade
from bots.selectors import last_known_price, last_reference
from bots.strategies.base import Decision, Snapshot
from bots.strategies.spread import decide
from exchanges import selectors as exchanges
from exchanges.gateway import MarketData
from exchanges.models import Balance, ExchangeConnection
from exchanges.types import ZERO, Book, Level, Market
from exchanges.venues.registry import synthetic_market_data

PLENTY = Decimal(10) ** 18


@dataclass(frozen=True, kw_only=True)
class QuotesPreview:
    """decision: None where too little is known; sentence: what it rests on, or what is missing."""

    decision: Decision | None
    sentence: str


def preview_quotes(bot: SpreadBot) -> QuotesPreview:
    synthetic = synthetic_market_data(bot.connection.venue)
    if synthetic is not None:
        return _preview_of_synthetic(bot, synthetic)
    market = exchanges.market(bot.connection.venue, bot.symbol)
    if market is None:
        return QuotesPreview(
            decision=None, sentence="The market's rules are not known yet: test the connection first."
        )
    price, source = last_known_price(bot)
    if price is None:
        return QuotesPreview(
            decision=None, sentence="No price of this market is known yet: start the bot, and look again."
        )
    return _preview(bot, market, _book_around(price, market), source)


def _preview_of_synthetic(bot: SpreadBot, data: MarketData) -> QuotesPreview:
    """Its prices cost nothing, so they are asked for here and now."""
    market = asyncio.run(data.load_markets()).get(bot.symbol)
    if market is None:
        return QuotesPreview(
            decision=None, sentence=f"The {bot.connection.venue} venue has no market {bot.symbol}."
        )
    return _preview(bot, market, asyncio.run(data.fetch_book(bot.symbol)), "the market's book of now")


def _preview(bot: SpreadBot, market: Market, book: Book, source: str) -> QuotesPreview:
    base, quote, funds = _funds(bot.connection, market)
    own_trade = Trade.objects.current().filter(bot=bot, symbol=bot.symbol).first()
    snapshot = Snapshot(
        now=datetime.now(UTC),
        market=market,
        book=book,
        base_balance=base,
        quote_balance=quote,
        base_total=base,
        quote_total=quote,
        last_price=book.mid,
        last_own_price=own_trade.price if own_trade else None,
        other_mid=last_reference(bot),
    )
    with localcontext(prec=40):
        decision = decide(snapshot, bot.strategy_settings)
    return QuotesPreview(decision=decision, sentence=f"From {source}, with {funds}.")


def _book_around(price: Decimal, market: Market) -> Book:
    """The tightest book around a price; its depth is not known."""
    step = market.price_step_at(price)
    bid, ask = Level(price - step, market.amount_step), Level(price + step, market.amount_step)
    return Book(symbol=market.symbol, bids=(bid,), asks=(ask,), time=datetime.now(UTC))


def _funds(connection: ExchangeConnection, market: Market) -> tuple[Decimal, Decimal, str]:
    """(base, quote, which they are); enough for everything while the account's are not known."""
    rows = Balance.objects.filter(connection=connection, currency__in=[market.base, market.quote])
    held = {row.currency: row.free + row.used for row in rows}
    if held or connection.balances_at is not None:
        return held.get(market.base, ZERO), held.get(market.quote, ZERO), "the account's last known balances"
    if connection.is_paper and connection.paper_balances:
        paper = {currency: Decimal(amount) for currency, amount in connection.paper_balances.items()}
        return (
            paper.get(market.base, ZERO),
            paper.get(market.quote, ZERO),
            "the paper account's first balances",
        )
    return PLENTY, PLENTY, "balances that are not known and taken to be enough"
