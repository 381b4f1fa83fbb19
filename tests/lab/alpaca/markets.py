"""What Alpaca lists in the lab: a few coins and stocks."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from tests.lab.orders import Side, Ticket
from tests.lab.rules import MarketRules

D = Decimal
ANY_PRICE = (D(0), D(10) ** 9)  # Alpaca has no band around the price


class AlpacaRules(MarketRules):
    """The smallest cost is that of a buy; what is sold may be worth less."""

    def _check_cost(self, ticket: Ticket, average: Decimal | None) -> None:
        if ticket.side is Side.BUY:
            super()._check_cost(ticket, average)


def _coin(base: str, quote: str, price_step: str, amount_step: str, least: str) -> MarketRules:
    """For dollars, no less than ten of them; min_order_size lists less than that."""
    return AlpacaRules(
        base=base,
        quote=quote,
        price_step=D(price_step),
        min_price=D(price_step),
        amount_step=D(amount_step),
        min_amount=D(least),
        max_market_amount=D(9000),
        min_cost=D(10) if quote == "USD" else D(0),
        max_cost=D(10) ** 12,
        bid_multiplier=ANY_PRICE,
        ask_multiplier=ANY_PRICE,
        max_open_orders=10_000,
    )


def _stock(ticker: str, amount_step: str) -> MarketRules:
    """Parts of shares are bought for a dollar at least."""
    return AlpacaRules(
        base=ticker,
        quote="USD",
        price_step=D("0.01"),
        amount_step=D(amount_step),
        min_amount=D(amount_step),
        min_cost=D(0) if amount_step == "1" else D(1),
        max_cost=D(10) ** 12,
        bid_multiplier=ANY_PRICE,
        ask_multiplier=ANY_PRICE,
        max_open_orders=10_000,
        is_free_of_charge=True,
    )


MARKETS = (
    _coin("BTC", "USD", "0.01", "0.000001", "0.000016"),
    _coin("ETH", "USD", "0.01", "0.00001", "0.0004"),
    _coin("ETH", "USDT", "0.01", "0.00001", "0.0004"),
    _stock("AAPL", "0.000001"),
    _stock("BRK.A", "1"),
)


@dataclass(frozen=True)
class Listing:
    """A row of the list of assets. Some cannot be traded, and some share their ticker with a coin."""

    symbol: str
    exchange: str
    name: str
    is_tradable: bool = True
    is_fractionable: bool = True


STOCKS = {
    "AAPL": Listing("AAPL", "NASDAQ", "Apple Inc. Common Stock"),
    "BRK.A": Listing("BRK.A", "NYSE", "Berkshire Hathaway Inc.", is_fractionable=False),
}
# Listed, and without a market in the lab.
OTHERS = (
    Listing("BTC", "ARCA", "Grayscale Bitcoin Mini Trust ETF"),
    Listing("ZZZOF", "OTC", "Zinc One Resources Inc", is_tradable=False, is_fractionable=False),
)


def is_stock(rules: MarketRules) -> bool:
    return rules.base in STOCKS


def asset_symbol(rules: MarketRules) -> str:
    """Coins are written as pairs, stocks as tickers."""
    return rules.base if is_stock(rules) else rules.symbol
