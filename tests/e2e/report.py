"""Prints the desk's books as one line of JSON; runs inside the product, by `manage.py shell`."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet

from bots.models import Bot, BotEvent, Decision, Order, Position, RoundTrip, Trade
from exchanges.models import Balance, ExchangeConnection, Market


def report() -> None:
    print(json.dumps(books(), default=_exact))  # noqa: T201 - the report is for the process that asked for it


def books() -> dict[str, list[dict[str, Any]]]:
    return {
        "connections": _rows(
            ExchangeConnection.objects, "id", "name", "last_error", "lease_owner", "balances_due_at"
        ),
        "bots": _rows(Bot.objects, "id", "name", "state", "last_cycle_at"),
        "orders": _rows(
            Order.objects.order_by("pk"), "client_id", "venue_id", "side", "symbol", "price", "amount",
            "state", "filled", "traded", "average", "settled_at", "bot__name",
            "connection__name", "fence", "not_found_count", "level", "type", "round_trip_id",
        ),
        "trades": _rows(
            Trade.objects.order_by("pk"), "venue_id", "order__client_id", "side", "price", "amount", "cost",
            "fee_amount", "fee_currency", "liquidity", "realised_profit", "symbol",
            "connection__name",
        ),
        "positions": _rows(
            Position.objects, "bot__name", "symbol", "amount", "cost", "realised_profit", "fees_quote",
            "fees_base", "bot__connection__name",
        ),
        "round_trips": _rows(
            RoundTrip.objects.order_by("pk"), "id", "bot__name", "connection__name", "symbol", "side",
            "state", "closing", "remark", "amount", "cost", "realised_profit", "fees_quote", "fees_base",
            "entered", "entry_cost", "exited", "exit_cost", "opened_at", "closed_at",
        ),
        "markets": _rows(Market.objects, "venue", "symbol", "taker_fee"),
        "balances": _rows(Balance.objects, "connection__name", "currency", "free", "used"),
        "decisions": _rows(Decision.objects, "bot__name", "reason", "refusals"),
        "events": _rows(BotEvent.objects.order_by("pk"), "at", "kind", "severity", "text"),
    }  # fmt: skip


def _rows(rows: Any, *columns: str) -> list[dict[str, Any]]:
    query: QuerySet[Any, dict[str, Any]] = rows.values(*columns)
    return list(query)


def _exact(value: object) -> str:
    return f"{value:f}" if isinstance(value, Decimal) else str(value)
