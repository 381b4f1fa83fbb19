"""A paper account is acted for by its lease's holder only, as a real one is."""

from __future__ import annotations

from collections.abc import AsyncIterator
from decimal import Decimal

import pytest
import pytest_asyncio

from database.thread import DatabaseThread
from exchanges.gateway import Gateway, NotLicensedError
from exchanges.models import ExchangeConnection, PaperOrder
from exchanges.selectors import connection_spec
from exchanges.types import OrderRef, Side, VenueOrderStatus
from exchanges.venues.registry import open_gateway
from exchanges.venues.wire import Wire
from tests.exchanges.venues.paper_world import in_database, order, saved_connection

pytestmark = pytest.mark.django_db(transaction=True)


class Licence:
    """Ends when told to."""

    ended = False

    def check(self) -> None:
        if self.ended:
            raise NotLicensedError("the lease has run out; nothing was sent")


@pytest.fixture
def licence() -> Licence:
    return Licence()


@pytest.fixture
def connection(transactional_db: None) -> ExchangeConnection:
    return saved_connection(USDT="100000")


@pytest_asyncio.fixture
async def paper(connection: ExchangeConnection, licence: Licence) -> AsyncIterator[Gateway]:
    database = DatabaseThread()
    async with Wire() as wire:
        yield open_gateway(connection_spec(connection), wire=wire, licence=licence, database=database)
    database.close()


async def test_past_its_licence_an_order_is_not_placed(paper: Gateway, licence: Licence) -> None:
    licence.ended = True

    with pytest.raises(NotLicensedError):
        await paper.place(order(Side.BUY, "0.01", "1000", symbol="BTC/USDT"))

    assert await in_database(PaperOrder.objects.count) == 0


async def test_past_its_licence_an_order_is_not_canceled(paper: Gateway, licence: Licence) -> None:
    report = await paper.place(order(Side.BUY, "0.01", "1000", symbol="BTC/USDT"))
    licence.ended = True

    ref = OrderRef(client_id=report.client_id or "", symbol="BTC/USDT", venue_id=report.venue_id)
    with pytest.raises(NotLicensedError):
        await paper.cancel(ref)

    assert (await paper.fetch_order(ref)).status is VenueOrderStatus.OPEN
    assert report.filled == Decimal(0)
