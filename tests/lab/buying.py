"""A small order, for tests that need one to rest."""

from __future__ import annotations

from uuid import uuid4

import ccxt.async_support as ccxt

SYMBOL = "BTC/USDT"


async def buy(
    client: ccxt.binance, client_id: str = "", *, amount: float = 0.01, price: float = 49_960
) -> str:
    """Its id. It rests at the best bid of a crowd around 50,000."""
    params = {"clientOrderId": client_id or uuid4().hex}
    placed = await client.create_order(SYMBOL, "limit", "buy", amount, price, params)
    return str(placed["id"])
