"""ccxt's OKX, with a deadline on orders, and balances that mean the same in every mode of an account."""

from __future__ import annotations

from typing import Any

import ccxt.async_support as ccxt

from exchanges.gateway import HTTP_TIMEOUT_SECONDS
from exchanges.venues.okx.rulings import read_refusal

PLACING = ("trade/order", "trade/batch-orders")
PARSED = 6  # of what ccxt hands to handle_errors: the answer's body, once it is read


class OkxClient(ccxt.okx):  # type: ignore[misc]
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
