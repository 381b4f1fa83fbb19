"""What the rows of exchanges say, in the words of `exchanges.types` and `exchanges.gateway`."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import Model, QuerySet
from django.utils import timezone

from exchanges.gateway import ConnectionSpec, Credentials, Proxy
from exchanges.models import Balance, BalanceSnapshot, ConnectionHealth, ExchangeConnection, Market, Mode
from exchanges.proxy_address import DIRECT, ProxyLogin
from exchanges.types import Market as MarketRules
from exchanges.valuation import Price, Valuation, valued
from exchanges.venues.registry import venue_or_none
from vault.keyring import VaultError
from vault.secret import Secret

SEES_ALL = "exchanges.view_all_connections"
Row = TypeVar("Row", bound=Model)


def visible_connections(user: User | AnonymousUser) -> QuerySet[ExchangeConnection]:
    """A person's own; all of them for superusers, and for whoever has the permission to see all."""
    connections = ExchangeConnection.objects.all()
    if user.has_perm(SEES_ALL):
        return connections
    return connections.filter(owner=user.pk) if user.pk else connections.none()


def visible_rows(
    user: User | AnonymousUser, rows: QuerySet[Row], to_connection: str = "connection"
) -> QuerySet[Row]:
    """Those of the connections that this person sees. to_connection: the lookup that leads there.

    The connections are looked up first: they are few, and then each question of the rows has an index.
    """
    if user.has_perm(SEES_ALL):
        return rows
    seen = list(visible_connections(user).values_list("pk", flat=True))
    return rows.filter(**{f"{to_connection}__in": seen})


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
    """The connection's own, else the desk's; none where it says so, or where neither is set."""
    if connection.proxy_url == DIRECT:
        return None
    if connection.proxy_url:
        return Proxy(
            url=connection.proxy_url,
            username=connection.proxy_username,
            password=connection.proxy_password,
            ca=connection.proxy_ca,
            ipv4_only=connection.proxy_ipv4_only,
        )
    login: ProxyLogin | None = settings.DEFAULT_PROXY
    if login is None:
        return None
    return Proxy(
        url=login.url,
        username=login.username,
        password=login.password,
        ca=connection.proxy_ca,
        ipv4_only=connection.proxy_ipv4_only,
        set_where="in QUOTAGUARDSTATIC_URL",
    )


def live_refusal(connection: ExchangeConnection) -> str:
    """Why nothing may be sent for this live connection, in one sentence; empty for paper, or where it may."""
    its_venue = venue_or_none(connection.venue)
    if connection.is_paper or its_venue is None:
        return ""
    if its_venue.is_paper_only:
        return f"“{connection}” is live, and {its_venue.title} has no real accounts: choose paper."
    if not its_venue.is_proven:
        return f"Live orders at {its_venue.title} are not proven yet in this version: use paper there."
    missing = [asked.label for asked in its_venue.credential_fields if not getattr(connection, asked.name)]
    if missing:
        return (
            f"The connection “{connection}” is live but has no {' and no '.join(missing)}: enter them first."
        )
    return ""


DRY_RUN_NOTICE = "Dry run: DRY_RUN is set, so every connection trades with play money, live ones too."


def dry_run_setting() -> str:
    """One sentence while DRY_RUN is set; nothing otherwise."""
    return DRY_RUN_NOTICE if settings.DRY_RUN else ""


def single_exchange_warning(user: User | AnonymousUser | None = None) -> str:
    """One sentence where all live connections are at one exchange; nothing where that is wanted.

    user: those that they see; None: of the whole desk, for who starts a process of it.
    """
    if settings.DRY_RUN or settings.SUPPRESS_SINGLE_EXCHANGE_WARNING:
        return ""
    seen = ExchangeConnection.objects.all() if user is None else visible_connections(user)
    live = seen.filter(enabled=True, archived_at=None, mode=Mode.LIVE)
    venues = set(live.values_list("venue", flat=True))
    if len(venues) != 1:
        return ""
    return (
        f"Every live connection is at {venue_title(venues.pop())}: while it is down, nothing trades. "
        "Add one at another exchange, or set SUPPRESS_SINGLE_EXCHANGE_WARNING=true."
    )


def same_key_warnings(connection: ExchangeConnection) -> tuple[str, ...]:
    """A sentence where other live connections act with the same key. Keys are compared inside the vault.

    Those of other owners have no name in it: who reads it may be a client.
    """
    if connection.is_paper or not connection.api_key:
        return ()
    live = ExchangeConnection.objects.filter(venue=connection.venue, mode=Mode.LIVE, archived_at=None)
    others = [
        f"“{other.name}”" if other.owner_id == connection.owner_id else "Another owner's connection"
        for other in live.exclude(pk=connection.pk)
        if holds(other, {"api_key": connection.api_key})
    ]
    if not others:
        return ()
    return (_same_key_sentence(connection.venue, others),)


def holds(connection: ExchangeConnection, secrets: Mapping[Any, Secret]) -> bool:
    """Whether these, by field, are what it has stored. They are compared inside the vault."""
    try:
        return all(bool(getattr(connection, name) == secret) for name, secret in secrets.items())
    except VaultError:
        return False  # a lost key is told of where it is needed


def _same_key_sentence(venue_id: str, others: Sequence[str]) -> str:
    names = " and ".join(others)
    verb = "has" if len(others) == 1 else "have"
    known = venue_or_none(venue_id)
    harm = (
        "the venue numbers each key's requests, so they will refuse each other's"
        if known and known.one_client_per_key
        else "they share what the venue allows a key to ask, and each other's orders"
    )
    return f"{names} {verb} the same API key: {harm}. Make a key for each connection."


def busy_key_warnings(connection: ExchangeConnection) -> tuple[str, ...]:
    """A sentence where a worker uses the key now, and the venue takes one client for each key."""
    known, until = venue_or_none(connection.venue), connection.lease_expires_at
    is_busy = not connection.is_paper and until is not None and until > timezone.now()
    if not (is_busy and known and known.one_client_per_key):
        return ()
    sentence = (
        f"A worker acts with this key now, and {known.title} numbers each key's requests: a test meanwhile "
        "may make it refuse a request of either. The worker asks again."
    )
    return (sentence,)


class NoConnectionError(LookupError):
    """Nothing goes by that name; the text names what is near."""


def connections_named(words: Sequence[str]) -> list[ExchangeConnection]:
    """Those of these names, numbers or venues; all where no word is given. Raises NoConnectionError."""
    known = list(ExchangeConnection.objects.filter(archived_at=None).order_by("name", "pk"))
    if not known:
        raise NoConnectionError(
            "There is no connection yet: add one in the admin, or run `manage.py import_connections`."
        )
    found = known if not words else [row for word in words for row in _called(word, known)]
    return list(dict.fromkeys(found))


def _called(word: str, known: Sequence[ExchangeConnection]) -> list[ExchangeConnection]:
    sought = word.strip().lower()
    found = [row for row in known if sought in (row.name.lower(), str(row.pk))]
    found = found or [row for row in known if row.venue == sought]
    if not found:
        raise NoConnectionError(_nothing_called(word, known))
    return found


def _nothing_called(word: str, known: Sequence[ExchangeConnection]) -> str:
    names = {row.name.lower(): row.name for row in known} | {row.venue: row.venue for row in known}
    near = [names[name] for name in get_close_matches(word.strip().lower(), names, n=3)]
    there_are = ", ".join(sorted(set(names.values())))
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {there_are}."
    return f"No connection is called “{word}” or is at a venue of that name: {hint}"


def quote_currency(connection: ExchangeConnection) -> str:
    """What the account's worth is counted in: as its owner says, else as is usual at the venue."""
    known = venue_or_none(connection.venue)
    return connection.quote_currency or (known.usual_quote if known else "USDT")


def worth(connection: ExchangeConnection) -> Valuation | None:
    """The balances as they were read last, at the last prices known; None before the first look."""
    if connection.balances_at is None:
        return None
    amounts = {row.currency: row.free + row.used for row in connection.balances.all()}
    return _valued(connection, amounts, {})


def _valued(
    connection: ExchangeConnection, amounts: Mapping[str, Decimal], marks: Mapping[str, Price]
) -> Valuation:
    quote, last = quote_currency(connection), connection.last_snapshot
    prices = last_prices(last, quote) if last else {}
    for symbol, price in marks.items():
        base, _, its_quote = symbol.partition("/")
        if its_quote == quote:
            prices[base] = price
    return valued(amounts, prices, quote=quote, at=connection.balances_at or timezone.now())


def worths(
    connections: Collection[ExchangeConnection], marks: Mapping[UUID, Mapping[str, Price]]
) -> list[tuple[ExchangeConnection, Valuation]]:
    """Of those whose balances were read; in one statement where their last snapshots are at hand.

    marks: by connection and symbol, newer prices than those of its last snapshot.
    """
    read = [connection for connection in connections if connection.balances_at is not None]
    amounts: dict[UUID, dict[str, Decimal]] = {connection.pk: {} for connection in read}
    rows = Balance.objects.filter(connection__in=amounts)
    for key, currency, free, used in rows.values_list("connection_id", "currency", "free", "used"):
        amounts[key][currency] = free + used
    return [(row, _valued(row, amounts[row.pk], marks.get(row.pk, {}))) for row in read]


def last_prices(snapshot: BalanceSnapshot, quote: str) -> dict[str, Price]:
    """By currency; none where the snapshot was counted in another one."""
    if snapshot.quote != quote:
        return {}
    return {line.currency: line.price for line in snapshot.valuation.lines if line.price}


def venue_title(venue_id: str) -> str:
    """As people call it; the id itself where the registry does not know it any more."""
    known = venue_or_none(venue_id)
    return known.title if known else venue_id


def worst_health(user: User | AnonymousUser, most: int) -> list[ConnectionHealth]:
    """Of connections in use that this person sees, as their workers saw them last, the worst first."""
    in_use = visible_connections(user).filter(enabled=True, archived_at=None)
    rows = ConnectionHealth.objects.filter(connection__in=in_use)
    return list(rows.select_related("connection").order_by("score", "connection__name")[:most])


def market(venue: str, symbol: str) -> MarketRules | None:
    """The market's rules as the venue last stated them; None where its list does not have it."""
    row = Market.objects.filter(venue=venue, symbol=symbol).first()
    return None if row is None else _rules(row)


def markets_known(venue: str) -> bool:
    """Whether this venue's list has ever been loaded."""
    return Market.objects.filter(venue=venue).exists()


def markets(venue: str, *, symbols: Collection[str] | None = None, quote: str = "") -> list[MarketRules]:
    """Those that its list has, in the order of their symbols: of these symbols, or in this currency."""
    rows = Market.objects.filter(venue=venue)
    rows = rows.filter(quote=quote) if symbols is None else rows.filter(symbol__in=symbols)
    return [_rules(row) for row in rows]


def market_symbols(venue: str) -> list[str]:
    return list(Market.objects.filter(venue=venue).values_list("symbol", flat=True))


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
