"""ccxt's OKX, with its true budgets, a deadline on orders, and balances that mean the same in every mode."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ccxt.async_support as ccxt

from exchanges.gateway import HTTP_TIMEOUT_SECONDS
from exchanges.pacing import Budget
from exchanges.venues.okx.rulings import read_refusal
from exchanges.venues.pace import Pace

PLACING = ("trade/order", "trade/batch-orders")
FOR_EACH_MARKET = ("trade/order", "trade/batch-orders", "trade/cancel-order")
WINDOW_SECONDS = 2
UNITS_OF_A_WINDOW = 20  # a request that may be made n times in a window costs ccxt's 20 / n
PARSED = 6  # of what ccxt hands to handle_errors: the answer's body, once it is read


class OkxClient(ccxt.okx):  # type: ignore[misc]
    """Mixed in behind a `Door`.

    OKX counts each endpoint by itself, some for each market: for the account what needs a key, and for the
    address what needs none, which one client of a process asks for all.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._paces: dict[tuple[str, str, str], Pace] = {}

    async def fetch2(
        self, path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        cost = self.calculate_rate_limiter_cost(api, method, path, params or {}, config or {})
        counted = self.pace_of(method, path, _market_of(path, params), cost)
        await self.pay((self.own_pace, 0), (self.address_pace, 0), (counted, 1))
        request = self.sign(path, api, method, params or {})
        return await self.fetch(request["url"], request["method"], request["headers"], request["body"])

    def pace_of(self, method: str, path: str, market: str, cost: float) -> Pace:
        """In requests. cost: ccxt's."""
        name = (method, path, market)
        if name not in self._paces:
            self._paces[name] = Pace(_budget(UNITS_OF_A_WINDOW / cost))
        return self._paces[name]

    def paces(self) -> Sequence[Pace]:
        return (self.own_pace, self.address_pace, *self._paces.values())

    def sign(self, path: str, *rest: Any, **options: Any) -> Any:
        """OKX takes a request for 30 s after it was signed; an order that lies on the way for longer than we
        wait for its answer must not be carried out any more (`expTime`, milliseconds)."""
        request = super().sign(path, *rest, **options)
        if path in PLACING and request["method"] == "POST":
            until = self.milliseconds() + int(HTTP_TIMEOUT_SECONDS * 1000)
            request["headers"] = {**request["headers"], "expTime": str(until)}
        return request

    def handle_errors(self, *answer: Any) -> Any:
        """ccxt lets an answer pass in which some of many orders failed; ours are alone."""
        result = super().handle_errors(*answer)
        if read_refusal(answer[PARSED]) is not None:
            raise ccxt.ExchangeError(f"{self.id} refuses it")
        return result

    def parse_trading_balance(self, response: Any) -> Any:
        """What can be sold and what orders hold: ccxt takes the equity, which counts loans and positions in
        some modes."""
        result: dict[str, Any] = {"info": response}
        for account in response["data"]:
            for row in account["details"]:
                result[self.safe_currency_code(row["ccy"])] = {
                    "free": row["availBal"],
                    "used": row["frozenBal"],
                }
        return self.safe_balance(result)


def _budget(most: float) -> Budget:
    """So many requests in any two seconds, and not one more."""
    burst = max(1.0, 0.4 * most)
    return Budget(rate=(most - burst) / WINDOW_SECONDS, burst=burst, read_share=1)


def _market_of(path: str, params: Any) -> str:
    first = params[0] if isinstance(params, list) and params else params
    return str(first.get("instId", "")) if path in FOR_EACH_MARKET and isinstance(first, dict) else ""
