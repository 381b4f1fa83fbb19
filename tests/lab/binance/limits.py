"""Request weights per address and order counts per account: rest-api.md, "LIMITS"."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from tests.lab.accounts import COUNTED_MS
from tests.lab.binance.errors import BinanceError
from tests.lab.clock import Clock
from tests.lab.exchange import Exchange

MINUTE_MS = 60_000
TEN_SECONDS_MS, DAY_MS = COUNTED_MS
FIRST_BAN_MS = 120_000


@dataclass
class Limits:
    """weight: per address and minute; orders: unfilled ones per account; patience: 429s before a ban."""

    weight: int = 6000
    sapi_weight: int = 12_000
    orders_10s: int = 100
    orders_1d: int = 200_000
    patience: int = 10


class WeightMeter:
    """Counts in whole minutes of the venue's clock. Who goes on after 429 is banned, each time for longer."""

    def __init__(self, clock: Clock, limits: Limits) -> None:
        self._clock = clock
        self._limits = limits
        self._used: defaultdict[tuple[str, str, int], int] = defaultdict(int)
        self._refused: defaultdict[tuple[str, int], int] = defaultdict(int)
        self._banned_until: dict[str, int] = {}
        self._bans: defaultdict[str, int] = defaultdict(int)

    def charge(self, address: str, family: str, weight: int) -> dict[str, str]:
        """The headers that tell the weight used. Raises -1003 with 429 or 418."""
        now = self._clock.now_ms()
        self._refuse_banned(address, now)
        minute = now // MINUTE_MS
        self._used[address, family, minute] += weight
        used = self._used[address, family, minute]
        headers = _headers(family, used)
        limit = self._limits.sapi_weight if family == "sapi" else self._limits.weight
        if used > limit:
            raise self._refusal(address, now, limit, headers)
        return headers

    def used(self, address: str, family: str = "api") -> int:
        """In the current minute."""
        return self._used[address, family, self._clock.now_ms() // MINUTE_MS]

    def _refusal(self, address: str, now: int, limit: int, headers: dict[str, str]) -> BinanceError:
        minute = now // MINUTE_MS
        self._refused[address, minute] += 1
        if self._refused[address, minute] > self._limits.patience:
            self._banned_until[address] = now + FIRST_BAN_MS * 2 ** self._bans[address]
            self._bans[address] += 1
            self._refuse_banned(address, now)
        wait = ((minute + 1) * MINUTE_MS - now + 999) // 1000
        return BinanceError(
            -1003,
            f"Too much request weight used; current limit is {limit} request weight per 1 MINUTE. "
            "Please use WebSocket Streams for live updates to avoid polling the API.",
            status=429,
            headers={**headers, "Retry-After": str(wait)},
        )

    def _refuse_banned(self, address: str, now: int) -> None:
        until = self._banned_until.get(address, 0)
        if now < until:
            raise BinanceError(
                -1003,
                f"Way too much request weight used; IP banned until {until}. "
                "Please use WebSocket Streams for live updates to avoid bans.",
                status=418,
                headers={"Retry-After": str((until - now + 999) // 1000)},
            )


class OrderMeter:
    """Counts an account's new orders that nothing was filled of, per whole interval."""

    def __init__(self, exchange: Exchange, limits: Limits) -> None:
        self._exchange = exchange
        self._limits = limits

    def check(self, account: str) -> None:
        """Raises -1015 with 429."""
        now = self._exchange.clock.now_ms()
        for interval, limit, name in (
            (TEN_SECONDS_MS, self._limits.orders_10s, "10 SECOND"),
            (DAY_MS, self._limits.orders_1d, "1 DAY"),
        ):
            if self.unfilled(account, interval) >= limit:
                wait = (interval - now % interval + 999) // 1000
                raise BinanceError(
                    -1015,
                    f"Too many new orders; current limit is {limit} orders per {name}.",
                    status=429,
                    headers={"Retry-After": str(wait)},
                )

    def headers(self, account: str) -> dict[str, str]:
        return {
            "X-MBX-ORDER-COUNT-10S": str(self.unfilled(account, TEN_SECONDS_MS)),
            "X-MBX-ORDER-COUNT-1D": str(self.unfilled(account, DAY_MS)),
        }

    def unfilled(self, account: str, interval_ms: int) -> int:
        number = self._exchange.clock.now_ms() // interval_ms
        return self._exchange.accounts[account].unfilled[interval_ms, number]


def _headers(family: str, used: int) -> dict[str, str]:
    if family == "sapi":
        return {"X-SAPI-USED-IP-WEIGHT-1M": str(used)}
    return {"X-MBX-USED-WEIGHT": str(used), "X-MBX-USED-WEIGHT-1M": str(used)}
