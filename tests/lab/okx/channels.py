"""What OKX's channels tell: books as a snapshot and what changed since, trades, tickers, orders, balances."""

from __future__ import annotations

import zlib
from itertools import chain

from tests.lab.accounts import ApiKey
from tests.lab.display import ShownBook, changes_between
from tests.lab.market import LabMarket
from tests.lab.okx.account import described
from tests.lab.okx.market_data import day_of
from tests.lab.okx.payloads import Json, levels, plain, public_trade, queried
from tests.lab.okx.venue import OkxVenue
from tests.lab.orders import Fill, Order, PublicTrade

DEPTHS = {"books": 400, "books5": 5, "bbo-tbt": 1}
CHECKED = 25
NO_SEQUENCE = -1


class BookTeller:
    """Of one market to one listener. `books` tells what changed; the others the whole of the few levels."""

    def __init__(self, venue: OkxVenue, market: LabMarket, channel: str) -> None:
        self._venue = venue
        self._market = market
        self._is_by_change = channel == "books"
        self._depth = DEPTHS[channel]
        self._told: ShownBook | None = None

    def news(self) -> tuple[str, Json] | None:
        """The action and its data; None where the book is as it was told last."""
        book = self._shown()
        told, self._told = self._told, book
        if told is None or not self._is_by_change:
            return None if told == book else ("snapshot", self._data(book, book, NO_SEQUENCE))
        changes = ShownBook(
            book.update_id, changes_between(told.bids, book.bids), changes_between(told.asks, book.asks)
        )
        if not changes.bids and not changes.asks:
            self._told = told
            return None
        return "update", self._data(changes, book, told.update_id)

    def _shown(self) -> ShownBook:
        shown = self._market.display.shown(self._market.update_id)
        return ShownBook(shown.update_id, shown.bids[: self._depth], shown.asks[: self._depth])

    def _data(self, told: ShownBook, whole: ShownBook, previous: int) -> Json:
        data: Json = {
            "asks": levels(told.asks),
            "bids": levels(told.bids),
            "ts": str(self._venue.now_ms()),
            "seqId": whole.update_id,
        }
        if not self._is_by_change:
            return data
        return data | {"checksum": checksum(whole), "prevSeqId": previous}


def checksum(book: ShownBook) -> int:
    """CRC32, as a signed number, of the best 25 levels: bid, ask, bid, ask, each as price:amount."""
    sides = ([f"{plain(p)}:{plain(a)}" for p, a in side[:CHECKED]] for side in (book.bids, book.asks))
    bids, asks = sides
    longest = max(len(bids), len(asks))
    turns = chain.from_iterable((bids[n : n + 1] + asks[n : n + 1]) for n in range(longest))
    value = zlib.crc32(":".join(turns).encode())
    return value - 2**32 if value >= 2**31 else value


def trade_news(trade: PublicTrade) -> Json:
    return {**public_trade(trade), "count": "1", "seqId": trade.id}


def ticker_news(market: LabMarket, now_ms: int) -> Json:
    return day_of(market, now_ms)


def order_news(market: LabMarket, order: Order, trade: PublicTrade | None) -> Json:
    """As a lookup shows it, and the fill that it is told of."""
    fills = [fill for fill in market.fills_of(order.account) if fill.order_id == order.id]
    row = queried(order, fills, market.rules)
    if order.is_open and order.filled == order.amount:
        row["state"] = "filled"  # it will be, as soon as it is off the book
    told = fills[-1] if trade is not None and fills else None
    return row | {"reqId": "", "amendResult": "", "code": "0", "msg": ""} | _fill_news(told)


def _fill_news(fill: Fill | None) -> Json:
    if fill is None:
        return {"fillFee": "0", "fillFeeCcy": "", "execType": "", "tradeId": "", "fillSz": "0", "fillPx": ""}
    return {
        "fillFee": plain(-fill.fee),
        "fillFeeCcy": fill.fee_currency,
        "execType": "M" if fill.is_maker else "T",
    }


def account_news(venue: OkxVenue, key: ApiKey) -> Json:
    """All that is held, as it is now."""
    return described(venue.exchange.ledger.holdings(key.account), venue.now_ms())
