"""Balances, fills, and what a key may do."""

from __future__ import annotations

from tests.lab.coinbase.call import Call, write_cursor
from tests.lab.coinbase.names import order_id as id_of_order
from tests.lab.coinbase.names import product_id, trade_id, user_id
from tests.lab.coinbase.payloads import Json, account_json, fill_json, plain
from tests.lab.coinbase.venue import CoinbaseVenue
from tests.lab.ledger import ZERO, Holding
from tests.lab.market import LabMarket
from tests.lab.orders import Fill

USUAL_ACCOUNTS, USUAL_FILLS = 49, 100
EMPTY = Holding(ZERO, ZERO)


def accounts(venue: CoinbaseVenue, call: Call) -> Json:
    """Every currency that it lists, held or not, by name."""
    held = dict.fromkeys(_listed(venue), EMPTY) | venue.views.of(call.owner).holdings()
    limit = call.limit(default=USUAL_ACCOUNTS, most=venue.limits.page_size)
    after = call.cursor()
    names = [name for name in sorted(held) if after is None or name > str(after[0])]
    page = names[:limit]
    has_next = len(names) > limit
    return {
        "accounts": [account_json(call.owner, name, held[name]) for name in page],
        "has_next": has_next,
        "cursor": write_cursor(page[-1]) if has_next else "",
        "size": len(page),
    }


def fills(venue: CoinbaseVenue, call: Call) -> Json:
    """Newest first; of trades after the start and before the end, neither included."""
    limit = call.limit(default=USUAL_FILLS, most=venue.limits.page_size)
    after = call.cursor()
    rows = [row for row in _wanted(venue, call) if after is None or list(_place(row)) < after]
    rows.sort(key=_place, reverse=True)
    page = rows[:limit]
    return {
        "fills": [fill_json(fill, market.orders[fill.order_id], market) for fill, market in page],
        "cursor": write_cursor(*_place(page[-1])) if len(rows) > limit else "",
    }


def key_permissions(venue: CoinbaseVenue, call: Call) -> Json:
    key = call.owner
    return {
        "can_view": key.reading,
        "can_trade": key.trading,
        "can_transfer": key.withdrawals,
        "portfolio_uuid": user_id(key.account),
        "portfolio_type": "DEFAULT",
    }


def transaction_summary(venue: CoinbaseVenue, call: Call) -> Json:
    fees = venue.exchange.accounts[call.owner.account].fees
    return {
        "total_volume": 0,
        "total_fees": 0,
        "fee_tier": {
            "pricing_tier": "Advanced 1",
            "usd_from": "0",
            "usd_to": "10000",
            "taker_fee_rate": plain(fees.taker),
            "maker_fee_rate": plain(fees.maker),
            "aop_from": "",
            "aop_to": "",
        },
        "margin_rate": None,
        "goods_and_services_tax": None,
        "advanced_trade_only_volume": 0,
        "advanced_trade_only_fees": 0,
        "coinbase_pro_volume": 0,
        "coinbase_pro_fees": 0,
        "total_balance": "",
        "has_promo_fee": False,
    }


def _wanted(venue: CoinbaseVenue, call: Call) -> list[tuple[Fill, LabMarket]]:
    products = call.texts("product_ids", "product_id")
    orders, trades = call.texts("order_ids", "order_id"), call.texts("trade_ids")
    start, end = call.time_ms("start_sequence_timestamp"), call.time_ms("end_sequence_timestamp")
    view = venue.views.of(call.owner)
    return [
        (fill, market)
        for market in venue.markets
        if not products or product_id(market.rules) in products
        for fill in view.fills(market)
        if (start is None or fill.time_ms > start)
        and (end is None or fill.time_ms < end)
        and (not orders or id_of_order(market.orders[fill.order_id]) in orders)
        and (not trades or trade_id(fill.symbol, fill.trade_id) in trades)
    ]


def _place(row: tuple[Fill, LabMarket]) -> tuple[int, str, int]:
    fill, _ = row
    return fill.time_ms, fill.symbol, fill.trade_id


def _listed(venue: CoinbaseVenue) -> set[str]:
    return {name for market in venue.markets for name in (market.rules.base, market.rules.quote)}
