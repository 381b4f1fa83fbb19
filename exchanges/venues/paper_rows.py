"""Between the rows of a paper account and the values that matching and gateways speak of."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from exchanges.models import PaperOrder, PaperTaken, PaperTape, PaperTrade
from exchanges.types import (
    ZERO,
    Fee,
    Liquidity,
    OrderReport,
    OrderType,
    Side,
    TradeReport,
    VenueOrderStatus,
)
from exchanges.venues import paper_matching as matching


def order_report(row: PaperOrder) -> OrderReport:
    return OrderReport(
        venue_id=str(row.pk),
        client_id=row.client_id,
        symbol=row.symbol,
        side=Side(row.side),
        type=OrderType(row.type),
        status=VenueOrderStatus(row.status),
        amount=row.amount,
        filled=row.filled,
        price=row.price,
        average=row.cost / row.filled if row.filled else None,
        time=row.arrived_at,
    )


def trade_report(row: PaperTrade) -> TradeReport:
    return TradeReport(
        id=str(row.pk),
        order_venue_id=str(row.order_id),
        client_id=row.order.client_id,
        symbol=row.symbol,
        side=Side(row.order.side),
        price=row.price,
        amount=row.amount,
        cost=row.cost,
        fees=(Fee(currency=row.fee_currency, amount=row.fee_amount),),
        liquidity=Liquidity(row.liquidity),
        time=row.at,
    )


def resting_order(row: PaperOrder) -> matching.RestingOrder:
    return matching.RestingOrder(
        id=row.pk,
        side=Side(row.side),
        price=row.price or ZERO,
        remaining=row.amount - row.filled,
        queue_ahead=row.queue_ahead,
        arrived_at=row.arrived_at,
    )


def taken_levels(account_id: UUID, symbol: str) -> matching.TakenLevels:
    return {
        matching.LevelKey(Side(row.side), row.price): matching.Taken(row.amount, row.level_amount)
        for row in PaperTaken.objects.filter(account=account_id, symbol=symbol)
    }


def save_taken_levels(account_id: UUID, symbol: str, taken: matching.TakenLevels) -> None:
    PaperTaken.objects.filter(account=account_id, symbol=symbol).delete()
    PaperTaken.objects.bulk_create(_taken_rows(account_id, symbol, taken))


def _taken_rows(account_id: UUID, symbol: str, taken: matching.TakenLevels) -> Iterable[PaperTaken]:
    for key, entry in taken.items():
        yield PaperTaken(
            account_id=account_id,
            symbol=symbol,
            side=key.side.value,
            price=key.price,
            amount=entry.amount,
            level_amount=entry.level_amount,
        )


def tape_cursors(account_id: UUID, symbols: Iterable[str]) -> dict[str, matching.TapeCursor]:
    return {
        tape.symbol: matching.TapeCursor(until=tape.until, ids=frozenset(tape.ids_at_until))
        for tape in PaperTape.objects.filter(account=account_id, symbol__in=list(symbols))
    }


def save_tape_cursor(account_id: UUID, symbol: str, cursor: matching.TapeCursor | None) -> None:
    if cursor is not None:
        PaperTape.objects.update_or_create(
            account_id=account_id,
            symbol=symbol,
            defaults={"until": cursor.until, "ids_at_until": sorted(cursor.ids)},
        )
