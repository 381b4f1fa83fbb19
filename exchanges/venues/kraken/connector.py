"""ccxt's Kraken: one request of a key at a time, true ticks, and times to the millisecond."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

import ccxt.async_support as ccxt

from exchanges.errors import CredentialsError, VenueDownError
from exchanges.venues.kraken.answers import check
from exchanges.venues.pace import LONGEST_WAIT_SECONDS
from exchanges.venues.turn import Turn


class KrakenClient(ccxt.kraken):  # type: ignore[misc]
    """Mixed in behind a `Door`.

    Kraken refuses a nonce that is not above the last one of its key, and two requests on the way may
    overtake each other: so each is signed when the one before it was answered.
    """

    def __init__(self, config: Mapping[str, Any]) -> None:
        super().__init__(config)
        self._turn = Turn()

    async def fetch2(
        self, path: str, api: Any = "public", method: str = "GET", params: Any = None, config: Any = None
    ) -> Any:
        if "private" in api:
            answer = await self._ask_in_turn(path, api, method, params or {}, config or {})
        else:
            answer = await super().fetch2(path, api, method, params or {}, config or {})
        check(path, answer)
        return answer

    async def _ask_in_turn(self, path: str, api: Any, method: str, params: Any, config: Any) -> Any:
        """Kraken counts these for the key, and for the address only what needs none."""
        cost = self.calculate_rate_limiter_cost(api, method, path, params, config)
        await self.pay((self.own_pace, cost), (self.address_pace, 0))
        async with self._in_turn():
            await self.pay((self.own_pace, 0), (self.address_pace, 0))
            request = self.sign(path, api, method, params)
            return await self.fetch(request["url"], request["method"], request["headers"], request["body"])

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(LONGEST_WAIT_SECONDS):
                await self._turn.take(urgent=self.is_urgent())
        except TimeoutError:
            raise VenueDownError(
                "Nothing was sent: Kraken has not answered this key's last request yet; it is tried again."
            ) from None
        try:
            yield
        finally:
            self._turn.give_back()

    def sign(self, path: str, api: Any = "public", *rest: Any, **options: Any) -> Any:
        if "private" in api:
            self._check_secret()
        return super().sign(path, api, *rest, **options)

    def _check_secret(self) -> None:
        try:
            base64.b64decode(self.secret, validate=True)
        except (binascii.Error, ValueError):
            raise CredentialsError(
                "Kraken's private key (secret) is 88 characters of base64, and this one is not: enter it "
                "again as Kraken showed it, and look whether it was swapped with the API key."
            ) from None

    async def fetch_markets(self, params: Any = None) -> Any:
        """ccxt reads the tick from a count of decimals; and what it cannot name as a pair is left out."""
        markets = [market for market in await super().fetch_markets(params or {}) if "/" in market["symbol"]]
        for market in markets:
            tick = market["info"].get("tick_size")
            if tick is not None:
                market["precision"]["price"] = self.parse_number(tick)
        return markets

    @staticmethod
    def safe_timestamp(dictionary: Any, key: Any, default_value: Any = None) -> Any:
        """Milliseconds of seconds with a fraction; ccxt loses one now and then to a float."""
        try:
            return int(Decimal(str(dictionary[key])) * 1000)
        except (InvalidOperation, LookupError, OverflowError, TypeError, ValueError):
            return default_value
