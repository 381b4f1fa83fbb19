"""Balances, fills, currencies, and what a key may do."""

from __future__ import annotations

from collections.abc import Mapping

from tests.lab.accounts import ApiKey
from tests.lab.ledger import Holding
from tests.lab.market import LabMarket
from tests.lab.okx.call import Call, Fields
from tests.lab.okx.payloads import Json, balance, bill_number, my_fill, number_in_market, order_number
from tests.lab.okx.trading import TYPES
from tests.lab.okx.venue import OkxVenue, owner
from tests.lab.orders import Fill

THREE_DAYS_MS = 3 * 86_400_000
QUARTER_MS = 90 * 86_400_000


def balances(venue: OkxVenue, call: Call) -> list[Json]:
    """What is held; of the currencies that `ccy` names, where it does."""
    named = call.query.text("ccy")
    wanted = set(named.split(",")) if named else None
    held = venue.views.of(owner(call)).holdings()
    shown = {name: holding for name, holding in held.items() if wanted is None or name in wanted}
    return [described(shown, venue.now_ms())]


def described(holdings: Mapping[str, Holding], now_ms: int) -> Json:
    """An account in spot mode; what there is nothing of is left out."""
    details = [
        balance(name, holding, now_ms) for name, holding in holdings.items() if holding.free or holding.used
    ]
    total = {"uTime": str(now_ms), "totalEq": "0", "isoEq": "", "adjEq": "", "ordFroz": ""}
    return {**total, "imr": "", "mmr": "", "mgnRatio": "", "notionalUsd": "", "details": details}


def config(venue: OkxVenue, call: Call) -> list[Json]:
    key = owner(call)
    uid = str(venue.exchange.accounts[key.account].uid)
    return [
        {
            "uid": uid,
            "mainUid": uid,
            "acctLv": "1",  # spot mode
            "posMode": "net_mode",
            "autoLoan": False,
            "level": "Lv1",
            "label": "lab",
            "ip": ",".join(sorted(key.allowed_ips)),
            "perm": ",".join(_rights(key)),
            "roleType": "0",
            "kycLv": "2",
            "enableSpotBorrow": False,
            "type": "0",
        }
    ]


def _rights(key: ApiKey) -> list[str]:
    may = {"read_only": key.reading, "withdraw": key.withdrawals, "trade": key.trading}
    return [name for name, allowed in may.items() if allowed]


def currencies(venue: OkxVenue, call: Call) -> list[Json]:
    names = {n for m in venue.exchange.markets.values() for n in (m.rules.base, m.rules.quote)}
    return [
        {
            "ccy": name,
            "name": name,
            "chain": f"{name}-Lab",
            "canDep": True,
            "canWd": True,
            "canInternal": True,
            "mainNet": True,
            "minFee": "0.0001",
            "maxFee": "0.0002",
            "minWd": "0.001",
            "maxWd": "500",
            "wdTickSz": "8",
        }
        for name in sorted(names)
    ]


def fills(venue: OkxVenue, call: Call) -> list[Json]:
    """Of three days."""
    call.query.choice("instType", TYPES, default="SPOT")
    return _fills(venue, call, THREE_DAYS_MS)


def fills_history(venue: OkxVenue, call: Call) -> list[Json]:
    """Of three months; the type of instrument must be named."""
    call.query.choice("instType", TYPES)
    return _fills(venue, call, QUARTER_MS)


def _fills(venue: OkxVenue, call: Call, reach_ms: int) -> list[Json]:
    """Newest first. after, before: billIds, themselves left out."""
    query, key = call.query, owner(call)
    if query.text("instType") not in (None, "SPOT"):
        return []
    limit, after, before = query.limit(), query.integer("after"), query.integer("before")
    markets = [venue.market(query)] if query.text("instId") else list(venue.exchange.markets.values())
    rows: list[tuple[int, Json]] = []
    fees = venue.exchange.accounts[key.account].fees
    for market in markets:
        index = venue.index_of(market.rules.symbol)
        rows += [
            (bill_number(fill, index), my_fill(fill, market.orders[fill.order_id], index, fees))
            for fill in venue.views.of(key).fills(market)
            if _is_wanted(fill, market, query, venue.now_ms() - reach_ms)
        ]
    rows = [row for row in rows if (after is None or row[0] < after) and (before is None or row[0] > before)]
    rows.sort(key=lambda row: row[0])
    page = rows[::-1][:limit] if before is None else rows[:limit][::-1]
    return [row for _, row in page]


def _is_wanted(fill: Fill, market: LabMarket, query: Fields, since_ms: int) -> bool:
    """begin, end: of the time, both inclusive."""
    begin, end, order_id = query.integer("begin"), query.integer("end"), query.text("ordId")
    if order_id is not None and (
        fill.order_id != number_in_market(order_id)
        or str(order_number(market.orders[fill.order_id])) != order_id
    ):
        return False
    return fill.time_ms >= max(since_ms, begin or 0) and (end is None or fill.time_ms <= end)
