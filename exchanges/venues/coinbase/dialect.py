"""What is odd about Coinbase Advanced Trade, spot.

Sources: the Advanced Trade REST reference of docs.cdp.coinbase.com, and ccxt 4.5.90.
"""

from __future__ import annotations

from typing import Any

from exchanges.gateway import AccountPermissions
from exchanges.pacing import Budget
from exchanges.types import OrderRef, OrderRequest, OrderType, TimeInForce
from exchanges.venues.coinbase.rulings import BY_CODE, BY_TEXT, read_refusal
from exchanges.venues.dialect import BookStreaming, Dialect

# The connector asks for all pages itself.
ALL = 10**9
# In any second 27 of the 30 private requests that a user may make, or 9 of an address's 10 public ones, which
# cost 3: how Coinbase counts is not told, so those that go at once and those behind them are less together.
KEY_BUDGET = Budget(rate=18, burst=9)
FILLS_PER_PAGE = 250


def client_class() -> type[Any]:
    from exchanges.venues.coinbase.connector import CoinbaseClient

    return CoinbaseClient


def place_params(request: OrderRequest) -> dict[str, Any]:
    """The order in Coinbase's own words: ccxt drops the unified client id, and sizes market buys in quote."""
    return {"client_order_id": request.client_id, "order_configuration": configuration_of(request)}


def configuration_of(request: OrderRequest) -> dict[str, dict[str, Any]]:
    size = {"base_size": f"{request.amount:f}"}
    if request.type is OrderType.MARKET or request.price is None:
        return {"market_market_ioc": size}
    limit = {**size, "limit_price": f"{request.price:f}"}
    if request.time_in_force is TimeInForce.IOC:
        return {"sor_limit_ioc": limit}
    return {"limit_limit_gtc": {**limit, "post_only": request.post_only}}


async def fetch_by_client_id(client: Any, ref: OrderRef) -> Any:
    return await client.fetch_order_of(ref.client_id, ref.symbol, ref.not_before)


async def fetch_permissions(client: Any) -> AccountPermissions:
    can_view, can_trade, can_transfer = await client.fetch_rights()
    return AccountPermissions(can_trade=can_view and can_trade, can_withdraw=can_transfer)


def has_balances(answer: object) -> bool:
    rows = answer.get("accounts") if isinstance(answer, dict) else None
    return isinstance(rows, list) and all(_is_account(row) for row in rows)


def _is_account(row: object) -> bool:
    return (
        isinstance(row, dict)
        and isinstance(row.get("type"), str)
        and all(_is_amount(row.get(name)) for name in ("available_balance", "hold"))
    )


def _is_amount(part: object) -> bool:
    return isinstance(part, dict) and all(isinstance(part.get(name), str) for name in ("value", "currency"))


def streams_class() -> type[Any]:
    from exchanges.venues.coinbase.streams import CoinbaseStreams

    return CoinbaseStreams


DIALECT = Dialect(
    client_class=client_class,
    key_budget=KEY_BUDGET,
    options={"createMarketBuyOrderRequiresPrice": False},
    has={"fetchCurrencies": False, "fetchOrderTrades": True},
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    rulings_by_text=BY_TEXT,
    client_errors_have_no_effect=True,
    place_params=place_params,
    fetch_by_client_id=fetch_by_client_id,
    trades_per_page=FILLS_PER_PAGE,
    public_trades_per_page=ALL,
    fetch_permissions=fetch_permissions,
    has_balances=has_balances,
    book_streaming=BookStreaming(
        client_class=streams_class,
        depth=500,  # of all that there are
        refills=False,
        most_symbols=50,
        pause_seconds=0.2,  # eight messages a second
        speaks_when_quiet=True,
    ),
)
