"""What is odd about Alpaca.

Sources: docs.alpaca.markets, ccxt 4.5.90.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exchanges.gateway import AccountPermissions
from exchanges.pacing import Budget
from exchanges.types import OrderRef
from exchanges.venues.alpaca.rulings import BY_CODE, BY_TEXT, read_refusal
from exchanges.venues.dialect import Dialect
from exchanges.venues.meters import Counted, Meter

BLOCKS = ("trading_blocked", "account_blocked", "trade_suspended_by_user")
SYMBOL = re.compile(r"[A-Z][A-Z0-9./]{0,29}", re.ASCII)
AMOUNTS = ("cash", "equity", "position_market_value")


def client_class() -> type[Any]:
    from exchanges.venues.alpaca.connector import Alpaca

    return Alpaca


def has_balances(answer: object) -> bool:
    """answer: {"account": …, "positions": […]}, as the connector puts the two together."""
    if not isinstance(answer, dict):
        return False
    account, positions = answer.get("account"), answer.get("positions")
    return (
        isinstance(account, dict)
        and all(isinstance(account.get(name), str) for name in AMOUNTS)
        and isinstance(positions, list)
        and all(map(_is_position, positions))
    )


def _is_position(row: object) -> bool:
    return (
        isinstance(row, dict)
        and row.get("side") in ("long", "short")
        and all(isinstance(row.get(name), str) for name in ("qty", "asset_class", "symbol"))
        and SYMBOL.fullmatch(row["symbol"]) is not None
    )


async def fetch_permissions(client: Any) -> AccountPermissions:
    """A key may do what its account may; whether it could withdraw, Alpaca does not say."""
    account: Mapping[str, Any] = await client.fetch_account()
    is_active = account["status"] == "ACTIVE" and not any(account[name] for name in BLOCKS)
    return AccountPermissions(can_trade=is_active, can_withdraw=None)


async def fetch_by_client_id(client: Any, ref: OrderRef) -> Any:
    return await client.fetch_order_by_client_id(ref.client_id, ref.symbol)


DIALECT = Dialect(
    client_class=client_class,
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    rulings_by_text=BY_TEXT,
    client_errors_have_no_effect=True,
    fetch_by_client_id=fetch_by_client_id,
    fetch_permissions=fetch_permissions,
    has_balances=has_balances,
    open_orders_at_once=2,
    trades_per_page=100,
    public_trades_per_page=1000,
    key_budget=Budget.from_interval(300),  # 200 a minute
    meters=(
        Meter(counts=Counted.KEY, remaining="x-ratelimit-remaining", limit="x-ratelimit-limit", seconds=60),
    ),
    reset_header="x-ratelimit-reset",
)
