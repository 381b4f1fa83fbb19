"""A spot exchange: markets, accounts, orders and trades, with every amount held in a ledger.

It knows no wire format; a dialect (binance/) speaks for it. Nothing here awaits, so a call is atomic.
"""

from __future__ import annotations

import secrets
from decimal import Decimal
from itertools import count

from tests.lab.accounts import Account, Commission, FeeSchedule
from tests.lab.clock import Clock
from tests.lab.journal import Event, Journal
from tests.lab.ledger import ZERO, InsufficientFundsError, Ledger
from tests.lab.market import LabMarket
from tests.lab.matching import Match, Plan
from tests.lab.news import BookChanged, News, OrderChanged
from tests.lab.orders import (
    Fill,
    Kind,
    Order,
    PublicTrade,
    Reason,
    RefusedError,
    Side,
    State,
    Ticket,
    TimeInForce,
)
from tests.lab.rules import MarketRules


class Exchange:
    def __init__(self, clock: Clock | None = None) -> None:
        self.clock = clock or Clock()
        self.ledger = Ledger(self.clock)
        self.journal = Journal(self.clock)
        self.news = News()
        self.refuses_used_ids = False  # a client id counts as taken even when its order has ended
        self.accepts_crossing_makers = False  # a post-only order that would take is accepted, and ends
        self.fees_in_quote = False  # both sides pay in quote, and a buy holds its commission too
        self.markets: dict[str, LabMarket] = {}
        self.delisted: dict[str, LabMarket] = {}
        self.accounts: dict[str, Account] = {}
        self._sequence = count(1)
        self._uids = count(1001)

    # --- Setting up

    def list_market(self, rules: MarketRules) -> LabMarket:
        self.markets[rules.symbol] = market = LabMarket(rules)
        return market

    def delist_market(self, symbol: str) -> None:
        """What rests there is cancelled, and from then on nobody knows it."""
        for order in self.open_orders(symbol=symbol):
            self.cancel(order)
        self.delisted[symbol] = self.markets.pop(symbol)

    def open_account(self, name: str, fees: FeeSchedule | None = None, *, is_crowd: bool = False) -> Account:
        if name in self.accounts:
            raise ValueError(f"there is an account {name} already")
        account = Account(name=name, uid=next(self._uids), fees=fees or FeeSchedule(), is_crowd=is_crowd)
        self.accounts[name] = account
        if not is_crowd:
            self.ledger.remember(name)
        return account

    def market(self, symbol: str) -> LabMarket:
        if symbol not in self.markets:
            raise RefusedError(Reason.UNKNOWN_SYMBOL, symbol)
        return self.markets[symbol]

    # --- Orders

    def place(self, ticket: Ticket) -> Order:
        """Raises RefusedError, and then nothing has changed but the journal."""
        try:
            order, plan = self._admit(ticket)
        except RefusedError as refusal:
            if not self.accounts[ticket.account].is_crowd:
                self.journal.note_refusal(ticket, str(refusal))
            raise
        self.market(ticket.symbol).enter(order)
        self.accounts[ticket.account].count_unfilled(order.time_ms, 1)
        self._note(Event.ACCEPTED, order)
        self._execute(order, plan)
        self.news.tell(BookChanged(order.symbol))
        return order

    def cancel(self, order: Order) -> None:
        if not order.is_open:
            raise RefusedError(Reason.UNKNOWN_ORDER, f"{order.id} is {order.state}")
        self._end(order, State.CANCELED)
        self.news.tell(BookChanged(order.symbol))

    def expire(self, order: Order) -> None:
        """An order whose time is over."""
        self._end(order, State.EXPIRED)
        self.news.tell(BookChanged(order.symbol))

    def halt(self, symbol: str) -> None:
        """Nothing trades from now on; limit orders that come wait."""
        self.market(symbol).is_halted = True

    def resume(self, symbol: str) -> None:
        """The orders that waited come in now, in the order of their arrival."""
        market = self.market(symbol)
        market.is_halted = False
        waiting, market.waiting = market.waiting, []
        for order in waiting:
            if order.is_open:
                order.update_ms = self.clock.now_ms()
                self._execute(order, market.book.plan(order))
        self.news.tell(BookChanged(symbol))

    def open_orders(self, account: str | None = None, symbol: str | None = None) -> list[Order]:
        """In the order of arrival."""
        markets = [self.market(symbol)] if symbol is not None else list(self.markets.values())
        orders = (order for market in markets for order in market.open_orders())
        return sorted((o for o in orders if account in (None, o.account)), key=lambda order: order.sequence)

    def orders(self, account: str) -> list[Order]:
        orders = (order for market in self.markets.values() for order in market.orders_of(account))
        return sorted(orders, key=lambda order: order.sequence)

    def fills(self, account: str) -> list[Fill]:
        """Both sides of a trade with oneself do not exist: such trades are prevented."""
        fills = (fill for market in self.markets.values() for fill in market.fills_of(account))
        return sorted(fills, key=lambda fill: (fill.time_ms, fill.trade_id))

    # --- Admission

    def _admit(self, ticket: Ticket) -> tuple[Order, Plan]:
        market = self.market(ticket.symbol)
        mine = market.open_orders(ticket.account)
        market.rules.check(ticket, market.average_price(self.clock.now_ms()), len(mine))
        if not self.accounts[ticket.account].can_trade:
            raise RefusedError(Reason.ACCOUNT_DISABLED)
        if self._is_taken(market, ticket):
            raise RefusedError(Reason.DUPLICATE, ticket.client_id)
        order = self._new_order(market, ticket)
        if self._would_take(market, order) and not self.accepts_crossing_makers:
            raise RefusedError(Reason.WOULD_TAKE)
        if market.is_halted and ticket.kind is Kind.MARKET:
            raise RefusedError(Reason.MARKET_CLOSED)
        plan = Plan() if market.is_halted else market.book.plan(order)
        self._hold(market, order, plan)
        return order, plan

    def _would_take(self, market: LabMarket, order: Order) -> bool:
        return order.ticket.kind is Kind.POST_ONLY and market.book.would_take(order.side, order.limit_price)

    def _is_taken(self, market: LabMarket, ticket: Ticket) -> bool:
        holder = market.by_client_id(ticket.account, ticket.client_id) if ticket.client_id else None
        return holder is not None and (holder.is_open or self.refuses_used_ids)

    def _new_order(self, market: LabMarket, ticket: Ticket) -> Order:
        now = self.clock.now_ms()
        return Order(
            id=market.next_order_id,
            sequence=next(self._sequence),
            ticket=ticket,
            client_id=ticket.client_id or secrets.token_urlsafe(16),
            amount=ticket.amount if ticket.amount is not None else ZERO,
            time_ms=now,
            update_ms=now,
        )

    def _hold(self, market: LabMarket, order: Order, plan: Plan) -> None:
        """What the order can cost at most: at its own price, or for a market order what the book asks now."""
        ticket = order.ticket
        if ticket.budget is not None:
            if not plan.matches:
                raise RefusedError(Reason.NO_LIQUIDITY)
            order.amount = plan.amount
        if ticket.kind is Kind.MARKET:
            held = self._market_hold(order, plan)
        else:
            held = order.amount * order.limit_price if order.side is Side.BUY else order.amount
        held *= self._with_commission(order)
        try:
            self.ledger.hold(order.account, self._paid_in(market, order), held)
        except InsufficientFundsError as error:
            raise RefusedError(Reason.INSUFFICIENT_FUNDS, str(error)) from error
        order.held = held

    def _market_hold(self, order: Order, plan: Plan) -> Decimal:
        if order.side is Side.BUY:
            return order.ticket.budget if order.ticket.budget is not None else plan.cost
        return order.amount

    def _with_commission(self, order: Order) -> Decimal:
        """What a buy holds for each unit of its cost."""
        if not self.fees_in_quote or order.side is Side.SELL:
            return Decimal(1)
        fees = self.accounts[order.account].fees
        return 1 + max(fees.maker, fees.taker)

    # --- Execution

    def _execute(self, order: Order, plan: Plan) -> None:
        ticket = order.ticket
        is_short = ticket.time_in_force is TimeInForce.FOK and plan.amount < order.amount
        if is_short or self._would_take(self.market(order.symbol), order):
            self._end(order, State.EXPIRED)
            return
        for own in plan.own:
            own.prevented = own.remaining
            self._end(own, State.SELF_TRADE)
        for match in plan.matches:
            self._trade(order, match)
        if not order.is_open:
            return
        if plan.stopped:
            order.prevented = order.remaining
            self._end(order, State.SELF_TRADE)
        elif ticket.kind is Kind.MARKET or ticket.time_in_force is TimeInForce.IOC:
            self._end(order, State.EXPIRED)
        else:
            self.market(order.symbol).rest(order)

    def _trade(self, taker: Order, match: Match) -> None:
        market = self.market(taker.symbol)
        maker, amount = match
        cost = amount * maker.limit_price
        buyer, seller = (taker, maker) if taker.side is Side.BUY else (maker, taker)
        self.ledger.pay(seller.account, buyer.account, market.rules.base, amount)
        self.ledger.pay(buyer.account, seller.account, market.rules.quote, cost)
        seller.held -= amount
        buyer.held -= cost
        trade = PublicTrade(
            id=market.next_trade_id,
            symbol=taker.symbol,
            price=maker.limit_price,
            amount=amount,
            cost=cost,
            taker_side=taker.side,
            time_ms=taker.update_ms,
            maker_order_id=maker.id,
            taker_order_id=taker.id,
        )
        market.record(trade)
        self.news.tell(trade)
        self._apply(market, trade, maker, is_maker=True)
        self._apply(market, trade, taker, is_maker=False)

    def _apply(self, market: LabMarket, trade: PublicTrade, order: Order, *, is_maker: bool) -> None:
        if not order.filled:
            self.accounts[order.account].count_unfilled(order.time_ms, -1)
        order.filled += trade.amount
        order.cost += trade.cost
        order.update_ms = trade.time_ms
        commission = self._charge(market, order, trade, is_maker=is_maker)
        market.add_fill(
            Fill(
                trade_id=trade.id,
                order_id=order.id,
                account=order.account,
                key=order.ticket.key,
                client_id=order.client_id,
                symbol=order.symbol,
                side=order.side,
                price=trade.price,
                amount=trade.amount,
                cost=trade.cost,
                fee=commission.amount,
                fee_currency=commission.currency,
                is_maker=is_maker,
                time_ms=trade.time_ms,
                at_ms=self.clock.true_ms(),
            )
        )
        self._note(Event.FILLED, order, trade)
        self._free_improvement(market, order)
        if order.remaining == 0:
            self._end(order, State.FILLED)

    def _charge(self, market: LabMarket, order: Order, trade: PublicTrade, *, is_maker: bool) -> Commission:
        fees = self.accounts[order.account].fees
        rate = ZERO if market.rules.is_free_of_charge else fees.rate(is_maker=is_maker)
        third = fees.in_third_currency(market.rules, trade.cost, rate)
        if third is not None and self.ledger.holding(order.account, third.currency).free >= third.amount:
            commission = third
        elif self.fees_in_quote:
            commission = fees.in_quote(market.rules, trade.cost, rate)
            if order.side is Side.BUY:
                self._release(market, order, commission.amount)
        else:
            commission = fees.on_received(market.rules, order.side, trade.amount, trade.cost, rate)
        self.ledger.charge(order.account, commission.currency, commission.amount)
        return commission

    def _free_improvement(self, market: LabMarket, order: Order) -> None:
        """A buy that trades below its price needs less than it holds."""
        if order.side is Side.BUY and order.price is not None:
            needed = order.remaining * order.limit_price * self._with_commission(order)
            self._release(market, order, order.held - needed)

    def _end(self, order: Order, state: State) -> None:
        market = self.market(order.symbol)
        market.leave(order)
        self._release(market, order, order.held)
        order.state = state
        order.update_ms = self.clock.now_ms()
        if state is not State.FILLED:
            self._note(Event.CANCELED if state is State.CANCELED else Event.EXPIRED, order)
        else:
            order.note_change(self.clock.true_ms())
        if self.accounts[order.account].is_crowd and not order.filled:
            market.forget(order)

    def _note(self, event: Event, order: Order, trade: PublicTrade | None = None) -> None:
        if self.accounts[order.account].is_crowd:
            return
        order.note_change(self.clock.true_ms())
        self.journal.note(event, order, trade)
        self.news.tell(OrderChanged(order, event, trade))

    def _release(self, market: LabMarket, order: Order, amount: Decimal) -> None:
        if amount:
            self.ledger.release(order.account, self._paid_in(market, order), amount)
            order.held -= amount

    def _paid_in(self, market: LabMarket, order: Order) -> str:
        return market.rules.quote if order.side is Side.BUY else market.rules.base
