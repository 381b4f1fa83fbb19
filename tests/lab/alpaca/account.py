"""The account, its positions, its fills, the list of assets and the clock."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from tests.lab.accounts import FeeSchedule
from tests.lab.alpaca.call import Call
from tests.lab.alpaca.errors import AlpacaError, malformed
from tests.lab.alpaca.hours import NEW_YORK
from tests.lab.alpaca.markets import OTHERS, STOCKS, is_stock
from tests.lab.alpaca.payloads import Json, coin_json, fill_json, plain, stamp, stock_json
from tests.lab.alpaca.venue import AlpacaVenue
from tests.lab.ledger import ZERO, Holding
from tests.lab.orders import Fill

CASH = "USD"
# Taker's commission of tiers 1 to 8, from docs.alpaca.markets, "Crypto Fees".
TAKER_FEES = tuple(Decimal(bps) / 10_000 for bps in (25, 22, 20, 18, 15, 13, 12, 10))
MOST_FILLS = 100


def account(venue: AlpacaVenue, call: Call) -> Json:
    mine = venue.exchange.accounts[call.owner.account]
    held = venue.views.of(call.owner).holdings()
    cash = held.get(CASH, Holding(ZERO, ZERO))
    value = sum((_value(venue, name, holding) for name, holding in _positions(held)), ZERO)
    equity = plain(cash.free + cash.used + value)
    return {
        "id": str(uuid5(NAMESPACE_URL, mine.name)),
        "admin_configurations": {},
        "user_configurations": None,
        "account_number": str(100_000_000 + mine.uid),
        "status": "ACTIVE",
        "crypto_status": "ACTIVE",
        "currency": CASH,
        "buying_power": plain(cash.free),
        "regt_buying_power": plain(cash.free),
        "daytrading_buying_power": "0",
        "effective_buying_power": plain(cash.free),
        "non_marginable_buying_power": plain(cash.free),
        "bod_dtbp": "0",
        "cash": plain(cash.free),
        "accrued_fees": "0",
        "portfolio_value": equity,
        "pattern_day_trader": False,
        "trading_blocked": not mine.can_trade,
        "transfers_blocked": False,
        "account_blocked": False,
        "created_at": stamp(call.owner.created_ms),
        "trade_suspended_by_user": not call.owner.trading,
        "multiplier": "1",
        "shorting_enabled": False,
        "equity": equity,
        "last_equity": equity,
        "long_market_value": plain(value),
        "short_market_value": "0",
        "position_market_value": plain(value),
        "initial_margin": "0",
        "maintenance_margin": "0",
        "last_maintenance_margin": "0",
        "sma": "0",
        "daytrade_count": 0,
        "balance_asof": venue.now().astimezone(NEW_YORK).date().isoformat(),
        "crypto_tier": _tier(mine.fees),
        "intraday_adjustments": "0",
        "pending_reg_taf_fees": "0",
    }


def positions(venue: AlpacaVenue, call: Call) -> list[Json]:
    return [
        _position(venue, name, holding)
        for name, holding in _positions(venue.views.of(call.owner).holdings())
        if holding.free + holding.used
    ]


def fills(venue: AlpacaVenue, call: Call) -> list[Json]:
    """Of all symbols, page by page; a page begins right after the activity that `page_token` names."""
    size = call.integer("page_size", default=MOST_FILLS, most=MOST_FILLS)
    after, until = call.moment_ms("after"), call.moment_ms("until")
    oldest_first = call.choice("direction", ("asc", "desc"), "desc") == "asc"
    if call.text("date"):
        raise AlpacaError(501, None, "the lab does not list activities by date")
    rows = [
        row
        for fill, row in _rows(venue, call)
        if (after is None or fill.time_ms > after) and (until is None or fill.time_ms < until)
    ]
    rows = rows if oldest_first else rows[::-1]
    return rows[_start(rows, call.text("page_token")) :][:size]


def assets(venue: AlpacaVenue, call: Call) -> list[Json]:
    wanted = call.choice("asset_class", ("us_equity", "crypto"), "us_equity")
    if call.choice("status", ("active", "inactive", "all"), "all") == "inactive":
        return []
    if wanted == "crypto":
        markets = venue.exchange.markets.values()
        return [coin_json(venue, market.rules) for market in markets if not is_stock(market.rules)]
    traded = {market.rules.base for market in venue.stocks() if market.rules.is_trading}
    return [
        stock_json(venue, listing, is_tradable=listing.symbol in traded or listing in OTHERS[:1])
        for listing in (*STOCKS.values(), *OTHERS)
    ]


def clock(venue: AlpacaVenue, call: Call) -> Json:
    now = venue.now()
    return {
        "timestamp": now.astimezone(NEW_YORK).isoformat(),
        "is_open": venue.hours.is_open,
        "next_open": venue.hours.next_open(now).isoformat(),
        "next_close": venue.hours.next_close(now).isoformat(),
    }


def _positions(held: dict[str, Holding]) -> list[tuple[str, Holding]]:
    return [(name, holding) for name, holding in held.items() if name != CASH]


def _position(venue: AlpacaVenue, name: str, holding: Holding) -> Json:
    """A coin's symbol is written without its slash here, and only here."""
    stock = name in STOCKS
    qty, value, price = holding.free + holding.used, _value(venue, name, holding), _price(venue, name)
    return {
        "asset_id": venue.asset_id(f"{name}/USD"),
        "symbol": name if stock else f"{name}USD",
        "exchange": STOCKS[name].exchange if stock else "CRYPTO",
        "asset_class": "us_equity" if stock else "crypto",
        "asset_marginable": stock,
        "qty": plain(qty),
        "avg_entry_price": plain(price),
        "side": "long",
        "market_value": plain(value),
        "cost_basis": plain(value),
        "unrealized_pl": "0",
        "unrealized_plpc": "0",
        "unrealized_intraday_pl": "0",
        "unrealized_intraday_plpc": "0",
        "current_price": plain(price),
        "lastday_price": plain(price),
        "change_today": "0",
        "qty_available": plain(holding.free),
    }


def _price(venue: AlpacaVenue, name: str) -> Decimal:
    market = venue.exchange.markets.get(f"{name}/USD")
    if market is None:
        return ZERO
    return market.last_price or market.book.bids.best_price or market.book.asks.best_price or ZERO


def _value(venue: AlpacaVenue, name: str, holding: Holding) -> Decimal:
    return (holding.free + holding.used) * _price(venue, name)


def _tier(fees: FeeSchedule) -> int:
    """The first tier that costs a taker no more than this."""
    return next((place for place, fee in enumerate(TAKER_FEES, start=1) if fees.taker >= fee), 8)


def _rows(venue: AlpacaVenue, call: Call) -> list[tuple[Fill, Json]]:
    """In the order of their times, with what each order had come to by then."""
    view = venue.views.of(call.owner)
    shown = [fill for market in venue.exchange.markets.values() for fill in view.fills(market)]
    come_to: defaultdict[tuple[str, int], Decimal] = defaultdict(Decimal)
    rows = []
    for fill in sorted(shown, key=lambda fill: (fill.time_ms, fill.symbol, fill.trade_id)):
        order = venue.exchange.market(fill.symbol).orders[fill.order_id]
        come_to[fill.symbol, fill.order_id] += fill.amount
        rows.append((fill, fill_json(venue, fill, come_to[fill.symbol, fill.order_id], order.amount)))
    return rows


def _start(rows: list[Json], token: str) -> int:
    if not token:
        return 0
    for place, row in enumerate(rows):
        if row["id"] == token:
            return place + 1
    raise malformed("invalid page_token")
