"""Balances, trades and the rights of a key."""

from __future__ import annotations

from tests.lab.binance.call import Call
from tests.lab.binance.errors import bad_combination
from tests.lab.binance.payloads import Json, fixed, my_trade
from tests.lab.binance.trading import check_span, owner, within
from tests.lab.binance.venue import BinanceVenue
from tests.lab.ledger import ZERO, Holding
from tests.lab.orders import Fill

EMPTY = Holding(ZERO, ZERO)
COMBINATIONS: tuple[frozenset[str], ...] = tuple(
    frozenset(names)
    for names in (
        (),
        ("orderId",),
        ("startTime",),
        ("endTime",),
        ("fromId",),
        ("startTime", "endTime"),
        ("orderId", "fromId"),
    )
)


def account(venue: BinanceVenue, call: Call) -> Json:
    mine = venue.exchange.accounts[owner(call).account]
    omit_zero = call.flag("omitZeroBalances", default=False)
    held = dict.fromkeys(_listed(venue), EMPTY) | venue.views.of(owner(call)).holdings()
    return {
        "makerCommission": int(mine.fees.maker * 10_000),
        "takerCommission": int(mine.fees.taker * 10_000),
        "buyerCommission": 0,
        "sellerCommission": 0,
        "commissionRates": {
            "maker": fixed(mine.fees.maker),
            "taker": fixed(mine.fees.taker),
            "buyer": "0.00000000",
            "seller": "0.00000000",
        },
        "canTrade": mine.can_trade,
        "canWithdraw": True,
        "canDeposit": True,
        "brokered": False,
        "requireSelfTradePrevention": False,
        "preventSor": False,
        "updateTime": venue.now_ms(),
        "accountType": "SPOT",
        "balances": [
            {"asset": name, "free": fixed(holding.free), "locked": fixed(holding.used)}
            for name, holding in sorted(held.items())
            if not omit_zero or holding.free or holding.used
        ],
        "permissions": ["SPOT"],
        "uid": mine.uid,
    }


def my_trades(venue: BinanceVenue, call: Call) -> list[Json]:
    market = venue.market(call)
    limit = call.limit(default=500, maximum=1000)
    order_id, first = call.integer("orderId"), call.integer("fromId")
    start, end = call.milliseconds("startTime"), call.milliseconds("endTime")
    sent = {name for name in ("orderId", "fromId", "startTime", "endTime") if call.has(name)}
    if sent not in COMBINATIONS:
        raise bad_combination()
    check_span(start, end)
    mine = [
        fill
        for fill in venue.views.of(owner(call)).fills(market)
        if order_id in (None, fill.order_id)
        and fill.trade_id >= (first or 0)
        and within(fill.time_ms, start, end)
    ]
    return [my_trade(fill) for fill in _page(mine, limit, oldest=first is not None or start is not None)]


def api_restrictions(venue: BinanceVenue, call: Call) -> Json:
    key = owner(call)
    return {
        "ipRestrict": bool(key.allowed_ips),
        "createTime": key.created_ms,
        "enableReading": key.reading,
        "enableWithdrawals": key.withdrawals,
        "enableInternalTransfer": False,
        "enableMargin": False,
        "enableFutures": False,
        "permitsUniversalTransfer": False,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": key.trading,
        "enablePortfolioMarginTrading": False,
    }


def _page(fills: list[Fill], limit: int, *, oldest: bool) -> list[Fill]:
    return fills[:limit] if oldest else fills[-limit:]


def _listed(venue: BinanceVenue) -> set[str]:
    """Binance shows every asset that it knows, held or not."""
    return {name for m in venue.exchange.markets.values() for name in (m.rules.base, m.rules.quote)}
