"""Which venues there are, what they ask for, and how to open one.

The web process imports this module, so nothing here loads ccxt or aiohttp; opening a venue does.
"""

from __future__ import annotations

from difflib import get_close_matches
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from exchanges.gateway import BookStream, ConnectionSpec, Gateway, Licence, MarketData, Proxy
from exchanges.venues.alpaca import facts as alpaca
from exchanges.venues.binance import facts as binance
from exchanges.venues.bitmart import facts as bitmart
from exchanges.venues.coinbase import facts as coinbase
from exchanges.venues.coinstore import facts as coinstore
from exchanges.venues.facts import KEY_AND_SECRET, PASSPHRASE, Venue
from exchanges.venues.kraken import facts as kraken
from exchanges.venues.okx import facts as okx

if TYPE_CHECKING:
    from database.thread import DatabaseThread
    from exchanges.venues.wire import Wire


class UnknownVenueError(ValueError):
    """There is no venue of that id; the text names the nearest ones."""


_DEMO = Venue(
    id="demo", title="Demo (synthetic prices)", credential_fields=(), is_paper_only=True, is_synthetic=True
)
_KNOWN = (
    binance.VENUE,
    _DEMO,
    okx.VENUE,
    kraken.VENUE,
    coinbase.VENUE,
    alpaca.VENUE,
    coinstore.VENUE,
    bitmart.VENUE,
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
        fields = (*KEY_AND_SECRET, PASSPHRASE) if name in _PASSPHRASE_VENUES else KEY_AND_SECRET
        return Venue(id=name, title=name.capitalize(), credential_fields=fields)
    raise UnknownVenueError(_unknown(venue_id))


def venue_or_none(venue_id: str) -> Venue | None:
    try:
        return venue(venue_id)
    except UnknownVenueError:
        return None


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


def open_book_stream(venue_id: str, *, proxy: Proxy | None, wire: Wire) -> BookStream | None:
    """None where the venue tells no books by itself, or it is not proven that it can be followed here.
    Costs nothing until a book is followed."""
    known = venue(venue_id)
    if known.is_synthetic:
        return None
    from exchanges.venues.dialects import dialect_of

    terms = dialect_of(known.id).book_streaming
    if terms is None:
        return None
    from exchanges.venues.ccxt_stream import CcxtBookStream

    return CcxtBookStream(known, terms, proxy=proxy, wire=wire)


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
    """market_data, database: for paper accounts, which trade against the one and are kept in the other.

    Raises VaultError where a secret that is needed at once cannot be read.
    """
    known = venue(spec.venue)
    if known.market_data_needs_key and not spec.credentials.is_empty:
        wire.lend_key(known.id, spec.proxy, spec.id, spec.credentials)
    if spec.is_paper or known.is_paper_only:
        from exchanges.venues.paper import PaperGateway

        if database is None:
            raise ValueError("A paper account is kept in the database: pass `database`.")
        prices = market_data or open_market_data(known.id, proxy=spec.proxy, wire=wire)
        return PaperGateway(spec, market_data=prices, database=database, licence=licence)
    from exchanges.venues.ccxt_venue import CcxtGateway

    return CcxtGateway(known, spec, wire=wire, licence=licence)
