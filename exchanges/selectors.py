"""What the rows of exchanges say, in the words of `exchanges.types` and `exchanges.gateway`."""

from __future__ import annotations

from exchanges.gateway import ConnectionSpec, Credentials, Proxy
from exchanges.models import ExchangeConnection, Market
from exchanges.types import Market as MarketRules


def connection_spec(connection: ExchangeConnection) -> ConnectionSpec:
    """The secrets stay sealed in it."""
    return ConnectionSpec(
        id=str(connection.pk),
        name=connection.name,
        venue=connection.venue,
        is_paper=connection.is_paper,
        credentials=Credentials(
            api_key=connection.api_key,
            api_secret=connection.api_secret,
            passphrase=connection.passphrase,
        ),
        proxy=_proxy(connection),
    )


def _proxy(connection: ExchangeConnection) -> Proxy | None:
    if not connection.proxy_url:
        return None
    return Proxy(
        url=connection.proxy_url,
        username=connection.proxy_username,
        password=connection.proxy_password,
    )


def market(venue: str, symbol: str) -> MarketRules | None:
    """The market's rules as the venue last stated them; None where its list does not have it."""
    row = Market.objects.filter(venue=venue, symbol=symbol).first()
    return None if row is None else _rules(row)


def markets_known(venue: str) -> bool:
    """Whether this venue's list has ever been loaded."""
    return Market.objects.filter(venue=venue).exists()


def _rules(row: Market) -> MarketRules:
    return MarketRules(
        symbol=row.symbol,
        base=row.base,
        quote=row.quote,
        price_step=row.price_step,
        amount_step=row.amount_step,
        price_digits=row.price_digits,
        min_amount=row.min_amount,
        max_amount=row.max_amount,
        min_cost=row.min_cost,
        maker_fee=row.maker_fee,
        taker_fee=row.taker_fee,
        active=row.active,
    )
