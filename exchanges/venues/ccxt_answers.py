"""ccxt's structures become ours, and what no venue should answer becomes MalformedAnswerError.

ccxt hands out strings here (see `Door.number`), and floats where an exchange's class insists on them;
`Decimal(str(x))` is exact for the one and the shortest form for the other.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from ccxt.base.decimal_to_precision import DECIMAL_PLACES, SIGNIFICANT_DIGITS

from exchanges.errors import MalformedAnswerError
from exchanges.types import (
    ZERO,
    Balance,
    Book,
    Fee,
    Level,
    Liquidity,
    Market,
    OrderReport,
    OrderRequest,
    OrderType,
    PublicTrade,
    Side,
    Ticker,
    TradeReport,
    VenueOrderStatus,
)

# Where a venue does not say: finer than any tick, so that the venue's own check decides.
SMALLEST_STEP = Decimal("0.00000001")
# No price, amount or cost is as large; `database.money` holds less.
TOO_LARGE = Decimal(10) ** 20
# Of orders and trades, at whatever venue; what is longer or looks otherwise names nothing.
ID = re.compile(r"[A-Za-z0-9][\w.:/=+|-]{0,79}", re.ASCII)
LONGEST_CURRENCY = 40
COST_TOLERANCE = Decimal("0.01")  # of price times amount
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_STATUS = {
    "open": VenueOrderStatus.OPEN,
    "canceling": VenueOrderStatus.OPEN,
    "pending": VenueOrderStatus.SUBMITTED,
    "closed": VenueOrderStatus.FILLED,
    "canceled": VenueOrderStatus.CANCELED,
    "expired": VenueOrderStatus.EXPIRED,
    "rejected": VenueOrderStatus.REJECTED,
}


def malformed(what: str) -> MalformedAnswerError:
    return MalformedAnswerError(
        f"The venue's answer cannot be read: {what}. Nothing is assumed from it; it is asked again."
    )


def number(value: object, name: str) -> Decimal:
    """Finite, and such as money can be. Raises MalformedAnswerError."""
    found = optional_number(value, name)
    if found is None:
        raise malformed(f"{name} is missing")
    return found


def optional_number(value: object, name: str) -> Decimal | None:
    if value is None or value == "":
        return None
    written = str(value)
    if not written.isascii() or "_" in written:  # Decimal reads other scripts' digits, and 1_5
        raise malformed(f"{name} is no number")
    try:
        found = Decimal(written)
    except InvalidOperation:
        raise malformed(f"{name} is no number") from None
    if not found.is_finite():
        raise malformed(f"{name} is not finite")
    if abs(found) >= TOO_LARGE:
        raise malformed(f"{name} is too large")
    return found


def amount_of(value: object, name: str) -> Decimal:
    """A number that is not negative."""
    found = number(value, name)
    if found < 0:
        raise malformed(f"{name} is negative")
    return found


def positive(value: object, name: str) -> Decimal:
    found = number(value, name)
    if found <= 0:
        raise malformed(f"{name} is not positive")
    return found


def id_of(value: object, name: str) -> str:
    if value is None or value == "":
        raise malformed(f"{name} is missing")
    if not isinstance(value, str | int) or isinstance(value, bool) or not ID.fullmatch(str(value)):
        raise malformed(f"{name} has the wrong form")
    return str(value)


def currency_of(value: object, name: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_CURRENCY:
        raise malformed(f"{name} has the wrong form")
    return value


def time_of(value: object, name: str = "its time") -> datetime:
    """value: milliseconds since 1970."""
    since_epoch = number(value, name)
    try:
        return EPOCH + timedelta(milliseconds=int(since_epoch))
    except OverflowError:
        raise malformed(f"{name} is out of range") from None


def milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


def side_of(value: object) -> Side:
    if value not in ("buy", "sell"):
        raise malformed("the side is neither buy nor sell")
    return Side(str(value))


def dictionary(value: object, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise malformed(f"{name} has the wrong form")
    return value


# --- Markets


def markets_of(client: Any) -> dict[str, Market]:
    """The spot markets that ccxt has loaded, by symbol."""
    spot = (entry for entry in client.markets.values() if entry.get("spot"))
    return {entry["symbol"]: market_of(entry, client.precisionMode) for entry in spot}


def market_of(entry: Mapping[str, Any], precision_mode: int) -> Market:
    """precision_mode: ccxt's, one of TICK_SIZE, DECIMAL_PLACES and SIGNIFICANT_DIGITS."""
    precision, limits = entry["precision"], entry["limits"]
    digits = precision_mode == SIGNIFICANT_DIGITS
    return Market(
        symbol=entry["symbol"],
        base=entry["base"],
        quote=entry["quote"],
        price_step=SMALLEST_STEP if digits else _step(precision.get("price"), precision_mode),
        amount_step=SMALLEST_STEP if digits else _step(precision.get("amount"), precision_mode),
        price_digits=int(precision["price"]) if digits and precision.get("price") else None,
        min_amount=_limit(limits, "amount", "min"),
        max_amount=_limit(limits, "amount", "max"),
        min_cost=_limit(limits, "cost", "min"),
        maker_fee=optional_number(entry.get("maker"), "the maker fee") or ZERO,
        taker_fee=optional_number(entry.get("taker"), "the taker fee") or ZERO,
        active=entry.get("active") is not False,
    )


def _step(value: object, precision_mode: int) -> Decimal:
    found = optional_number(value, "a market's precision")
    if found is None:
        return SMALLEST_STEP
    if precision_mode == DECIMAL_PLACES:
        return Decimal(1).scaleb(-int(found))
    return plain(found) if found > 0 else SMALLEST_STEP


def _limit(limits: Mapping[str, Any], what: str, bound: str) -> Decimal | None:
    found = optional_number((limits.get(what) or {}).get(bound), f"a market's {bound} {what}")
    return plain(found) if found else None


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros, and without an exponent for whole numbers."""
    return value.normalize() + ZERO


# --- What everybody sees


def ticker_of(answer: Any, symbol: str, now: datetime) -> Ticker:
    entry = dictionary(answer, "the ticker")
    prices = {key: optional_number(entry.get(key), f"the ticker's {key}") for key in ("bid", "ask", "last")}
    return Ticker(symbol=symbol, time=now, **{key: price or None for key, price in prices.items()})


def day_volumes_of(answer: Any, symbols: Container[str]) -> dict[str, Decimal]:
    """In quote, of these markets, as far as their tickers tell."""
    volumes: dict[str, Decimal] = {}
    for symbol, entry in dictionary(answer, "the tickers").items():
        volume = _day_volume(dictionary(entry, "a ticker")) if symbol in symbols else None
        if volume is not None:
            volumes[symbol] = volume
    return volumes


def _day_volume(ticker: Mapping[str, Any]) -> Decimal | None:
    """In quote; where the venue counts base only, at the day's average price or else the last one."""
    told = optional_number(ticker.get("quoteVolume"), "a day's volume in quote")
    if told is None:
        base = optional_number(ticker.get("baseVolume"), "a day's volume in base")
        price = optional_number(ticker.get("vwap") or ticker.get("last"), "the price of a day's volume")
        told = None if base is None or price is None else base * price
    if told is not None and told < 0:
        raise malformed("a day's volume is negative")
    return told


def book_of(answer: Any, symbol: str, now: datetime) -> Book:
    entry = dictionary(answer, "the book")
    bids = sorted(_levels(entry.get("bids")), key=lambda level: -level.price)
    asks = sorted(_levels(entry.get("asks")), key=lambda level: level.price)
    closed = str(entry.get("closed") or "")  # only connectors of our own say so
    return Book(symbol=symbol, bids=tuple(bids), asks=tuple(asks), time=now, closed=closed)


def _levels(rows: Any) -> Iterable[Level]:
    if not isinstance(rows, Sequence):
        raise malformed("the book has no levels")
    for row in rows:
        level = Level(positive(row[0], "a price of the book"), amount_of(row[1], "an amount of the book"))
        if level.amount:
            yield level


def public_trade_of(entry: Mapping[str, Any], symbol: str) -> PublicTrade:
    return PublicTrade(
        id=id_of(entry.get("id"), "a public trade's id"),
        symbol=symbol,
        side=side_of(entry.get("side")),
        price=positive(entry.get("price"), "a public trade's price"),
        amount=positive(entry.get("amount"), "a public trade's amount"),
        time=time_of(entry.get("timestamp")),
    )


# --- What the account's owner sees


def balances_of(answer: Any) -> dict[str, Balance]:
    """Those that hold anything, by currency."""
    free = dictionary(dictionary(answer, "the balances").get("free"), "the balances")
    used = dictionary(answer.get("used") or {}, "the balances")
    balances = (
        Balance(
            currency=currency,
            free=amount_of(held, f"the free {currency}"),
            used=amount_of(used.get(currency) or 0, f"the used {currency}"),
        )
        for currency, held in free.items()
        if held is not None
    )
    return {balance.currency: balance for balance in balances if balance.total}


def order_of(answer: Any, symbol: str) -> OrderReport:
    entry = dictionary(answer, "the order")
    if entry.get("symbol") != symbol:
        raise malformed(f"an order of another market than {symbol}")
    status, filled = (
        _STATUS.get(str(entry.get("status"))),
        amount_of(entry.get("filled"), "the filled amount"),
    )
    amount = positive(entry.get("amount"), "the order's amount")
    if status is None:
        raise malformed("an order without a known status")
    if filled > amount:
        raise malformed("an order that is filled for more than its amount")
    if status is VenueOrderStatus.FILLED and filled < amount:
        status = VenueOrderStatus.CANCELED  # closed, and not filled: the rest is gone
    return OrderReport(
        venue_id=id_of(entry.get("id"), "the order's id"),
        client_id=entry.get("clientOrderId") or None,
        symbol=symbol,
        side=side_of(entry.get("side")),
        type=OrderType.MARKET if entry.get("type") == "market" else OrderType.LIMIT,
        status=status,
        amount=amount,
        filled=filled,
        price=optional_number(entry.get("price"), "the order's price"),
        average=positive(entry.get("average"), "the average price") if filled else None,
        time=time_of(entry["timestamp"]) if entry.get("timestamp") else None,
    )


def placement_of(answer: Any, request: OrderRequest) -> OrderReport:
    """The answer to a create; venues that only acknowledge it tell no more than the id."""
    entry = dictionary(answer, "the order")
    known = {
        "symbol": request.symbol,
        "side": request.side.value,
        "type": request.type.value,
        "amount": request.amount,
        "price": request.price,
        "clientOrderId": request.client_id,
    }
    told = {key: value for key, value in entry.items() if value is not None}
    status = {"status": "pending"} if told.get("status") is None else {}
    return order_of({"filled": ZERO, **known, **told, **status}, request.symbol)


def trade_of(entry: Mapping[str, Any], symbol: str) -> TradeReport:
    """One fill. Its cost is the venue's own figure where it states one."""
    price = positive(entry.get("price"), "a trade's price")
    amount = positive(entry.get("amount"), "a trade's amount")
    if entry.get("symbol") != symbol:
        raise malformed(f"a trade of another market than {symbol}")
    liquidity = entry.get("takerOrMaker")
    return TradeReport(
        id=id_of(entry.get("id"), "a trade's id"),
        order_venue_id=id_of(entry.get("order"), "a trade's order"),
        client_id=entry.get("clientOrderId") or None,
        symbol=symbol,
        side=side_of(entry.get("side")),
        price=price,
        amount=amount,
        cost=_cost(entry.get("cost"), price * amount),
        fees=tuple(_fees(entry)),
        liquidity=Liquidity(liquidity) if liquidity in ("maker", "taker") else None,
        time=time_of(entry.get("timestamp")),
    )


def _cost(value: object, product: Decimal) -> Decimal:
    """The venue's figure, which may be rounded to its last digit; the product where it states none."""
    cost = amount_of(value or ZERO, "a trade's cost")
    if not cost:
        return product
    last_digit = Decimal(1).scaleb(int(cost.as_tuple().exponent))
    if abs(cost - product) > max(product * COST_TOLERANCE, last_digit):
        raise malformed("a trade's cost is not its price times its amount")
    return cost


def _fees(entry: Mapping[str, Any]) -> Iterable[Fee]:
    for fee in entry.get("fees") or [entry.get("fee") or {}]:
        amount = optional_number(fee.get("cost"), "a fee")
        if amount or (amount is not None and fee.get("currency")):
            yield Fee(currency=currency_of(fee.get("currency"), "a fee's currency"), amount=amount)
