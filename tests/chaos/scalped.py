"""What a run's scalpers do: a market of their own at each venue, and what each of them is told."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from tests.spec.stands import Stand

ORDER_COST = Decimal(600)  # more than rests at the touch now and then, so that entries fill in parts
MAX_OPEN_ORDERS = 3
REACH = Decimal("1.5")  # how far prices may move until an entry of this cost is too large
# The crowd there moves by so much in a second that fees are earned, and lost, within seconds.
TEMPER = {"spread_pct": "0.0006", "step_pct": "0.0003", "drift_pct": "0.006", "trades_pct": "0.3"}


class Scalped(NamedTuple):
    """price: where it trades at first, in quote; taker_fee: what the venue lists."""

    symbol: str
    price: Decimal
    taker_fee: Decimal


# No spread bot quotes there: on one account, their orders would meet each other.
MARKETS = {
    "binance": Scalped("BNB/USDT", Decimal(600), Decimal("0.001")),
    "okx": Scalped("OKB/USDT", Decimal(50), Decimal("0.001")),
    "kraken": Scalped("DOGE/USD", Decimal("0.1"), Decimal("0.004")),
    "coinbase": Scalped("SOL/USD", Decimal(150), Decimal("0.012")),
    "alpaca": Scalped("ETH/USDT", Decimal(2500), Decimal("0.0025")),
    "coinstore": Scalped("TRX/USDT", Decimal("0.3"), Decimal("0.002")),
}


@dataclass(frozen=True)
class Kind:
    """rests: its take profit is an order in the book; of the others a trailing stop follows the price."""

    direction: str
    rests: bool = False


KINDS = (Kind("long", rests=True), Kind("short"), Kind("long", rests=True), Kind("long"))


def scalper(stand: Stand, connection: str, number: int) -> dict[str, Any]:
    """As chaos/plant.py takes it. number: whose turn among the kinds it is."""
    symbol, price, fee = MARKETS[stand.venue]
    kind, cycle = KINDS[number % len(KINDS)], stand.cycle_seconds
    barriers: dict[str, Any] = {
        "stop_loss_pct": str(2 * fee + Decimal("0.006")),
        "take_profit_pct": "0.003",
        "rests_take_profit": kind.rests,
        "time_limit_seconds": max(15, 2 * cycle),
    }
    if not kind.rests:
        barriers |= {"trailing_delta_pct": "0.004", "trailing_activation_pct": "0"}
        barriers["take_profit_pct"] = "0.01"
    return {
        "name": f"Scalper at {connection}",
        "symbols": symbol,
        "cycle_seconds": cycle,
        "direction": kind.direction,
        "order_cost": str(ORDER_COST),
        "entry_move_pct": "0.002",
        "window_seconds": max(3, cycle),
        "entry_seconds": 4,
        "exit_seconds": 3,
        "exit_tries": 2,
        "cooldown_seconds": 1,
        "max_open_orders": MAX_OPEN_ORDERS,
        "max_position": str((ORDER_COST / price * REACH).quantize(Decimal("0.0001"))),
        **barriers,
    }
