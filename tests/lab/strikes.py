"""One request at the door, and what a fault makes of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace

from aiohttp import web

from tests.lab.faults import Effect, Fault, Stage, Strike
from tests.lab.nonsense import bend
from tests.lab.record import SeenRequest
from tests.lab.wire import Dialect, WireAnswer, WireRequest

DRIPS = 20
TWICE = (Effect.DUPLICATE, Effect.DUPLICATE_LAST)


@dataclass(frozen=True)
class Visit:
    """stopping: is set when the lab closes, so that nobody waits for it."""

    request: web.Request
    dialect: Dialect
    wire: WireRequest
    seen: SeenRequest
    stopping: asyncio.Event

    def execute(self) -> WireAnswer:
        """The venue does what it is asked; its own answer."""
        answer = self.dialect.answer(self.wire)
        self.seen.reached = True
        self.seen.status = answer.status
        return answer

    async def struck_by(self, strike: Strike) -> web.StreamResponse:
        fault = strike.fault
        self.seen.fault = fault.title
        if fault.stage is Stage.BEFORE and fault.effect is not Effect.DELAY:
            return await self._instead(fault)
        if fault.stage is Stage.BEFORE:
            await self._wait(fault.seconds)
        answer = self._execute_twice(fault) if fault.effect in TWICE else self.execute()
        if fault.stage is Stage.AFTER and fault.effect is Effect.DELAY:
            await self._wait(fault.seconds)
        if fault.effect in (Effect.HANG, Effect.DROP, Effect.ANSWER):
            return await self._instead(fault)
        return await self._spoilt(answer, strike)

    def _execute_twice(self, fault: Fault) -> WireAnswer:
        first = self.execute()
        second = self.dialect.answer_again(self.wire)
        self.seen.detail = f"first {first.status}, then {second.status}"
        return first if fault.effect is Effect.DUPLICATE else second

    async def _instead(self, fault: Fault) -> web.StreamResponse:
        """Something else than the venue's answer, or nothing."""
        if fault.effect is Effect.ANSWER:
            answer = fault.answer or WireAnswer(status=500)
            if "Retry-After" in answer.headers:
                self.seen.detail = f"retry after {answer.headers['Retry-After']} s"
            return self._plain(answer)
        if fault.effect is Effect.HANG:
            await self._wait_for_the_client()
        elif fault.effect is not Effect.DROP:
            raise ValueError(f"{fault.effect} needs the venue's answer: it cannot strike before")
        return self._close()

    async def _spoilt(self, answer: WireAnswer, strike: Strike) -> web.StreamResponse:
        """The venue's answer, in a bad state."""
        fault, chance = strike
        half = answer.body[: int(len(answer.body) * chance.uniform(0.1, 0.9))]
        if fault.effect is Effect.DRIP:
            return await self._drip(answer, fault.seconds)
        if fault.effect is Effect.TRUNCATE:
            return self._plain(replace(answer, body=half))
        if fault.effect is Effect.BREAK_OFF:
            return await self._break_off(answer, half)
        if fault.effect is Effect.NONSENSE:
            body, self.seen.detail = bend(answer.body, chance, fault.mutations)
            return self._plain(replace(answer, body=body))
        return self._plain(answer)

    def _plain(self, answer: WireAnswer) -> web.Response:
        self.seen.answered = answer.status
        return plain_response(answer)

    def _close(self) -> web.StreamResponse:
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response(status=500)

    async def _open(self, answer: WireAnswer) -> web.StreamResponse:
        """Its length is told as that of the whole answer."""
        response = web.StreamResponse(status=answer.status, headers=dict(answer.headers))
        response.content_length = len(answer.body)
        await response.prepare(self.request)
        return response

    async def _drip(self, answer: WireAnswer, seconds: float) -> web.StreamResponse:
        size = max(1, -(-len(answer.body) // DRIPS))
        starts = range(0, len(answer.body), size)
        try:
            response = await self._open(answer)
            for start in starts:
                await self._wait(seconds / len(starts))
                await response.write(answer.body[start : start + size])
            await response.write_eof()
        except ConnectionError:
            return self._close()
        self.seen.answered = answer.status
        return response

    async def _break_off(self, answer: WireAnswer, part: bytes) -> web.StreamResponse:
        try:
            response = await self._open(answer)
            await response.write(part)
        except ConnectionError:
            return self._close()
        await self._wait(0.01)  # an abort at once would throw away what was just written
        self._close()
        return response

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self.stopping.wait(), seconds)
        except TimeoutError:
            return

    async def _wait_for_the_client(self) -> None:
        """Until it gives up, or the lab closes."""
        while (
            not self.stopping.is_set()
            and self.request.transport is not None
            and not self.request.transport.is_closing()
        ):
            await self._wait(0.05)


def plain_response(answer: WireAnswer) -> web.Response:
    return web.Response(status=answer.status, headers=dict(answer.headers), body=answer.body)
