"""What is odd about Binance spot.

Sources: "General API information" of Binance's spot REST API, and ccxt 4.5.90.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from exchanges.gateway import AccountPermissions
from exchanges.pacing import Budget
from exchanges.venues.binance.rulings import BY_CODE, BY_TEXT, read_refusal
from exchanges.venues.dialect import BookStreaming, Dialect
from exchanges.venues.meters import Counted, Meter

# ccxt's cost of 1 is a weight of 5. A weight is the address's, whoever asks from there.
WEIGHT = Meter(counts=Counted.ADDRESS, used="x-mbx-used-weight-1m", seconds=60, unit=5)
# An account may have 100 new orders in 10 s.
ORDERS = Meter(counts=Counted.ORDERS, used="x-mbx-order-count-10s", seconds=10)
ORDER_BUDGET = Budget(rate=4, burst=50)


def has_balances(answer: object) -> bool:
    rows = answer.get("balances") if isinstance(answer, dict) else None
    return isinstance(rows, list) and all(
        isinstance(row, dict) and all(isinstance(row.get(name), str) for name in ("asset", "free", "locked"))
        for row in rows
    )


async def fetch_permissions(client: Any) -> AccountPermissions:
    """The account's right to trade and the key's own, which differ."""
    account = await client.private_get_account({"omitZeroBalances": "true"})
    key = await client.sapi_get_account_apirestrictions()
    return AccountPermissions(
        can_trade=_is_true(account["canTrade"]) and _is_true(key["enableSpotAndMarginTrading"]),
        can_withdraw=_is_true(key["enableWithdrawals"]),
        is_address_bound=_is_true(key["ipRestrict"]),
    )


def _is_true(value: object) -> bool:
    return value is True or str(value).lower() == "true"


def streams_class() -> type[Any]:
    from exchanges.venues.binance.streams import BinanceStreams

    return BinanceStreams


DIALECT = Dialect(
    options={
        "defaultType": "spot",
        "fetchMarkets": {"types": ["spot"]},
        "fetchCurrencies": False,
        "fetchMargins": False,
        "warnOnFetchOpenOrdersWithoutSymbol": False,
        # A request that lies on the way longer than our timeout must not be carried out any more.
        "recvWindow": 5000,
    },
    order_budget=ORDER_BUDGET,
    meters=(WEIGHT, ORDERS),
    address_statuses=frozenset({418, 429}),
    read_refusal=read_refusal,
    rulings_by_code=BY_CODE,
    rulings_by_text=BY_TEXT,
    client_errors_have_no_effect=True,
    ids_are_numbers=True,
    fee_coin="BNB",
    finds_by_client_id=True,
    cancel_reports_order=True,
    open_orders_at_once=14,  # a weight of 80, against 6 for each market
    trades_per_page=1000,
    trades_window=timedelta(hours=24),
    public_trades_per_page=1000,
    public_trades_window=timedelta(hours=1),
    fetch_permissions=fetch_permissions,
    has_balances=has_balances,
    book_streaming=BookStreaming(
        client_class=streams_class,
        depth=500,
        asked_depth=500,  # a weight of 25
        refills=False,
        most_symbols=200,  # of 1,024
        pause_seconds=0.3,  # five messages a second, our pings among them
        speaks_when_quiet=False,
    ),
)
