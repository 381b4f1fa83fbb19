"""What the page of every kind of bot shows beside its settings, as its template wants it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from bots.admin.records import SEVERITY_KINDS, order_badge, side_badge
from bots.models import BotEvent, Order, Severity, Trade
from bots.selectors import BotPage
from bots.strategies.base import Quote
from exchanges.admin.cells import NOTHING, Number, Table, age_cell, badge, figure, number, table

PRICE, AMOUNT = Number("Price"), Number("Amount")
QUOTE_HEADERS = ["Level", "Side", PRICE, AMOUNT]
REFUSAL_HEADERS = ["Level", "Side", PRICE, AMOUNT, "Why not"]
ORDER_HEADERS = ["Age", "Level", "Side", PRICE, AMOUNT, Number("Filled"), "State", "Remark"]
TRADE_HEADERS = [
    "Age", "Side", PRICE, AMOUNT, Number("Cost"), Number("Fee"), Number("Realised profit"),
]  # fmt: skip
EVENT_HEADERS = ["When", "", "What", "Text"]


def page_of(page: BotPage) -> dict[str, Any]:
    """What every kind's page has above its tables. The decision of a bot that does not run is no news."""
    row, decision = page.row, page.row.decision
    return {
        "doing": row.doing,
        "trouble": row.trouble if row.trouble != row.doing else "",
        "decision_age": age_cell(decision.at) if decision and row.decides else "",
    }


def decision_tables(page: BotPage, title: str) -> list[Table]:
    """What it wants to rest now, and what the limits refused of it."""
    decision = page.row.decision
    if not page.row.decides:
        return []
    quotes, refusals = (decision.quotes, decision.refusals) if decision else ([], [])
    tables = [table(title, QUOTE_HEADERS, map(_stored_quote, quotes))]
    if refusals:
        tables.append(table("Refused by the limits", REFUSAL_HEADERS, map(_refusal, refusals)))
    return tables


def record_tables(page: BotPage, *, with_symbol: bool = False) -> list[Table]:
    """with_symbol: for a bot that has several markets."""
    market = ["Market"] if with_symbol else []
    orders = [((order.symbol,) if with_symbol else ()) + _order(order) for order in page.live_orders]
    trades = [((trade.symbol,) if with_symbol else ()) + _trade(trade) for trade in page.last_trades]
    return [
        table("Live orders", [*market, *ORDER_HEADERS], orders),
        table("Last trades", [*market, *TRADE_HEADERS], trades),
        table("Events", EVENT_HEADERS, map(event_row, page.events)),
    ]


def event_row(event: BotEvent) -> tuple[Any, ...]:
    """Under EVENT_HEADERS; `event.text` may hold a venue's words, and is escaped as all text is."""
    severity = badge(event.severity, SEVERITY_KINDS[Severity(event.severity)])
    return age_cell(event.at), severity, event.kind.replace("_", " "), event.text


def quote_cells(quote: Quote) -> tuple[Any, ...]:
    return quote.level, side_badge(quote.side), number(quote.price), number(quote.amount)


def _stored_quote(quote: dict[str, str]) -> tuple[Any, ...]:
    price, amount = Decimal(quote["price"]), Decimal(quote["amount"])
    level = " ".join([*filter(None, [quote.get("symbol")]), quote["level"]])
    return level, side_badge(quote["side"]), number(price), number(amount)


def _refusal(refusal: dict[str, str]) -> tuple[Any, ...]:
    return *_stored_quote(refusal), refusal["sentence"]


def _order(order: Order) -> tuple[Any, ...]:
    return (
        age_cell(order.created_at), order.level, side_badge(order.side), number(order.price),
        number(order.amount), number(order.filled), order_badge(order), order.reason or NOTHING,
    )  # fmt: skip


def _trade(trade: Trade) -> tuple[Any, ...]:
    return (
        age_cell(trade.time), side_badge(trade.side), number(trade.price), number(trade.amount),
        number(trade.cost), f"{number(trade.fee_amount)} {trade.fee_currency}",
        figure(trade.realised_profit, is_profit=True),
    )  # fmt: skip
