"""What is odd about OKX spot.

Sources: OKX's API documentation, v5, and ccxt 4.5.90.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from exchanges.gateway import AccountPermissions
from exchanges.venues.dialect import BookStreaming, Cursor, Dialect
from exchanges.venues.okx.rulings import BY_CODE, BY_TEXT, read_refusal

Rows = Sequence[Mapping[str, Any]]


def client_class() -> type[Any]:
    from exchanges.venues.okx.connector import OkxClient

    return OkxClient


def has_balances(answer: object) -> bool:
    accounts = answer.get("data") if isinstance(answer, dict) else None
    return isinstance(accounts, list) and all(
        isinstance(account, dict)
        and isinstance(account.get("details"), list)
        and all(_is_balance(row) for row in account["details"])
        for account in accounts
    )


def _is_balance(row: object) -> bool:
    return isinstance(row, dict) and all(
        isinstance(row.get(name), str) for name in ("ccy", "availBal", "frozenBal")
    )


async def fetch_permissions(client: Any) -> AccountPermissions:
    (account,) = (await client.private_get_account_config())["data"]
    rights = account["perm"].split(",")
    return AccountPermissions(
        can_trade="trade" in rights,
        can_withdraw="withdraw" in rights,
        is_address_bound=bool(account["ip"]),
    )


def _before(number: str) -> Callable[[Rows], Mapping[str, Any]]:
    """number: the field of OKX's rows by which it pages; it grows with time."""
    return lambda rows: {"after": str(min(int(row["info"][number]) for row in rows))}


def streams_class() -> type[Any]:
    from exchanges.venues.okx.streams import OkxStreams

    return OkxStreams


DIALECT = Dialect(
    client_class=client_class,
    options={
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        # The one that can be paged.
        "fetchTrades": {"method": "publicGetMarketHistoryTrades"},
    },
    has={"fetchCurrencies": False},
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    rulings_by_text=BY_TEXT,
    client_errors_have_no_effect=True,
    ids_are_numbers=True,
    finds_by_client_id=True,
    open_orders_cursor=Cursor(older=_before("ordId"), params={"instType": "SPOT"}),
    trades_cursor=Cursor(older=_before("billId")),
    public_trades_cursor=Cursor(older=_before("tradeId")),
    fetch_permissions=fetch_permissions,
    has_balances=has_balances,
    book_streaming=BookStreaming(
        client_class=streams_class,
        depth=400,
        refills=True,
        most_symbols=100,
        pause_seconds=0.5,  # 480 subscriptions and their ends an hour, and three a second
        speaks_when_quiet=True,  # it answers our pings in words
    ),
)
