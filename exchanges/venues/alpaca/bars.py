"""What was traded in coins, counted from Alpaca's bars of an hour.

Its snapshots have bars of a day, too, but those begin anew at midnight.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from exchanges.types import ZERO
from exchanges.venues.ccxt_answers import amount_of

DAY_MS = 86_400_000
PER_PAGE = 10_000


async def day_volumes(client: Any, coins: Iterable[str]) -> dict[str, Decimal]:
    """In quote, by Alpaca's name, of the last 23 to 24 hours: bars begin at whole hours."""
    ask = {
        "loc": "us",
        "symbols": ",".join(coins),
        "timeframe": "1Hour",
        "start": client.iso8601(client.milliseconds() - DAY_MS),
        "limit": PER_PAGE,
    }
    volumes: dict[str, Decimal] = {}
    while True:
        answer = await client.marketPublicGetV1beta3CryptoLocBars(ask)
        for coin, bars in answer["bars"].items():
            volumes[coin] = volumes.get(coin, ZERO) + sum(map(_cost, bars), ZERO)
        if not answer["next_page_token"]:
            return volumes
        ask["page_token"] = answer["next_page_token"]


def _cost(bar: Mapping[str, Any]) -> Decimal:
    """The average price of an hour without a trade is zero."""
    return amount_of(bar["v"], "a bar's volume") * amount_of(bar["vw"], "a bar's average price")
