"""Opens what a connection leads to and has it examined, in a loop of its own."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from exchanges.checkup.examination import Findings, Subject, examine
from exchanges.checkup.report import Outcome, Step
from exchanges.gateway import ConnectionSpec
from exchanges.venues.facts import Venue
from exchanges.venues.registry import UnknownVenueError, open_gateway, open_market_data, venue

if TYPE_CHECKING:
    from exchanges.venues.handshakes import AttentiveLoop, Handshake
    from exchanges.venues.wire import Wire


def examine_connection(spec: ConnectionSpec) -> Findings:
    """Asks the venue itself, whatever the mode. Loads ccxt."""
    from exchanges.venues.handshakes import AttentiveLoop

    try:
        its_venue = venue(spec.venue)
    except UnknownVenueError as error:
        return Findings(steps=(Step(name="Venue", outcome=Outcome.FAILED, sentence=str(error)),))
    with asyncio.Runner(loop_factory=AttentiveLoop) as runner:
        loop: AttentiveLoop = runner.get_loop()  # type: ignore[assignment]  # typed as any loop
        return runner.run(_examine(spec, its_venue, loop))


async def _examine(spec: ConnectionSpec, its_venue: Venue, loop: AttentiveLoop) -> Findings:
    from exchanges.venues.wire import Wire  # aiohttp

    async with Wire() as wire:
        if spec.credentials.is_empty or its_venue.is_paper_only:
            return await examine(_subject_without_key(spec, its_venue, wire, loop))
        account = open_gateway(replace(spec, is_paper=False), wire=wire)
        try:
            return await examine(
                Subject(
                    data=account,
                    account=account,
                    has_proxy=spec.proxy is not None,
                    no_orders_because=its_venue.no_orders_because,
                    handshakes=partial(_with_the_venue, loop, spec),
                )
            )
        finally:
            await account.close()


def _subject_without_key(spec: ConnectionSpec, its_venue: Venue, wire: Wire, loop: AttentiveLoop) -> Subject:
    return Subject(
        data=open_market_data(its_venue.id, proxy=spec.proxy, wire=wire),
        has_proxy=spec.proxy is not None,
        is_synthetic=its_venue.is_synthetic,
        needs_key=not spec.is_paper,
        handshakes=partial(_with_the_venue, loop, spec),
    )


def _with_the_venue(loop: AttentiveLoop, spec: ConnectionSpec) -> list[Handshake]:
    """Without those with an https proxy, which say nothing of the venue's certificate."""
    proxy = urlsplit(spec.proxy.url).hostname if spec.proxy else None
    return [handshake for handshake in loop.handshakes if handshake.host != proxy]
