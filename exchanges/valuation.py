"""What an account is worth in one currency, at the last prices known. Pure.

Nothing is guessed: a currency is valued over its own market with the quote currency, either way round, and
what has none is named and left out of the total.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext

from exchanges.types import ZERO, Market, Ticker

_DIGITS = 76  # twice what a column holds


@dataclass(frozen=True, kw_only=True, slots=True)
class Price:
    """Quote per unit. at: when it was seen; symbol: in which market."""

    value: Decimal
    at: datetime
    symbol: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Line:
    """One currency of an account. price: None where nobody knows one."""

    currency: str
    amount: Decimal
    price: Price | None

    @property
    def value(self) -> Decimal | None:
        """In the quote currency."""
        if self.price is None:
            return None
        with localcontext(prec=_DIGITS):
            return self.amount * self.price.value


@dataclass(frozen=True, kw_only=True, slots=True)
class Valuation:
    """quote: what it is counted in. The quote currency itself is a line at the price of one."""

    quote: str
    lines: tuple[Line, ...]

    @property
    def total(self) -> Decimal:
        """Of what has a price."""
        with localcontext(prec=_DIGITS):
            return sum((line.value for line in self.lines if line.value is not None), ZERO)

    @property
    def unpriced(self) -> tuple[Line, ...]:
        return tuple(line for line in self.lines if line.price is None)

    @property
    def oldest_price(self) -> Price | None:
        """None where nothing but the quote currency is held, or nothing has a price."""
        prices = [line.price for line in self.lines if line.price and line.currency != self.quote]
        return min(prices, key=lambda price: price.at, default=None)


def valued(
    amounts: Mapping[str, Decimal], prices: Mapping[str, Price], *, quote: str, at: datetime
) -> Valuation:
    """amounts: free and held together, by currency; what is zero is left out. at: of the amounts."""
    known = {**prices, quote: Price(value=Decimal(1), at=at, symbol=quote)}
    lines = [
        Line(currency=currency, amount=amount, price=known.get(currency))
        for currency, amount in sorted(amounts.items())
        if amount
    ]
    return Valuation(quote=quote, lines=tuple(lines))


def market_of(currency: str, quote: str, markets: Mapping[str, Market]) -> str | None:
    """The symbol in which the currency has a price in `quote`; the other way round where that is all."""
    for symbol in (f"{currency}/{quote}", f"{quote}/{currency}"):
        if symbol in markets and markets[symbol].active:
            return symbol
    return None


def price_in(quote: str, ticker: Ticker) -> Price | None:
    """The middle of bid and ask, else the last trade; turned round where `quote` is the base."""
    both = ticker.bid is not None and ticker.ask is not None and 0 < ticker.bid <= ticker.ask
    value = (ticker.bid + ticker.ask) / 2 if both else ticker.last  # type: ignore[operator]
    if value is None or value <= 0:
        return None
    if ticker.symbol.startswith(f"{quote}/"):
        value = 1 / value
    return Price(value=value, at=ticker.time, symbol=ticker.symbol)


def lines_as_json(lines: Iterable[Line]) -> list[dict[str, str | None]]:
    """Amounts and prices as decimal text, to the last digit."""
    return [
        {
            "currency": line.currency,
            "amount": f"{line.amount:f}",
            "price": f"{line.price.value:f}" if line.price else None,
            "price_at": line.price.at.isoformat() if line.price else None,
            "symbol": line.price.symbol if line.price else None,
        }
        for line in lines
    ]


def lines_from_json(rows: Iterable[Mapping[str, str]]) -> tuple[Line, ...]:
    return tuple(
        Line(currency=row["currency"], amount=Decimal(row["amount"]), price=_price(row)) for row in rows
    )


def _price(row: Mapping[str, str]) -> Price | None:
    if row["price"] is None:
        return None
    at = datetime.fromisoformat(row["price_at"])
    return Price(value=Decimal(row["price"]), at=at, symbol=row["symbol"])
