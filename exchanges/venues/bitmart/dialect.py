"""What is odd about BitMart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from exchanges.gateway import AccountPermissions
from exchanges.pacing import Budget
from exchanges.types import OrderRef
from exchanges.venues.bitmart.rulings import BY_CODE, read_refusal
from exchanges.venues.dialect import Cursor, Dialect


def client_class() -> type[Any]:
    from exchanges.venues.bitmart.connector import Bitmart

    return Bitmart


async def fetch_by_client_id(client: Any, ref: OrderRef) -> Any:
    return await client.fetch_order("", ref.symbol, {"clientOrderId": ref.client_id})


async def fetch_permissions(client: Any) -> AccountPermissions:
    """The balances need the key alone; only this proves the secret and the memo."""
    await client.fetch_open_orders()
    return AccountPermissions(can_trade=None, can_withdraw=None)


def has_balances(answer: object) -> bool:
    rows = answer.get("wallet") if isinstance(answer, dict) else None
    return isinstance(rows, list)


def before(rows: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    return {"endTime": min(int(row["timestamp"]) for row in rows)}


DIALECT = Dialect(
    client_class=client_class,
    key_budget=Budget(rate=3, burst=5, read_share=1),  # 12 lists of orders or trades of a key in any 2 s
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    client_errors_have_no_effect=True,
    ids_are_numbers=True,
    fetch_by_client_id=fetch_by_client_id,
    trades_per_page=200,
    trades_window=timedelta(days=7),
    open_orders_per_page=200,
    open_orders_cursor=Cursor(older=before),
    fetch_permissions=fetch_permissions,
    has_balances=has_balances,
    why_no_day_volumes="Trading at {venue} has ended, so there are no volumes to choose markets by: choose "
    "another exchange.",
)
