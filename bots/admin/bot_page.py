"""What a bot's own page shows beside its settings, as its template wants it."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from bots.admin.records import order_badge, side_badge
from bots.models import BotState, Order, SpreadBot, Trade
from bots.preview import preview_quotes
from bots.selectors import BotPage, bot_page, worker_warning
from bots.strategies.base import Quote
from exchanges.admin.cells import NOTHING, age_cell, figure, number

QUOTE_HEADERS = ["Level", "Side", "Price", "Amount"]
REFUSAL_HEADERS = ["Level", "Side", "Price", "Amount", "Why not"]
ORDER_HEADERS = ["Age", "Level", "Side", "Price", "Amount", "Filled", "State", "Remark"]
TRADE_HEADERS = ["Age", "Side", "Price", "Amount", "Cost", "Fee", "Realised profit"]
EVENT_HEADERS = ["When", "What", "Text"]


def page_context(bot: SpreadBot) -> dict[str, Any]:
    page = bot_page(bot)
    decision = page.row.decision
    runs = bot.state == BotState.RUNNING
    quotes, refusals = (decision.quotes, decision.refusals) if decision and runs else ((), ())
    preview = preview_quotes(bot)
    would_quote = preview.decision.quotes if preview.decision else ()
    return {
        "worker_warning": worker_warning(),
        "facts": _facts(bot, page),
        "decision": decision,
        "doing": page.row.doing,
        "trouble": page.row.trouble if page.row.trouble != page.row.doing else "",
        "decision_age": age_cell(decision.at) if decision and runs else "",
        "tables": [
            *([_table("Its quotes", QUOTE_HEADERS, map(_stored_quote, quotes))] if runs else []),
            *(
                [_table("Refused by the limits", REFUSAL_HEADERS, map(_refusal, refusals))]
                if refusals
                else []
            ),
            _table("Live orders", ORDER_HEADERS, map(_order, page.live_orders)),
            _table("Last trades", TRADE_HEADERS, map(_trade, page.last_trades)),
            _table("Events", EVENT_HEADERS, [(age_cell(e.at), e.kind, e.text) for e in page.events]),
        ],
        "preview": preview,
        "preview_table": _table("", QUOTE_HEADERS, map(_quote, would_quote)),
    }


def _table(title: str, headers: list[str], rows: Iterable[tuple[Any, ...]]) -> dict[str, Any]:
    return {"title": title, "headers": headers, "rows": list(rows)}


def _facts(bot: SpreadBot, page: BotPage) -> list[tuple[str, Any]]:
    """Name and value of what stands at the top."""
    figures, base, quote = page.row.figures, page.row.base, page.row.quote
    average = figures.holding.average
    return [
        ("Last cycle", age_cell(bot.last_cycle_at)),
        ("Position", figure(figures.holding.amount, base)),
        ("Average cost", figure(average, quote)),
        ("Mark price", figure(figures.mark_price, quote)),
        ("Realised profit", figure(figures.holding.realised_profit, quote, is_profit=True)),
        ("Unrealised profit", figure(figures.unrealised_profit, quote, is_profit=True)),
        ("Trades", page.row.trades),
        ("Live orders", page.row.live_orders),
    ]


def _quote(quote: Quote) -> tuple[Any, ...]:
    return quote.level, side_badge(quote.side), number(quote.price), number(quote.amount)


def _stored_quote(quote: dict[str, str]) -> tuple[Any, ...]:
    price, amount = Decimal(quote["price"]), Decimal(quote["amount"])
    return quote["level"], side_badge(quote["side"]), number(price), number(amount)


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
