"""A spread bot's cycle: snapshot → decide → limits → reconcile → record → submit."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from bots.accounting import total_profit
from bots.engine import snapshot
from bots.engine.account import Account
from bots.engine.execution import Errand, carry_out
from bots.engine.feed import Feeds
from bots.engine.funds import Funds
from bots.engine.limit_context import LimitContext
from bots.engine.limits import check
from bots.engine.reconcile import reconcile
from bots.engine.record import mark, record
from bots.engine.sheet import QuotingSheet
from bots.models import BotState, Position
from bots.strategies.base import Decision, Quote, Snapshot
from bots.strategies.spread import decide
from exchanges.errors import UnknownSymbolError
from exchanges.types import ZERO, Side


async def quote(account: Account, sheet: QuotingSheet, feeds: Feeds, funds: Funds) -> None:
    """Raises VenueError where the connection cannot be used; what concerns only this bot is its decision."""
    bot = sheet.bot
    market = account.markets.get(bot.symbol)
    if market is None:
        raise UnknownSymbolError(f"{account.name} has no market {bot.symbol}: check the bot's symbol.")
    seen = await snapshot.take(account, bot, market, feeds)
    decision = decide(seen, bot.strategy_settings)
    price = (seen.book.mid if seen.book else None) or decision.reference_price
    position = mark(account.position(bot.pk, bot.symbol), price, seen.now)
    verdict = check(_wanted(sheet, decision), _limit_context(account, sheet, seen, position, funds))
    plan = reconcile(
        verdict.allowed,
        seen.open_orders,
        tolerance_pct=Decimal(bot.requote_tolerance_pct),
        minimum_distance_pct=Decimal(bot.minimum_spread_pct),
        reference_price=decision.reference_price,
    )
    await record(account, sheet, replace(decision, quotes=verdict.allowed), verdict.refusals, [position])
    if bot.state == BotState.STOPPING and bot.leaves_orders:
        return

    def still_allowed(quotes: list[Quote]) -> list[Quote]:
        now = replace(seen, open_orders=snapshot.open_orders(account, bot))
        others = [quote for quote in verdict.allowed if quote not in quotes]
        context = _limit_context(account, sheet, now, position, funds)
        return [quote for quote in check((*others, *quotes), context).allowed if quote in quotes]

    errand = Errand(bot=bot, symbol=bot.symbol, funds=funds, hold=sheet.hold, still_allowed=still_allowed)
    await carry_out(account, plan, errand)


def _wanted(sheet: QuotingSheet, decision: Decision) -> tuple[Quote, ...]:
    """What should rest: nothing new while the bot is paused or stopping."""
    return decision.quotes if sheet.is_running else ()


def _limit_context(
    account: Account, sheet: QuotingSheet, seen: Snapshot, position: Position, funds: Funds
) -> LimitContext:
    holding = position.holding
    price = position.mark_price
    profit = total_profit(holding, price) if price is not None else Decimal(position.realised_profit)
    return LimitContext(
        now=seen.now,
        market=seen.market,
        book=seen.book,
        limits=sheet.limits,
        kill_switch=sheet.kill_switch,
        connection_enabled=sheet.connection_enabled,
        bot_running=sheet.is_running,
        open_orders=seen.open_orders,
        position=holding.amount,
        unrecorded_fills=_unrecorded(account, sheet),
        free_base=funds.free(seen.market.base),
        free_quote=funds.free(seen.market.quote),
        day_profit=profit - Decimal(position.day_start_profit),
        last_price=seen.last_price,
    )


def _unrecorded(account: Account, sheet: QuotingSheet) -> Decimal:
    """Base, signed: filled by the venue's word, but the trades are not here yet."""
    signs = {Side.BUY: 1, Side.SELL: -1}
    orders = account.orders_of(sheet.bot.pk)
    return sum((signs[Side(o.side)] * max(o.filled - o.traded, ZERO) for o in orders), ZERO)
