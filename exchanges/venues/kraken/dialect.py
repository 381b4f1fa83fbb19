"""What is odd about Kraken spot.

Sources: Kraken's API documentation ("Spot REST", "Spot Client Order Identifiers", "Spot REST Rate Limits"),
and ccxt 4.5.90.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from exchanges.errors import OrderNotFoundError
from exchanges.gateway import AccountPermissions
from exchanges.pacing import SHARE_OF_LIMIT, Budget
from exchanges.types import OrderRef, OrderRequest
from exchanges.venues.ccxt_answers import malformed
from exchanges.venues.dialect import BookStreaming, Cursor, Dialect
from exchanges.venues.dialect import place_params as usual_params
from exchanges.venues.kraken.rulings import BY_CODE, BY_TEXT, read_refusal, resets_at

PAGE = 50
CALL = 3  # ccxt's cost of what Kraken counts once
# Tier Intermediate: a counter of 20 that decays by one in two seconds.
CALLS, CALLS_PER_SECOND = 20, 0.5
KEY_BUDGET = Budget(
    rate=SHARE_OF_LIMIT * CALL * CALLS_PER_SECOND,
    burst=SHARE_OF_LIMIT * CALL * CALLS,
    read_share=1,  # orders and cancels are not counted there
)


def client_class() -> type[Any]:
    from exchanges.venues.kraken.connector import KrakenClient

    return KrakenClient


def place_params(request: OrderRequest) -> dict[str, Any]:
    """The fee in quote, whatever the account prefers."""
    return {**usual_params(request), "oflags": "fciq"}


async def fetch_by_client_id(client: Any, ref: OrderRef) -> Mapping[str, Any]:
    """The open orders first: an order may end between the two questions, and never begins anew."""
    for ask in (client.fetch_open_orders, client.fetch_closed_orders):
        for row in await ask(ref.symbol, None, None, {"clientOrderId": ref.client_id}):
            if row["info"].get("cl_ord_id") != ref.client_id:
                raise malformed("an order that was not asked for")
            return dict(row)
    raise OrderNotFoundError("Kraken has no order with this client id, neither open nor closed.")


async def fetch_permissions(client: Any) -> AccountPermissions:
    key = (await client.private_post_getapikeyinfo())["result"]
    rights = key["permissions"]
    if not isinstance(rights, list):
        raise malformed("there is no list of permissions")
    return AccountPermissions(
        can_trade="modify-trades" in rights,
        can_withdraw="withdraw-funds" in rights,
        is_address_bound=bool(key["ipAllowlist"]),
    )


def has_balances(answer: object) -> bool:
    rows = answer.get("result") if isinstance(answer, dict) else None
    return isinstance(rows, dict) and all(
        isinstance(row, dict) and all(isinstance(row.get(name), str) for name in ("balance", "hold_trade"))
        for row in rows.values()
    )


def streams_class() -> type[Any]:
    from exchanges.venues.kraken.streams import KrakenStreams

    return KrakenStreams


DIALECT = Dialect(
    client_class=client_class,
    has={"fetchCurrencies": False, "fetchOrderTrades": False},
    key_budget=KEY_BUDGET,
    address_statuses=frozenset({418, 429}),  # of the firewall before it: Kraken itself answers 200
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    rulings_by_text=BY_TEXT,
    fee_coin="KFEE",
    resets_at=resets_at,
    place_params=place_params,
    fetch_by_client_id=fetch_by_client_id,
    open_orders_at_once=1,
    trades_per_page=PAGE,
    trades_of_all_markets=True,
    # Each fill is a row: by default those of one taker at one moment are added up.
    trades_cursor=Cursor(older=lambda rows: {"ofs": len(rows)}, params={"consolidate_taker": "false"}),
    public_trades_per_page=1000,
    fetch_permissions=fetch_permissions,
    has_balances=has_balances,
    book_streaming=BookStreaming(
        client_class=streams_class,
        depth=100,
        asked_depth=100,
        refills=True,
        most_symbols=100,
        pause_seconds=0.2,
        speaks_when_quiet=True,
    ),
)
