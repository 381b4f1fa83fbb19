"""A venue of synthetic prices that needs no network.

Everything is a pure function of (seed, symbol, time), made of hashes and whole numbers, so that every
process on every machine sees the same prices, the same book and the same trades.

- The mid is an anchor plus octaves of value noise: lattice points drawn by hash, smoothly joined. The
  octaves' amplitudes bound it to within 5 % of the anchor.
- The book is a fixed grid of price levels, of which the nearest on each side of the mid are shown. A
  level keeps its price, and its amount for some seconds.
- Time is cut into slots of a quarter of a second. A slot has no trade, one, or a sweep of several
  levels. Takers lean to the side to which the mid is about to move.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from exchanges.errors import UnknownSymbolError
from exchanges.types import Book, Level, Market, PublicTrade, Side, Ticker

LEVELS = 20
SLOT_MS = 250
TAPE_LENGTH = timedelta(minutes=15)
FEE = Decimal("0.001")
# What the tape adds up to in a day, in levels of the typical amount: two thirds of one in each slot.
LEVELS_PER_DAY = 230_000

# (period in milliseconds, amplitude in millionths of the anchor)
OCTAVES = (
    (43_200_000, 25_000),
    (10_800_000, 12_000),
    (2_400_000, 6_000),
    (540_000, 2_500),
    (120_000, 1_200),
    (30_000, 500),
    (7_000, 150),
)
ONE = 1 << 16  # noise is a whole number from -ONE to ONE
AMOUNT_LIFE_MS = 4_000
SIDE_LOOKAHEAD_MS = 2_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Pair:
    """A market, and what makes its prices: anchor in quote, typical_amount of a book level in base."""

    market: Market
    anchor: Decimal
    typical_amount: Decimal

    @property
    def anchor_ticks(self) -> int:
        return int(self.anchor / self.market.price_step)

    @property
    def grid_ticks(self) -> int:
        """The mean distance of two levels: 0.01 % of the price."""
        return max(self.anchor_ticks // 10_000, 1)

    @property
    def day_volume(self) -> Decimal:
        """In quote."""
        return self.anchor * self.typical_amount * LEVELS_PER_DAY

    @property
    def typical_lots(self) -> int:
        return int(self.typical_amount / self.market.amount_step)


def _pair(base: str, anchor: str, tick: str, lot: str, typical_amount: str) -> tuple[str, Pair]:
    symbol = f"{base}/USDT"
    market = Market(
        symbol=symbol,
        base=base,
        quote="USDT",
        price_step=Decimal(tick),
        amount_step=Decimal(lot),
        min_amount=Decimal(lot),
        min_cost=Decimal(5),
        maker_fee=FEE,
        taker_fee=FEE,
    )
    return symbol, Pair(market=market, anchor=Decimal(anchor), typical_amount=Decimal(typical_amount))


PAIRS: Mapping[str, Pair] = dict(
    (
        _pair("BTC", "64000", "0.01", "0.00001", "0.25"),
        _pair("ETH", "3200", "0.01", "0.0001", "4"),
        _pair("SOL", "150", "0.01", "0.001", "60"),
        _pair("XRP", "0.60", "0.0001", "0.1", "9000"),
        _pair("DOGE", "0.12", "0.00001", "1", "40000"),
        _pair("BNB", "580", "0.01", "0.001", "12"),
        _pair("ADA", "0.45", "0.0001", "0.1", "12000"),
        _pair("LTC", "75", "0.01", "0.001", "80"),
    )
)


MARKETS: Mapping[str, Market] = {symbol: pair.market for symbol, pair in PAIRS.items()}


class Print(NamedTuple):
    """One trade of the tape in whole numbers: price in ticks, amount in lots."""

    number: int
    at_ms: int
    side: Side
    ticks: int
    lots: int


class DemoMarketData:
    """`exchanges.gateway.MarketData` without a venue. seed: another seed, another world."""

    def __init__(
        self, *, seed: str = "botdesk", clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._seed = seed
        self._clock = clock

    @property
    def budget_used(self) -> float:
        """Nobody is asked."""
        return 0.0

    async def load_markets(self) -> Mapping[str, Market]:
        return MARKETS

    async def fetch_time(self) -> datetime:
        return self._clock()

    async def fetch_ticker(self, symbol: str) -> Ticker:
        book = await self.fetch_book(symbol)
        last = last_print(self._seed, symbol, _to_ms(book.time))
        price = None if last is None else last.ticks * PAIRS[symbol].market.price_step
        return Ticker(symbol=symbol, bid=book.best_bid, ask=book.best_ask, last=price, time=book.time)

    async def fetch_book(self, symbol: str) -> Book:
        market, now = _known(symbol).market, self._clock()
        bids, asks = (
            tuple(
                Level(ticks * market.price_step, lots * market.amount_step)
                for ticks, lots in levels(self._seed, symbol, side, _to_ms(now))
            )
            for side in (Side.BUY, Side.SELL)
        )
        return Book(symbol=symbol, bids=bids, asks=asks, time=now)

    async def fetch_public_trades(self, symbol: str, *, since: datetime) -> Sequence[PublicTrade]:
        """Those of the last 15 minutes at most."""
        market, now = _known(symbol).market, self._clock()
        start_ms, end_ms = _to_ms(max(since, now - TAPE_LENGTH)), _to_ms(now)
        tape = (
            printed
            for slot in range(start_ms // SLOT_MS, end_ms // SLOT_MS + 1)
            for printed in prints(self._seed, symbol, slot)
        )
        trades = (_public_trade(market, printed) for printed in tape if printed.at_ms <= end_ms)
        return [trade for trade in trades if trade.time >= since]

    async def fetch_day_volumes(self) -> Mapping[str, Decimal]:
        """The same every day, as the markets are."""
        return {symbol: pair.day_volume for symbol, pair in PAIRS.items()}

    async def close(self) -> None:
        """Nothing is open."""


def mid_ticks(seed: str, symbol: str, at_ms: int) -> int:
    """The price around which the book is made, in ticks."""
    anchor = PAIRS[symbol].anchor_ticks
    return anchor + anchor * _drift(seed, symbol, at_ms) // (1_000_000 * ONE)


def levels(seed: str, symbol: str, side: Side, at_ms: int) -> Iterator[tuple[int, int]]:
    """(price in ticks, amount in lots) of the levels where orders of that side rest, best first."""
    at_ms -= at_ms % SLOT_MS
    grid = PAIRS[symbol].grid_ticks
    mid = mid_ticks(seed, symbol, at_ms)
    step = -1 if side is Side.BUY else 1
    edge = mid + step * max(grid // 2, 1)
    index, shown = edge // grid - step, 0
    while shown < LEVELS:
        ticks = _level_ticks(seed, symbol, index)
        if (ticks - edge) * step >= 0:
            yield ticks, _level_lots(seed, symbol, index, at_ms)
            shown += 1
        index += step


@lru_cache(maxsize=1 << 14)
def prints(seed: str, symbol: str, slot: int) -> tuple[Print, ...]:
    """The trades of one slot of time: mostly none or one, now and then a sweep."""
    draw = _draw(seed, symbol, "tape", slot)
    luck, draw = draw % 1024, draw >> 10
    if luck < 400:
        return ()
    offset_ms, draw = draw % SLOT_MS, draw >> 8
    percent, draw = 2 + draw % 99, draw >> 8
    depth = 2 + draw % (LEVELS - 2) if luck >= 990 else 1
    side = _taker_side(seed, symbol, slot, draw >> 8)
    return tuple(_sweep(seed, symbol, slot, offset_ms, side, depth, percent))


def last_print(seed: str, symbol: str, at_ms: int) -> Print | None:
    """The latest trade at or before `at_ms`; None after a minute of silence."""
    newest = at_ms // SLOT_MS
    for slot in range(newest, newest - 60_000 // SLOT_MS, -1):
        for printed in reversed(prints(seed, symbol, slot)):
            if printed.at_ms <= at_ms:
                return printed
    return None


def _sweep(
    seed: str, symbol: str, slot: int, offset_ms: int, side: Side, depth: int, percent: int
) -> Iterator[Print]:
    """Takes `depth` levels, of the last one only `percent`."""
    at_ms = slot * SLOT_MS
    for place, (ticks, lots) in enumerate(levels(seed, symbol, side.opposite, at_ms), start=1):
        taken = lots if place < depth else max(lots * percent // 100, 1)
        yield Print(slot * LEVELS + place, at_ms + offset_ms, side, ticks, taken)
        if place == depth:
            return


def _taker_side(seed: str, symbol: str, slot: int, draw: int) -> Side:
    at_ms = slot * SLOT_MS
    coming = _drift(seed, symbol, at_ms + SIDE_LOOKAHEAD_MS) - _drift(seed, symbol, at_ms)
    lean = max(min(coming // ONE, 300), -300)  # a move of 0.03 % makes four takers in five follow it
    return Side.BUY if draw % 1000 < 500 + lean else Side.SELL


def _drift(seed: str, symbol: str, at_ms: int) -> int:
    """The distance of the mid from its anchor, in millionths of the anchor times ONE."""
    return sum(amplitude * _noise(seed, symbol, period, at_ms) for period, amplitude in OCTAVES)


def _noise(seed: str, symbol: str, period_ms: int, at_ms: int) -> int:
    """Value noise with the smoothstep 3x² - 2x³ between its lattice points."""
    index, rest = divmod(at_ms, period_ms)
    left = _lattice(seed, symbol, period_ms, index)
    right = _lattice(seed, symbol, period_ms, index + 1)
    x = rest * ONE // period_ms
    weight = x * x * (3 * ONE - 2 * x) // ONE**2
    return left + (right - left) * weight // ONE


@lru_cache(maxsize=1 << 14)
def _lattice(seed: str, symbol: str, period_ms: int, index: int) -> int:
    return _draw(seed, symbol, f"octave {period_ms}", index) % (2 * ONE + 1) - ONE


@lru_cache(maxsize=1 << 14)
def _level_ticks(seed: str, symbol: str, index: int) -> int:
    grid = PAIRS[symbol].grid_ticks
    return index * grid + _draw(seed, symbol, "level", index) % grid


def _level_lots(seed: str, symbol: str, index: int, at_ms: int) -> int:
    """From a tenth to twice the typical amount; levels change at different moments."""
    age = (at_ms + index * 617) // AMOUNT_LIFE_MS
    percent = 10 + _draw(seed, symbol, f"amount {index}", age) % 191
    return max(PAIRS[symbol].typical_lots * percent // 100, 1)


def _draw(seed: str, symbol: str, what: str, index: int) -> int:
    """64 bits that look random and are the same everywhere."""
    digest = blake2b(f"{seed}|{symbol}|{what}|{index}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big")


def _known(symbol: str) -> Pair:
    if symbol not in PAIRS:
        offered = ", ".join(PAIRS)
        raise UnknownSymbolError(f"The demo venue has no market {symbol}; it has {offered}.")
    return PAIRS[symbol]


def _public_trade(market: Market, printed: Print) -> PublicTrade:
    return PublicTrade(
        id=str(printed.number),
        symbol=market.symbol,
        side=printed.side,
        price=printed.ticks * market.price_step,
        amount=printed.lots * market.amount_step,
        time=EPOCH + timedelta(milliseconds=printed.at_ms),
    )


def _to_ms(time: datetime) -> int:
    return (time - EPOCH) // timedelta(milliseconds=1)
