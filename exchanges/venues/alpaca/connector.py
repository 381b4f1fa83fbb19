"""Alpaca's coins and US stocks in ccxt's form.

A subclass of ccxt's class, for its addresses, its headers and its coin market data. What concerns orders,
fills, balances and stocks is our own: ccxt lists coins only, drops stocks from the balance, pages nothing,
and calls every fill a taker's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import ccxt.async_support as ccxt

from exchanges.errors import CredentialsError
from exchanges.venues.alpaca.account import cash_of, estimated_fee, tier_of
from exchanges.venues.alpaca.assets import coin_market, coins_of, stock_market
from exchanges.venues.alpaca.bars import day_volumes
from exchanges.venues.alpaca.session import Session, milliseconds, session_of
from exchanges.venues.ccxt_answers import amount_of, malformed

CASH = "USD"
ORDERS_PER_PAGE, FILLS_PER_PAGE = 500, 100
NO_KEY = "Alpaca shows its markets to holders of a key only: enter API key and secret, for paper trading too."
PAPER_KEY = (
    "This is the key of an Alpaca paper account (PK…), and Alpaca's live accounts do not know it: enter the "
    "key of the live account (AK…)."
)


class Alpaca(ccxt.alpaca):  # type: ignore[misc]
    """tier: the account's, by which coins are charged; None until the account was asked."""

    tier: int | None = None
    _session: Session | None = None

    def describe(self) -> Any:
        """Accounts have limits (`DIALECT.key_budget`), addresses have none that is known: ten a second. And
        we are no partner of Alpaca's, as ccxt's headers say."""
        return {**super().describe(), "rateLimit": 100, "headers": {}}

    def check_required_credentials(self, error: bool = True) -> bool:
        if not error:
            return bool(self.apiKey and self.secret)
        if not (self.apiKey and self.secret):
            raise CredentialsError(NO_KEY)
        if self.apiKey.startswith("PK"):
            raise CredentialsError(PAPER_KEY)
        return True

    # --- Markets and hours

    async def fetch_markets(self, params: Any = None) -> list[Any]:
        """Coins by pair, stocks against USD. A stock whose ticker is also a coin's is left out: balances
        could not tell the two apart."""
        coins = await self._assets("crypto")
        stocks = await self._assets("us_equity")
        taken = coins_of(coins)
        listed = [coin_market(self, asset) for asset in coins]
        return listed + [
            stock_market(self, asset)
            for asset in stocks
            if asset["tradable"] and asset["symbol"] not in taken
        ]

    def set_markets(self, markets: Any, currencies: Any = None) -> Any:
        """As they are: ccxt copies each, and its currencies, which is 80 MB for all stocks."""
        self.markets = {market["symbol"]: market for market in markets}
        self.markets_by_id = {market["id"]: [market] for market in markets}
        self.symbols, self.ids = sorted(self.markets), sorted(self.markets_by_id)
        nothing: dict[str, Any] = {}
        self.currencies = self.currencies_by_id = self.baseCurrencies = self.quoteCurrencies = nothing
        self.codes = list(nothing)
        return self.markets

    async def _assets(self, asset_class: str) -> Any:
        return await self.traderPrivateGetV2Assets({"asset_class": asset_class, "status": "active"})

    async def fetch_time(self, params: Any = None) -> int:
        self._session = session_of(await self.traderPrivateGetV2Clock(), self.milliseconds())
        return self._session.venue_ms

    async def closed_because(self, symbol: str) -> str:
        """One clause where nothing trades in it now; empty where it does. Coins always trade."""
        if not self._is_stock(symbol):
            return ""
        if self._session is None or self._session.is_over(self.milliseconds()):
            await self.fetch_time()
        assert self._session is not None  # noqa: S101 - just asked for
        return self._session.closed_because

    def _is_stock(self, symbol: str) -> bool:
        return bool(self.market(symbol)["info"]["class"] == "us_equity")

    # --- Market data

    async def fetch_order_book(self, symbol: str, limit: Any = None, params: Any = None) -> Any:
        """Of a stock the best quote; nothing outside market hours, with the reason under `closed`."""
        if not self._is_stock(symbol):
            return await super().fetch_order_book(symbol)
        closed = await self.closed_because(symbol)
        if closed:
            return {"bids": [], "asks": [], "closed": closed}
        ticker = self.market(symbol)["id"]
        answer = await self.marketPrivateGetV2StocksQuotesLatest({"symbols": ticker})
        quote = answer["quotes"][ticker]
        return {"bids": _level(quote["bp"], quote["bs"]), "asks": _level(quote["ap"], quote["as"])}

    async def fetch_ticker(self, symbol: str, params: Any = None) -> Any:
        if not self._is_stock(symbol):
            return await super().fetch_ticker(symbol)
        ticker = self.market(symbol)["id"]
        seen = (await self.marketPrivateGetV2StocksSnapshots({"symbols": ticker}))[ticker]
        quote, trade = seen["latestQuote"], seen["latestTrade"] or {}
        return {"symbol": symbol, "bid": quote["bp"], "ask": quote["ap"], "last": trade.get("p")}

    async def fetch_tickers(self, symbols: Any = None, params: Any = None) -> Any:
        """Without symbols, the volumes of coins; of stocks, Alpaca has none for everybody."""
        if symbols is not None:
            return await super().fetch_tickers(symbols)
        coins = [market["id"] for market in self.markets.values() if market["info"]["class"] == "crypto"]
        volumes = await day_volumes(self, coins)
        return {self._market_named(coin)["symbol"]: {"quoteVolume": told} for coin, told in volumes.items()}

    async def fetch_trades(
        self, symbol: str, since: Any = None, limit: Any = None, params: Any = None
    ) -> list[Any]:
        """None of stocks: Alpaca does not say who took in them."""
        if self._is_stock(symbol):
            return []
        trades: list[Any] = await super().fetch_trades(symbol, since, limit)
        return trades

    # --- Orders

    async def create_order(
        self, symbol: str, kind: str, side: str, amount: Any, price: Any = None, params: Any = None
    ) -> Any:
        """params: clientOrderId, and timeInForce where it is not to rest."""
        market, params = self.market(symbol), params or {}
        order = {
            "symbol": market["id"],
            "side": side,
            "type": kind,
            "qty": self.amount_to_precision(symbol, amount),
            "time_in_force": self._duration(symbol, amount, params.get("timeInForce")),
            "client_order_id": params["clientOrderId"],
        }
        if kind == "limit":
            order["limit_price"] = self.price_to_precision(symbol, price)
        return self.parse_order(await self.traderPrivatePostV2Orders(order), market)

    def _duration(self, symbol: str, amount: Any, asked: str | None) -> str:
        """Until it is cancelled, as coins and whole shares may; parts of shares rest for the day only."""
        if asked is not None:
            return asked.lower()
        return "day" if self._is_stock(symbol) and Decimal(str(amount)) % 1 else "gtc"

    async def cancel_order(self, order_id: str, symbol: Any = None, params: Any = None) -> Any:
        """By Alpaca's id only: without one, the request would be to cancel everything."""
        if not order_id:
            raise ccxt.ArgumentsRequired("alpaca cancels orders by their id")
        await self.traderPrivateDeleteV2OrdersOrderId({"order_id": order_id})
        return {}

    async def fetch_order(self, order_id: str, symbol: Any = None, params: Any = None) -> Any:
        if not order_id:
            raise ccxt.ArgumentsRequired("alpaca shows orders by their id")
        return self.parse_order(await self.traderPrivateGetV2OrdersOrderId({"order_id": order_id}))

    async def fetch_order_by_client_id(self, client_id: str, symbol: str) -> Any:
        answer = await self.request(
            "v2/orders:by_client_order_id", ["trader", "private"], "GET", {"client_order_id": client_id}
        )
        return self.parse_order(answer)

    async def fetch_open_orders(
        self, symbol: Any = None, since: Any = None, limit: Any = None, params: Any = None
    ) -> list[Any]:
        """All of them. Orders by value, which are never ours, have no amount and are left out."""
        ask = {"status": "open", "direction": "asc", "limit": ORDERS_PER_PAGE}
        if symbol is not None:
            ask["symbols"] = self.market(symbol)["id"]
        rows: dict[str, Any] = {}
        while True:
            page = _rows(await self.traderPrivateGetV2Orders(ask))
            fresh = [row for row in page if row["id"] not in rows]
            rows |= {row["id"]: row for row in fresh}
            if len(page) < ORDERS_PER_PAGE:
                return [self.parse_order(row) for row in rows.values() if row["qty"] is not None]
            if not fresh:
                raise malformed("more orders of one millisecond than a page shows")
            # The end is left out by Alpaca; what shares its millisecond comes again.
            ask["after"] = self.iso8601(milliseconds(page[-1]["submitted_at"]) - 1)

    def parse_order(self, order: Any, market: Any = None) -> Any:
        found = super().parse_order(order, self._market_named(order["symbol"]))
        found["timestamp"] = milliseconds(order["submitted_at"])
        if order["status"] == "pending_new":
            found["status"] = "pending"  # received, and not yet in the book
        return found

    # --- Fills

    async def fetch_my_trades(
        self, symbol: Any = None, since: Any = None, limit: Any = None, params: Any = None
    ) -> list[Any]:
        """All from `since` (milliseconds, inclusive) on. Alpaca lists the fills of all markets together."""
        ask = {"activity_type": "FILL", "direction": "asc", "page_size": FILLS_PER_PAGE}
        if since is not None:
            ask["after"] = self.iso8601(since - 1)
        if symbol is not None and not self._is_stock(symbol) and self.tier is None:
            await self.fetch_account()
        rows: list[Any] = []
        while True:
            page = _rows(await self.traderPrivateGetV2AccountActivitiesActivityType(ask))
            rows += page
            if len(page) < FILLS_PER_PAGE:
                break
            ask["page_token"] = page[-1]["id"]
        trades = [self._fill(row) for row in rows]
        return [trade for trade in trades if symbol in (None, trade["symbol"])]

    def _fill(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Whether it made or took is not told."""
        market = self._market_named(row["symbol"])
        side = "sell" if row["side"] == "sell_short" else row["side"]
        return {
            "id": row["id"],
            "order": row["order_id"],
            "timestamp": milliseconds(row["transaction_time"]),
            "symbol": market["symbol"],
            "side": side,
            "price": row["price"],
            "amount": row["qty"],
            "fee": estimated_fee(row, market, side, self.tier),
        }

    def _market_named(self, name: object) -> Any:
        """BTCUSD stands for BTC/USD in older answers. Of a market that is not listed, only its name."""
        if not isinstance(name, str):
            raise malformed("a market's name has the wrong form")
        if name not in self.markets_by_id:
            name = next((key for key in self.markets_by_id if key.replace("/", "") == name), name)
        return self.safe_market(name)

    # --- Account

    async def fetch_account(self) -> Mapping[str, Any]:
        account: Mapping[str, Any] = await self.traderPrivateGetV2Account()
        self.tier = tier_of(account.get("crypto_tier"))
        return account

    async def fetch_balance(self, params: Any = None) -> Any:
        """Cash and positions, as `free` and `used` by currency; a stock's currency is its ticker."""
        account = await self.fetch_account()
        positions = await self.traderPrivateGetV2Positions()
        free, total = cash_of(account)
        balance = {"free": {CASH: free}, "used": {CASH: total - free}}
        for currency, row in self._owned(_rows(positions)):
            held, available = (amount_of(row[name], f"the {currency}") for name in ("qty", "qty_available"))
            balance["free"][currency] = available
            balance["used"][currency] = held - available
        return {"info": {"account": account, "positions": positions}, **balance}

    def _owned(self, positions: Iterable[Mapping[str, Any]]) -> Iterable[tuple[str, Mapping[str, Any]]]:
        """Without what was sold short, and without stocks that have a coin's name."""
        coins = {self.markets_by_id[key][0]["base"] for key in self.markets_by_id if "/" in key}
        for row in positions:
            if row["side"] != "long":
                continue
            if row["asset_class"] == "crypto":
                yield row["symbol"].replace("/", "").removesuffix(CASH), row
            elif row["asset_class"] == "us_equity" and row["symbol"] not in coins:
                yield row["symbol"], row


def _level(price: object, size: object) -> list[list[object]]:
    """A side of a quote; nothing where it is empty, which Alpaca shows as zeros."""
    return [[price, size]] if price and size else []


def _rows(answer: object) -> list[Any]:
    if not isinstance(answer, Sequence) or isinstance(answer, str):
        raise malformed("it is no list")
    return list(answer)
