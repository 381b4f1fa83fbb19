"""A process that reads books at the lab's Binance as fast as its address lets it: see test_addresses.py.

`python -m tests.bots.engine.reader_process PORT CA_FILE SECONDS` writes {"read": …, "refused": …}.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from contextlib import suppress
from pathlib import Path
from uuid import uuid4

import django


async def _read_books(port: int, ca_file: Path, seconds: float) -> dict[str, int]:
    from bots.engine import addresses, processes
    from database.thread import DatabaseThread
    from exchanges.errors import RateLimitError
    from exchanges.gateway import MarketData
    from exchanges.venues import wire as wire_module
    from exchanges.venues.addresses import Addresses
    from exchanges.venues.registry import open_market_data, preload
    from exchanges.venues.wire import Wire
    from tests.lab.resolver import lab_connector

    preload()
    vars(wire_module)["build_connector"] = lambda **options: lab_connector(port, ca_file, **options)
    me, database, count = uuid4(), DatabaseThread(), {"read": 0, "refused": 0}
    await database.run(processes.register, me)

    async def agree(wire: Wire) -> None:
        while True:
            await wire.addresses.news(1.0)
            await addresses.agree(wire.addresses, database, str(me))
            await asyncio.sleep(0.1)

    async def read(data: MarketData, until: float) -> None:
        while time.monotonic() < until:
            try:
                await data.fetch_book("BTC/USDT")
                count["read"] += 1
            except RateLimitError:
                count["refused"] += 1
                await asyncio.sleep(0.2)

    async with Wire(Addresses(is_shared=True)) as wire:
        agreeing = asyncio.create_task(agree(wire))
        data = open_market_data("binance", proxy=None, wire=wire)
        with suppress(RateLimitError):
            await data.load_markets()
        until = time.monotonic() + seconds
        readers = [asyncio.create_task(read(data, until)) for _ in range(20)]
        await asyncio.wait(readers, timeout=seconds + 0.5)
        for task in (*readers, agreeing):
            task.cancel()
        await asyncio.gather(*readers, agreeing, return_exceptions=True)
    await database.run(addresses.leave, str(me))
    await database.run(processes.leave, me)
    database.close()
    return count


if __name__ == "__main__":
    django.setup()
    counted = asyncio.run(_read_books(int(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])))
    sys.stdout.write(json.dumps(counted))
