"""One request of the table with a task that is cancelled in it, on both backends, and what must hold afterwards.

Each is *answered* as TWS would, *refused* with an error, or left without an answer until the victim has gone
(*silent*). After it no request is open, nothing is unsent, TWS was sent the request once at the most, whole, and the
message that cancels it once where TWS was not done with it; and the connection answers the next query.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

import anyio
from anyio.lowlevel import checkpoint
from sniffio import current_async_library

from tests.answers import FIRST_ID, QUERIES, STREAMS, VERSIONS, call_arguments, script, supported
from tests.peer import Peer, connected, protobuf, text
from tests.read_back import table
from tests.script import settle, stock
from trio_ibtws import Client, Request, RequestError
from trio_ibtws._runtime._calls import _named

VERSION = VERSIONS[-1]
MODES = ("answered", "refused", "silent")
ASKED = [name for name in (*QUERIES, *STREAMS) if supported(name, VERSION)]
"""The rows that have an answer, of those that the installed ibapi has."""

CONTRACT_DATA_END = 52
REFUSED = 321

Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Coroutine[Any, Any, None]]
"""Runs a victim, and cancels it somewhere."""


class Tws:
    """A peer that answers one request, and keeps what it was sent."""

    def __init__(self, peer: Peer, answer: list[bytes]) -> None:
        self._peer = peer
        self._answer = answer
        self._asked = False
        self.silent = False
        self.seen: list[bytes] = []

    async def serve(self) -> None:
        while True:
            self.seen.append(await self._peer.receive_frame())
            if len(self.seen) == 1:
                self._asked = True
                if not self.silent:
                    await self.answer()

    async def answer(self) -> None:
        """Send the answer, if it was asked for and has not been sent."""
        if self._asked:
            self._asked = False
            for frame in self._answer:
                await self._peer.send(frame)
                await checkpoint()


def arguments_of(name: str) -> list[Any]:
    return call_arguments(name, script(name, VERSION).told)


async def use(client: Client, name: str) -> None:
    """Ask, or open the stream and read all that comes."""
    function, given = getattr(client, name.lower()), arguments_of(name)
    try:
        if name in QUERIES:
            await function(*given)
            return
        async with function(*given) as stream:
            for _ in script(name, VERSION).streamed if not table()[name].batches else [None]:
                await stream.receive()
    except RequestError as refused:
        if refused.code != REFUSED:
            raise


async def try_one(name: str, mode: str, run: Run) -> None:
    """Let *run* cancel a task that uses one request, then look at what is left of it."""
    answer = script(name, VERSION).frames  # made before there is a connection whose clock runs
    async with connected(VERSION, trading=True) as (client, peer), anyio.create_task_group() as tasks:
        refusal = [peer.error(FIRST_ID if table()[name].by_request_id else -1, REFUSED, "invalid")]
        tws = Tws(peer, refusal if mode == "refused" else answer)
        tws.silent = mode == "silent"
        tasks.start_soon(tws.serve)
        await _quiet()
        async with anyio.create_task_group() as victims:
            victims.start_soon(run, partial(use, client, name))
            if tws.silent or table()[name].endless:  # which no error without an id can name
                await _quiet()
                victims.cancel_scope.cancel()
        await _quiet()
        await tws.answer()
        await _quiet()
        tasks.cancel_scope.cancel()
        _check(client, table()[name], name, tws.seen, mode)
        await _assert_usable(client, peer)


async def _quiet() -> None:
    """Return when nothing moves any more; on asyncio the clock jumps then, and not before."""
    if current_async_library() == "trio":
        await settle()
    else:
        await anyio.sleep(0.001)


def _check(client: Client, request: Request[Any], name: str, seen: list[bytes], mode: str) -> None:
    stats = client.stats()
    assert (stats.open_requests, stats.unsent_frames) == (0, 0)
    frames = _frames(client, request, name)
    assert seen == frames[: len(seen)], "more than the request and its cancel, or half of one"
    whole = len(frames) == 1 or (len(seen) == 1 and name in QUERIES and not request.lasting and mode != "silent")
    assert not seen or whole or len(seen) == len(frames) or mode == "refused", "TWS was not told"


def _frames(client: Client, request: Request[Any], name: str) -> list[bytes]:
    """Return the request's frame, and that of its cancel where there is one."""
    session = client._connection.session
    given = _named(request, tuple(arguments_of(name)))
    request_id = FIRST_ID if request.by_request_id else None
    cancel = session._cancel_frame(request, given, request_id)
    ends = request.by_request_id or request.lasting or request.endless
    encoded = [session._bridge.encode(request, given, request_id), cancel if ends else None]
    return [frame[4:] for frame in encoded if frame is not None]


async def _assert_usable(client: Client, peer: Peer) -> None:
    async with anyio.create_task_group() as tasks:
        answers: list[Any] = []

        async def ask() -> None:
            answers.append(await client.contract_details(stock()))

        tasks.start_soon(ask)
        await peer.receive_frame()
        for number in range(FIRST_ID, FIRST_ID + 3):
            if VERSION > 200:
                await peer.send(protobuf(CONTRACT_DATA_END, "ContractDataEnd", reqId=number))
            else:
                await peer.send(text(CONTRACT_DATA_END, 1, number, version=VERSION))
    assert answers == [[]]
