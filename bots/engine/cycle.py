"""One pass for one bot: snapshot → decide → limits → reconcile → record → submit."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from decimal import Decimal

from bots.accounting import total_profit
from bots.engine import ledger, snapshot, submit
from bots.engine.account import Account, held_by
from bots.engine.clock import uptime, utc_now
from bots.engine.feed import Feeds
from bots.engine.limits import LimitContext, Refusal, Verdict, check
from bots.engine.reconcile import Plan, reconcile
from bots.engine.sheet import Sheet
from bots.lifecycle import LIVE, OrderState
from bots.models import BotState, OnStop, Order, Position, Severity
from bots.models import Decision as DecisionRow
from bots.strategies.base import Decision, Quote, Snapshot
from bots.strategies.spread import decide
from exchanges.errors import UnknownSymbolError, VenueError
from exchanges.types import ZERO, Market, Side

MARK_EVERY_SECONDS = 10.0


async def cycle(account: Account, sheet: Sheet, feeds: Feeds, funds: Funds) -> None:
    """Raises VenueError where the connection cannot be used; what concerns only this bot is its decision."""
    market = account.markets.get(sheet.bot.symbol)
    if market is None:
        raise UnknownSymbolError(f"{account.name} has no market {sheet.bot.symbol}: check the bot's symbol.")
    seen = await snapshot.take(account, sheet.bot, market, feeds)
    decision = decide(seen, sheet.bot.strategy_settings)
    position = _marked(account.position(sheet.bot.pk, sheet.bot.symbol), decision, seen)
    verdict = check(_wanted(sheet, decision), _limit_context(account, sheet, seen, position, funds))
    plan = reconcile(
        verdict.allowed,
        seen.open_orders,
        tolerance_pct=Decimal(sheet.bot.requote_tolerance_pct),
        minimum_distance_pct=Decimal(sheet.bot.minimum_spread_pct),
        reference_price=decision.reference_price,
    )
    await _record(account, sheet, decision, verdict, position)

    def still_allowed(quotes: list[Quote]) -> list[Quote]:
        now = replace(seen, open_orders=snapshot.open_orders(account, sheet.bot))
        others = [quote for quote in verdict.allowed if quote not in quotes]
        context = _limit_context(account, sheet, now, position, funds)
        return [quote for quote in check((*others, *quotes), context).allowed if quote in quotes]

    await _carry_out(account, sheet, plan, funds, still_allowed)


class Funds:
    """What is free on a connection while its bots take turns: read once a round, then counted down."""

    def __init__(self, account: Account) -> None:
        self._free = {currency: balance.free for currency, balance in account.balances.items()}
        for order in account.live_orders():
            if order.state == OrderState.UNKNOWN and not order.venue_id:
                self._move(account.markets.get(order.symbol), [order], -1)

    def free(self, currency: str) -> Decimal:
        return max(self._free.get(currency, ZERO), ZERO)

    def taken(self, market: Market, orders: Iterable[Order]) -> None:
        self._move(market, orders, -1)

    def released(self, market: Market, orders: Iterable[Order]) -> None:
        self._move(market, orders, 1)

    def _move(self, market: Market | None, orders: Iterable[Order], sign: int) -> None:
        if market is None:
            return
        held = held_by(orders)
        for currency, amount in ((market.quote, held[Side.BUY]), (market.base, held[Side.SELL])):
            self._free[currency] = self._free.get(currency, ZERO) + sign * amount


def _wanted(sheet: Sheet, decision: Decision) -> tuple[Quote, ...]:
    """What should rest: nothing new while the bot is paused or stopping."""
    return decision.quotes if sheet.is_running else ()


def _limit_context(
    account: Account, sheet: Sheet, seen: Snapshot, position: Position, funds: Funds
) -> LimitContext:
    holding = position.holding
    mark = position.mark_price
    profit = total_profit(holding, mark) if mark is not None else Decimal(position.realised_profit)
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


def _unrecorded(account: Account, sheet: Sheet) -> Decimal:
    """Base, signed: filled by the venue's word, but the trades are not here yet."""
    signs = {Side.BUY: 1, Side.SELL: -1}
    orders = account.orders_of(sheet.bot.pk)
    return sum((signs[Side(o.side)] * max(o.filled - o.traded, ZERO) for o in orders), ZERO)


def _marked(position: Position, decision: Decision, seen: Snapshot) -> Position:
    """The position valued at the price in view, and its profit as the UTC day began."""
    mark = (seen.book.mid if seen.book else None) or decision.reference_price or position.mark_price
    position.mark_price, position.marked_at = mark, seen.now
    if mark is not None and position.day != seen.now.date():
        position.day = seen.now.date()
        position.day_start_profit = total_profit(position.holding, mark)
    return position


async def _record(
    account: Account, sheet: Sheet, decision: Decision, verdict: Verdict, position: Position
) -> None:
    """Nothing changed, nothing written; but a mark is not left to age: `keep_marks` writes it."""
    row = DecisionRow(
        bot_id=sheet.bot.pk,
        reason=decision.reason,
        reference_price=decision.reference_price,
        quotes=[_quote_row(quote) for quote in verdict.allowed],
        refusals=[_refusal_row(refusal) for refusal in verdict.refusals],
        at=utc_now(),
    )
    written = (row.reason, row.reference_price, row.quotes, row.refusals, position.day)
    if written != sheet.written:
        await account.database.run(ledger.save_decision, account.lease, row, position)
        sheet.written, sheet.marked_at, sheet.mark = written, uptime(), None
    elif uptime() - sheet.marked_at >= MARK_EVERY_SECONDS:
        sheet.mark = position


async def keep_marks(account: Account, sheets: Iterable[Sheet]) -> None:
    """Of the bots whose cycle was in this round, in one transaction."""
    marked = [sheet for sheet in sheets if sheet.mark]
    if not marked:
        return
    positions = [sheet.mark for sheet in marked if sheet.mark]
    await account.database.run(ledger.save_marks, account.lease, positions, at=utc_now())
    for sheet in marked:
        sheet.mark, sheet.marked_at = None, uptime()


def _quote_row(quote: Quote) -> dict[str, str]:
    return {
        "side": quote.side,
        "price": f"{quote.price:f}",
        "amount": f"{quote.amount:f}",
        "level": quote.level,
    }


def _refusal_row(refusal: Refusal) -> dict[str, str]:
    return _quote_row(refusal.quote) | {"rule": refusal.rule, "sentence": refusal.sentence}


async def _carry_out(
    account: Account,
    sheet: Sheet,
    plan: Plan,
    funds: Funds,
    still_allowed: Callable[[list[Quote]], list[Quote]],
) -> None:
    """Cancels, then places: a replacement only where its predecessor's cancel is confirmed.

    still_allowed: the limits' word once more, because a cancel may tell of a fill that nobody knew of.
    """
    if sheet.bot.state == BotState.STOPPING and sheet.bot.on_stop == OnStop.LEAVE:
        return
    market = account.markets[sheet.bot.symbol]
    may_place = uptime() >= sheet.held_until
    pairs = plan.replace if may_place else ()
    to_cancel = [
        account.orders[order.client_id] for order in (*plan.cancel, *(pair.cancel for pair in pairs))
    ]
    await submit.cancel(account, to_cancel)
    ended = [order for order in to_cancel if OrderState(order.state).is_final]
    funds.released(market, ended)
    gone = {order.client_id for order in ended}
    quotes = [pair.place for pair in pairs if pair.cancel.client_id in gone]
    if may_place:
        quotes += plan.place
    if to_cancel:
        quotes = still_allowed(quotes)
    placed = await submit.place(account, sheet.bot, market.symbol, quotes)
    funds.taken(market, (order for order in placed.orders if order.state in LIVE))
    if placed.refusals:
        await _refused(account, sheet, placed.refusals[0])
    elif quotes:
        sheet.placed_well()


async def _refused(account: Account, sheet: Sheet, error: VenueError) -> None:
    """The venue said no: the bot waits before it tries again, and says so once."""
    if sheet.pause_placing(uptime(), error.sentence):
        event = account.event(
            "order_refused", error.sentence, at=utc_now(), bot_id=sheet.bot.pk, severity=Severity.WARNING
        )
        await account.database.run(ledger.save_event, event)
