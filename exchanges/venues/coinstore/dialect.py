"""What is odd about Coinstore."""

from __future__ import annotations

from typing import Any

from exchanges.pacing import Budget
from exchanges.types import OrderRef
from exchanges.venues.coinstore.rulings import BY_CODE, read_refusal
from exchanges.venues.dialect import Dialect


def client_class() -> type[Any]:
    from exchanges.venues.coinstore.connector import Coinstore

    return Coinstore


async def fetch_by_client_id(client: Any, ref: OrderRef) -> Any:
    return await client.fetch_order("", ref.symbol, {"clientOrderId": ref.client_id})


def has_balances(answer: object) -> bool:
    rows = answer.get("data") if isinstance(answer, dict) else None
    return isinstance(rows, list) and all(
        isinstance(row, dict) and {"currency", "balance", "type"} <= row.keys() for row in rows
    )


DIALECT = Dialect(
    client_class=client_class,
    key_budget=Budget(rate=22, burst=40),  # a user may ask 120 times in any 3 s
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    client_errors_have_no_effect=True,
    ids_are_numbers=True,
    fetch_by_client_id=fetch_by_client_id,
    has_balances=has_balances,
)
