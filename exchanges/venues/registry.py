"""Which venues there are, what they ask for, and how to open one.

The web process imports this module, so nothing here loads ccxt or aiohttp; opening a venue does.
"""

from __future__ import annotations

from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from exchanges.gateway import ConnectionSpec, Gateway, Licence, MarketData, Proxy

if TYPE_CHECKING:
    from database.thread import DatabaseThread
    from exchanges.venues.wire import Wire


class UnknownVenueError(ValueError):
    """There is no venue of that id; the text names the nearest ones."""


@dataclass(frozen=True, kw_only=True)
class CredentialField:
    """One field of a connection's credentials. name: the field of `Credentials` that it fills."""

    name: str
    label: str
    hint: str
    is_secret: bool = True


@dataclass(frozen=True, kw_only=True)
class Venue:
    """credential_fields: those that the venue asks for, in the order in which it shows them.

    is_paper_only: there are no real accounts.
    is_synthetic: its prices are computed, so that nothing is asked of a network.
    is_proven: orders were placed, filled, lost and found again there in tests; elsewhere only paper trades.
    supports_post_only: an order can be refused by the venue instead of taking liquidity.
    """

    id: str
    title: str
    credential_fields: tuple[CredentialField, ...]
    is_paper_only: bool = False
    is_synthetic: bool = False
    is_proven: bool = False
    supports_post_only: bool = True


API_KEY = CredentialField(name="api_key", label="API key", hint="From the venue's page for API keys.")
API_SECRET = CredentialField(
    name="api_secret", label="API secret", hint="The venue shows it once, when the key is made."
)
PASSPHRASE = CredentialField(
    name="passphrase", label="Passphrase", hint="The one you chose when you made the key."
)
_KEY_AND_SECRET = (API_KEY, API_SECRET)
_BINANCE_SECRET = CredentialField(
    name="api_secret",
    label="API secret",
    hint="The HMAC secret, or the whole PEM text of an RSA or Ed25519 private key.",
)

_KNOWN = (
    Venue(id="binance", title="Binance", credential_fields=(API_KEY, _BINANCE_SECRET), is_proven=True),
    Venue(
        id="demo",
        title="Demo (synthetic prices)",
        credential_fields=(),
        is_paper_only=True,
        is_synthetic=True,
    ),
    Venue(id="okx", title="OKX", credential_fields=(*_KEY_AND_SECRET, PASSPHRASE)),
    Venue(id="kraken", title="Kraken", credential_fields=_KEY_AND_SECRET),
    Venue(id="coinbase", title="Coinbase Advanced", credential_fields=_KEY_AND_SECRET),
    Venue(id="alpaca", title="Alpaca", credential_fields=_KEY_AND_SECRET, supports_post_only=False),
)
_BY_ID = {known.id: known for known in _KNOWN}
_PASSPHRASE_VENUES = frozenset({"bitget", "kucoin", "kucoinfutures", "okxus", "myokx", "blofin"})


def known_venues() -> tuple[Venue, ...]:
    """Those with facts of their own; any other id of ccxt is a venue too."""
    return _KNOWN


def venue(venue_id: str) -> Venue:
    """Raises UnknownVenueError with one sentence that names the nearest ids."""
    name = venue_id.strip().lower()
    if name in _BY_ID:
        return _BY_ID[name]
    if name in _ccxt_ids():
        fields = (*_KEY_AND_SECRET, PASSPHRASE) if name in _PASSPHRASE_VENUES else _KEY_AND_SECRET
        return Venue(id=name, title=name.capitalize(), credential_fields=fields)
    raise UnknownVenueError(_unknown(venue_id))


def _unknown(venue_id: str) -> str:
    near = get_close_matches(venue_id.strip().lower(), {*_BY_ID, *_ccxt_ids()}, n=3)
    if near:
        return f"There is no venue “{venue_id}”: did you mean {' or '.join(near)}?"
    return f"There is no venue “{venue_id}”: use {', '.join(_BY_ID)}, or another id of ccxt."


@lru_cache(maxsize=1)
def _ccxt_ids() -> frozenset[str]:
    """Found, not imported: ccxt costs 100 MB and half a second."""
    package = find_spec("ccxt")
    folders = package.submodule_search_locations if package else None
    return frozenset(
        file.stem for folder in folders or () for file in Path(folder, "async_support").glob("[!_]*.py")
    )


def preload() -> None:
    """Imports what opening a venue needs (ccxt): workers that are forked afterwards share it."""
    import exchanges.venues.ccxt_venue  # noqa: F401 - imported for what it loads


def open_market_data(venue_id: str, *, proxy: Proxy | None, wire: Wire) -> MarketData:
    """What the venue shows to everybody. Closing it is free: its wire keeps the client."""
    known = venue(venue_id)
    synthetic = synthetic_market_data(known.id)
    if synthetic is not None:
        return synthetic
    from exchanges.venues.ccxt_venue import CcxtMarketData

    return CcxtMarketData(known, proxy=proxy, wire=wire)


def synthetic_market_data(venue_id: str) -> MarketData | None:
    """Of a venue whose prices are computed; None for every other. Costs nothing, needs no closing."""
    known = _BY_ID.get(venue_id)
    if known is None or not known.is_synthetic:
        return None
    from exchanges.venues.demo import DemoMarketData

    return DemoMarketData()


def open_gateway(
    spec: ConnectionSpec,
    *,
    wire: Wire,
    licence: Licence | None = None,
    market_data: MarketData | None = None,
    database: DatabaseThread | None = None,
) -> Gateway:
    """market_data, database: for paper accounts, which trade against the one and are kept in the other."""
    known = venue(spec.venue)
    if spec.is_paper or known.is_paper_only:
        from exchanges.venues.paper import PaperGateway

        if database is None:
            raise ValueError("A paper account is kept in the database: pass `database`.")
        prices = market_data or open_market_data(known.id, proxy=spec.proxy, wire=wire)
        return PaperGateway(spec, market_data=prices, database=database, licence=licence)
    from exchanges.venues.ccxt_venue import CcxtGateway

    return CcxtGateway(known, spec, wire=wire, licence=licence)
