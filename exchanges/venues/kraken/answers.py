"""What Kraken's answers must hold to be read: ccxt makes an empty list, or no such order, of what is none."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from exchanges.venues.ccxt_answers import malformed

# Where each list stands in its answer; of the orders asked for by id, it is the answer itself.
ORDERS = {"OpenOrders": "open", "ClosedOrders": "closed", "QueryOrders": ""}
TRADES = {"TradesHistory": "trades"}
STATES = frozenset(("pending", "open", "closed", "canceled", "expired"))
PAIR = re.compile(r"[A-Z0-9][A-Z0-9./:]{3,}", re.ASCII)
SECONDS = re.compile(r"[0-9]{9,11}(\.[0-9]{1,9})?", re.ASCII)


def check(method: str, answer: object) -> None:
    """Raises MalformedAnswerError; refusals are left to others."""
    if not isinstance(answer, Mapping) or not isinstance(answer.get("error"), list):
        raise malformed("it has not Kraken's form")
    if method in ORDERS:
        _check_rows(answer.get("result"), ORDERS[method], _is_order, "orders")
    elif method in TRADES:
        _check_rows(answer.get("result"), TRADES[method], _is_trade, "trades")
    elif method == "Depth":
        _check_rows(answer.get("result"), "", _is_book, "books")


def _check_rows(result: Any, place: str, is_row: Any, name: str) -> None:
    rows = result.get(place) if place and isinstance(result, Mapping) else result
    if not isinstance(rows, Mapping) or not all(is_row(row) for row in rows.values()):
        raise malformed(f"there is no list of {name}")


def _is_order(row: object) -> bool:
    if not isinstance(row, Mapping) or not isinstance(row.get("descr"), Mapping):
        return False
    return (
        _has_texts(row, "status", "vol", "vol_exec")
        and row["status"] in STATES
        and _has_texts(row["descr"], "pair", "type", "ordertype")
        and PAIR.fullmatch(row["descr"]["pair"]) is not None
        and _is_time(row.get("opentm"))
        and isinstance(row.get("cl_ord_id"), str | None)
    )


def _is_trade(row: object) -> bool:
    return (
        isinstance(row, Mapping)
        and _has_texts(row, "ordertxid", "pair", "type", "price", "vol", "cost", "fee")
        and PAIR.fullmatch(row["pair"]) is not None
        and _is_time(row.get("time"))
    )


def _is_book(row: object) -> bool:
    return isinstance(row, Mapping) and all(isinstance(row.get(side), list) for side in ("bids", "asks"))


def _is_time(value: object) -> bool:
    """Seconds since 1970; ccxt's parser hands them out as numbers or as they were written."""
    return isinstance(value, int | float | str) and SECONDS.fullmatch(str(value)) is not None


def _has_texts(row: Mapping[str, Any], *names: str) -> bool:
    return all(isinstance(row.get(name), str) and row[name] for name in names)
