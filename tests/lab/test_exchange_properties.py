"""The matching engine under random streams of orders."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.lab.floor import SYMBOL, D, Floor
from tests.lab.ledger import FEES
from tests.lab.orders import (
    Kind,
    RefusedError,
    SelfTrade,
    Side,
    Ticket,
    TimeInForce,
)

ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(("ann", "bob", "eve")),
        st.sampled_from(tuple(Side)),
        st.sampled_from(("gtc", "ioc", "fok", "post", "market", "budget", "cancel")),
        st.integers(1, 300_000),  # amount, in steps of 0.00001
        st.integers(99_000, 101_000),  # price, in cents
        st.sampled_from(tuple(SelfTrade)),
    ),
    max_size=40,
)


def act(floor: Floor, action: tuple[str, Side, str, int, int, SelfTrade]) -> None:
    account, side, what, lots, cents, self_trade = action
    if what == "cancel":
        orders = floor.exchange.open_orders(account)
        if orders:
            floor.exchange.cancel(orders[lots % len(orders)])
        return
    amount, price = D(lots) / 100_000, D(cents) / 100
    kind = {"post": Kind.POST_ONLY, "market": Kind.MARKET, "budget": Kind.MARKET}.get(what, Kind.LIMIT)
    ticket = Ticket(
        account=account,
        symbol=SYMBOL,
        side=side,
        kind=kind,
        amount=None if what == "budget" else amount,
        budget=(amount * price).quantize(D("0.01")) if what == "budget" else None,
        price=None if kind is Kind.MARKET else price,
        time_in_force=TimeInForce(what) if what in ("ioc", "fok") else TimeInForce.GTC,
        self_trade=self_trade,
    )
    try:
        floor.exchange.place(ticket)
    except RefusedError:
        return


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS)
def test_balances_are_conserved_and_never_negative(
    actions: list[tuple[str, Side, str, int, int, SelfTrade]],
) -> None:
    floor = Floor()
    ledger = floor.exchange.ledger
    for action in actions:
        act(floor, action)
        for currency in ("BTC", "USDT"):
            assert ledger.total(currency) == ledger.deposited(currency)
            assert all(min(ledger.holding(name, currency)) >= 0 for name in ("ann", "bob", "eve", FEES))


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS)
def test_what_is_held_is_what_the_open_orders_need(
    actions: list[tuple[str, Side, str, int, int, SelfTrade]],
) -> None:
    floor = Floor()
    for action in actions:
        act(floor, action)
    for name in ("ann", "bob", "eve"):
        mine = floor.exchange.open_orders(name)
        bids = sum((o.remaining * o.limit_price for o in mine if o.side is Side.BUY), D(0))
        asks = sum((o.remaining for o in mine if o.side is Side.SELL), D(0))
        assert (floor.holding(name, "USDT").used, floor.holding(name, "BTC").used) == (bids, asks)


@settings(max_examples=150, deadline=None)
@given(actions=ACTIONS)
def test_the_book_is_never_crossed_and_nobody_is_passed_over(
    actions: list[tuple[str, Side, str, int, int, SelfTrade]],
) -> None:
    floor = Floor()
    market = floor.exchange.market(SYMBOL)
    for action in actions:
        before = {side: list(market.book.resting(side)) for side in Side}
        seen = len(market.trades)
        act(floor, action)
        for trade in market.trades[seen:]:
            maker = market.orders[trade.maker_order_id]
            queue = before[maker.side]
            ahead = queue[: queue.index(maker)]
            assert not any(order.is_open for order in ahead if order.account != action[0])
            assert trade.price == maker.limit_price
        bid, ask = market.book.bids.best_price, market.book.asks.best_price
        assert bid is None or ask is None or bid < ask


@settings(max_examples=100, deadline=None)
@given(actions=ACTIONS)
def test_an_account_is_worth_what_its_fills_say(
    actions: list[tuple[str, Side, str, int, int, SelfTrade]],
) -> None:
    floor = Floor()
    for action in actions:
        act(floor, action)
    for name in ("ann", "bob", "eve"):
        worth = {"BTC": D(10), "USDT": D(100_000)}
        for fill in floor.exchange.fills(name):
            sign = 1 if fill.side is Side.BUY else -1
            worth["BTC"] += sign * fill.amount
            worth["USDT"] -= sign * fill.cost
            worth[fill.fee_currency] -= fill.fee
        assert {currency: sum(floor.holding(name, currency)) for currency in worth} == worth
