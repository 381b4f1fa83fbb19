"""The rows of a paper account: every change is one short transaction under the account's lock.

Functions are synchronous and are run in a database thread. None of them asks a venue anything.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_CEILING, Decimal, localcontext
from uuid import UUID

from django.db import transaction
from django.db.models import Max, QuerySet

from exchanges.errors import (
    InsufficientFundsError,
    InvalidOrderError,
    OrderNotFoundError,
    RejectedError,
    Rule,
)
from exchanges.models import ExchangeConnection, PaperAccount, PaperBalance, PaperOrder, PaperTrade
from exchanges.types import (
    ZERO,
    Balance,
    Book,
    Level,
    Liquidity,
    Market,
    OrderRef,
    OrderReport,
    OrderRequest,
    OrderType,
    Side,
    TimeInForce,
    TradeReport,
    VenueOrderStatus,
)
from exchanges.venues import paper_matching as matching
from exchanges.venues import paper_rules as rules
from exchanges.venues.paper_rows import (
    order_report,
    resting_order,
    save_taken_levels,
    save_tape_cursor,
    taken_levels,
    tape_cursors,
    trade_report,
)

PRECISION = 76  # digits: sums of money columns are exact


@dataclass(frozen=True, kw_only=True)
class Watched:
    """The open orders of a symbol, and how far its tape is used up."""

    symbol: str
    orders: tuple[matching.RestingOrder, ...]
    cursor: matching.TapeCursor | None

    @property
    def since(self) -> datetime:
        """From when on the tape matters."""
        arrived_at = min(order.arrived_at for order in self.orders)
        return arrived_at if self.cursor is None else max(arrived_at, self.cursor.until)

    def may_change(self, view: matching.MarketView) -> bool:
        """Whether this market moves the orders, were nothing taken of its levels yet."""
        return bool(matching.settle(self.orders, {}, view, self.cursor).changed)


def open_account(account_id: UUID) -> None:
    """Gives the account its starting balances, once."""
    if PaperAccount.objects.filter(pk=account_id).exists():
        return
    with transaction.atomic(durable=True):
        connection = ExchangeConnection.objects.select_for_update().filter(pk=account_id).first()
        if connection is None:
            raise RejectedError("A paper account belongs to a saved connection; save the connection first.")
        account, is_new = PaperAccount.objects.get_or_create(connection=connection)
        if is_new:
            for currency, total in rules.starting_balances(connection.paper_balances).items():
                PaperBalance.objects.create(account=account, currency=currency, total=total)


def watch(account_id: UUID, symbols: Collection[str] | None = None) -> list[Watched]:
    """The open orders by symbol; None asks for all symbols. Takes no lock: for a first look."""
    orders: dict[str, list[matching.RestingOrder]] = defaultdict(list)
    for row in _open_orders(account_id, symbols):
        orders[row.symbol].append(resting_order(row))
    cursors = tape_cursors(account_id, orders) if orders else {}
    return [
        Watched(symbol=symbol, orders=tuple(resting), cursor=cursors.get(symbol))
        for symbol, resting in orders.items()
    ]


def settle(account_id: UUID, symbol: str, view: matching.MarketView) -> None:
    """Writes the fills that this market gave the open orders."""
    with _locked(account_id):
        rows = {row.pk: row for row in _open_orders(account_id, [symbol])}
        cursor = tape_cursors(account_id, [symbol]).get(symbol)
        resting = [resting_order(row) for row in rows.values()]
        settlement = matching.settle(resting, taken_levels(account_id, symbol), view, cursor)
        for fill in settlement.fills:
            row = rows[fill.order_id]
            _record(row, Level(fill.price, fill.amount), Liquidity.MAKER, row.maker_fee, fill.time)
        for changed in settlement.changed:
            rows[changed.id].queue_ahead = changed.queue_ahead
            rows[changed.id].save()
        if settlement.changed:
            save_taken_levels(account_id, symbol, settlement.taken)
            save_tape_cursor(account_id, symbol, matching.advanced(cursor, view.trades))


def accept(account_id: UUID, request: OrderRequest, market: Market, book: Book, now: datetime) -> OrderReport:
    """Takes the order into the books and gives it what it crosses. Raises RejectedError, without effect."""
    with _locked(account_id):
        if PaperOrder.objects.filter(account=account_id, client_id=request.client_id).exists():
            raise InvalidOrderError(
                f"There is an order with the client id {request.client_id} already.", rule=Rule.DUPLICATE
            )
        taken = taken_levels(account_id, request.symbol)
        arrival = matching.arrive(request.side, request.amount, request.price, book, taken)
        _check_funds(account_id, request, market, arrival.parts)
        order = _new_order(account_id, request, market, book, now)
        for part in arrival.parts:
            _record(order, part, Liquidity.TAKER, market.taker_fee, now)
        _finish_arrival(order, request)
        if arrival.parts:
            save_taken_levels(account_id, request.symbol, arrival.taken)
        return order_report(order)


def cancel(account_id: UUID, ref: OrderRef) -> None:
    """Raises OrderNotFoundError where the order is not open any more."""
    with _locked(account_id):
        order = find(account_id, ref)
        if order.status != VenueOrderStatus.OPEN:
            raise OrderNotFoundError(f"The order {order.client_id} is {order.status} and cannot be canceled.")
        order.status = VenueOrderStatus.CANCELED.value
        order.save(update_fields=["status"])


def balances(account_id: UUID) -> dict[str, Balance]:
    with _locked(account_id):
        return _balances(account_id)


def open_orders(account_id: UUID, symbols: Collection[str]) -> list[OrderReport]:
    return [order_report(order) for order in _open_orders(account_id, symbols)]


def order(account_id: UUID, ref: OrderRef) -> OrderReport:
    return order_report(find(account_id, ref))


def trades(account_id: UUID, symbol: str, since: datetime) -> list[TradeReport]:
    rows = PaperTrade.objects.filter(account=account_id, symbol=symbol, at__gte=since)
    return [trade_report(row) for row in rows.select_related("order")]


def order_trades(account_id: UUID, ref: OrderRef) -> list[TradeReport]:
    rows = PaperTrade.objects.filter(order=find(account_id, ref))
    return [trade_report(row) for row in rows.select_related("order")]


def find(account_id: UUID, ref: OrderRef) -> PaperOrder:
    orders = PaperOrder.objects.filter(account=account_id, symbol=ref.symbol)
    if ref.venue_id is None:
        row = orders.filter(client_id=ref.client_id).first()
    else:
        row = orders.filter(pk=ref.venue_id).first() if ref.venue_id.isdecimal() else None
    if row is None:
        raise OrderNotFoundError(
            f"The paper account has no order {ref.venue_id or ref.client_id} in {ref.symbol}."
        )
    return row


@contextmanager
def _locked(account_id: UUID) -> Iterator[None]:
    with transaction.atomic(durable=True), localcontext(prec=PRECISION):
        PaperAccount.objects.select_for_update().get(pk=account_id)
        yield


def _open_orders(account_id: UUID, symbols: Collection[str] | None = None) -> QuerySet[PaperOrder]:
    orders = PaperOrder.objects.filter(account=account_id, status=VenueOrderStatus.OPEN.value)
    return orders if symbols is None else orders.filter(symbol__in=symbols)


def _balances(account_id: UUID) -> dict[str, Balance]:
    used: dict[str, Decimal] = defaultdict(Decimal)
    for row in _open_orders(account_id):
        remaining, price = row.amount - row.filled, row.price or ZERO
        currency, held = rules.hold(Side(row.side), row.base, row.quote, price=price, remaining=remaining)
        used[currency] += held
    return {
        row.currency: Balance(
            currency=row.currency, free=row.total - used[row.currency], used=used[row.currency]
        )
        for row in PaperBalance.objects.filter(account=account_id)
    }


def _check_funds(account_id: UUID, request: OrderRequest, market: Market, parts: Sequence[Level]) -> None:
    if request.price is None and request.side is Side.BUY:
        costs = (rules.product(part.price, part.amount, ROUND_CEILING) for part in parts)
        currency, needed = market.quote, sum(costs, ZERO)
    else:
        price = request.price or ZERO
        currency, needed = rules.hold(
            request.side, market.base, market.quote, price=price, remaining=request.amount
        )
    held = _balances(account_id).get(currency)
    free = ZERO if held is None else held.free
    if needed > free:
        raise InsufficientFundsError(
            f"The order needs {needed.normalize():f} {currency} and {free.normalize():f} is free."
        )


def _new_order(
    account_id: UUID, request: OrderRequest, market: Market, book: Book, now: datetime
) -> PaperOrder:
    price = request.price
    return PaperOrder.objects.create(
        account_id=account_id,
        client_id=request.client_id,
        symbol=request.symbol,
        base=market.base,
        quote=market.quote,
        side=request.side.value,
        type=request.type.value,
        price=price,
        amount=request.amount,
        maker_fee=market.maker_fee,
        status=VenueOrderStatus.OPEN.value,
        queue_ahead=ZERO if price is None else matching.queue_ahead(request.side, price, book),
        arrived_at=now,
    )


def _finish_arrival(order: PaperOrder, request: OrderRequest) -> None:
    """What an order that may not rest could not take is canceled."""
    rests = request.type is OrderType.LIMIT and request.time_in_force is TimeInForce.GTC
    if order.status == VenueOrderStatus.OPEN and not rests:
        order.status = VenueOrderStatus.CANCELED.value
    order.save()


def _record(order: PaperOrder, part: Level, liquidity: Liquidity, fee_rate: Decimal, at: datetime) -> None:
    """One fill: a trade, the balances, and the order in memory."""
    moved = rules.exchanged(
        Side(order.side),
        order.base,
        order.quote,
        price=part.price,
        amount=part.amount,
        fee_rate=fee_rate,
    )
    PaperTrade.objects.create(
        order=order,
        account_id=order.account_id,
        symbol=order.symbol,
        price=part.price,
        amount=part.amount,
        cost=moved.cost,
        fee_currency=moved.fee.currency,
        fee_amount=moved.fee.amount,
        liquidity=liquidity.value,
        at=_next_trade_time(order, at),
    )
    for currency, change in moved.changes.items():
        balance, _ = PaperBalance.objects.get_or_create(
            account_id=order.account_id, currency=currency, defaults={"total": ZERO}
        )
        balance.total += change
        balance.save(update_fields=["total"])
    order.filled += part.amount
    order.cost += moved.cost
    if order.filled == order.amount:
        order.status = VenueOrderStatus.FILLED.value


def _next_trade_time(order: PaperOrder, at: datetime) -> datetime:
    """A venue's trade list only grows at its end: whoever reads on from the last trade misses none."""
    trades = PaperTrade.objects.filter(account=order.account_id, symbol=order.symbol)
    latest: datetime | None = trades.aggregate(Max("at"))["at__max"]
    return at if latest is None else max(at, latest)
