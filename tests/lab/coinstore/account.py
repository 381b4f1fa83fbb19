"""Balances and the account's own trades ("Assets Balance", "Get user's latest trade")."""

from __future__ import annotations

from tests.lab.coinstore.call import Call
from tests.lab.coinstore.errors import bad_request
from tests.lab.coinstore.payloads import SIDES, Json, match, plain
from tests.lab.coinstore.venue import CoinstoreVenue

AVAILABLE, FROZEN = (1, "AVAILABLE"), (4, "FROZEN")


def balances(venue: CoinstoreVenue, call: Call) -> list[Json]:
    """A row for each currency and kind."""
    account = venue.exchange.accounts[call.owner.account]
    rows: list[Json] = []
    for currency, holding in venue.views.of(call.owner).holdings().items():
        for amount, (kind, name) in ((holding.used, FROZEN), (holding.free, AVAILABLE)):
            rows.append(
                {
                    "uid": account.uid,
                    "accountId": account.uid,
                    "currency": currency,
                    "balance": plain(amount),
                    "type": kind,
                    "typeName": name,
                }
            )
    return rows


def matches(venue: CoinstoreVenue, call: Call) -> list[Json]:
    """Newest first, in pages; there is no way to ask for a time."""
    market = venue.market(call.required("symbol"))
    size = call.between("pageSize", 1, 100, default=20)
    page = call.between("pageNum", 1, 1_000_000, default=1)
    side, number = call.integer("side"), call.integer("ordId")
    if side not in (None, 1, -1):
        raise bad_request("side is neither 1 nor -1")
    asked = [
        fill
        for fill in reversed(venue.views.of(call.owner).fills(market))
        if side in (None, SIDES[fill.side]) and number in (None, venue.order_id(fill.symbol, fill.order_id))
    ]
    shown = asked[(page - 1) * size : page * size]
    return [match(venue, market, fill, market.orders[fill.order_id]) for fill in shown]
