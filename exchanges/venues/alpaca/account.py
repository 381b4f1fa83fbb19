"""What an account at Alpaca has in cash, and what its trades cost it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_FLOOR, Decimal
from typing import Any

from exchanges.types import ZERO
from exchanges.venues.ccxt_answers import malformed, number

FEE_QUANTUM = Decimal("1e-8")
# Taker's commission of tiers 1 to 8 (docs.alpaca.markets, "Crypto Fees").
TAKER_FEES = tuple(Decimal(bps) / 10_000 for bps in (25, 22, 20, 18, 15, 13, 12, 10))


def tier_of(value: object) -> int:
    """The first, which pays the most, where the account has none yet."""
    if value in (None, 0):
        return 1
    if not isinstance(value, int) or not 1 <= value <= len(TAKER_FEES):
        raise malformed("the account's tier is none")
    return value


def cash_of(account: Mapping[str, Any]) -> tuple[Decimal, Decimal]:
    """(free, total): what orders hold is in the equity and no longer in the cash."""
    cash = number(account["cash"], "the cash")
    free = min(cash, number(account.get("non_marginable_buying_power") or cash, "the buying power"))
    total = number(account["equity"], "the equity") - number(
        account["position_market_value"], "its positions"
    )
    free = max(free, ZERO)
    return free, max(total, free)


def estimated_fee(
    row: Mapping[str, Any], market: Mapping[str, Any], side: str, tier: int | None
) -> dict[str, Any]:
    """Of a fill. Alpaca takes it out of what is received, and tells it at the end of the day, of no fill in
    particular. A taker's is the most that it can be. Stocks are free of commission."""
    amount = number(row["qty"], "a fill's amount")
    received = amount if side == "buy" else amount * number(row["price"], "a fill's price")
    rate = TAKER_FEES[(tier or 1) - 1] if "/" in str(market["id"]) else ZERO
    fee = (received * rate).quantize(FEE_QUANTUM, rounding=ROUND_FLOOR)
    return {"currency": market["base" if side == "buy" else "quote"], "cost": fee}
