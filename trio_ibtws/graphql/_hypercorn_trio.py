"""One connection of Hypercorn's trio worker, hardened."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Any, cast

import trio
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.trio.tcp_server import TCPServer
from hypercorn.typing import AppWrapper

from ._hypercorn import LINGER, PIECE, Door, Http1, busy

__all__ = ["TrioConnection"]

log = logging.getLogger("trio_ibtws.graphql")

GONE = (trio.BrokenResourceError, trio.ClosedResourceError, trio.BusyResourceError)
"""What writing to a connection raises that is over, or (the last) that another task is just ending."""


class TrioConnection(TCPServer):
    """Hypercorn's connection that ends alone, and in time."""

    def __init__(self, door: Door, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._door = door
        self._reading = trio.CancelScope()
        self._sending = trio.CancelScope()
        self._discards = self._has_read_all = False

    async def run(self) -> None:
        """Serve the connection to its end. Nothing but Cancelled leaves it."""
        with self._door.entered() as welcome:
            if welcome == "drop":
                await trio.aclose_forcefully(self.stream)
                return
            if welcome == "refuse":
                self.app = cast(AppWrapper, busy)
            try:
                await self._run_to_the_end()
            except Exception:
                log.warning("a connection failed", exc_info=log.isEnabledFor(logging.DEBUG))
            except BaseExceptionGroup as group:
                cancelled, errors = group.split(trio.Cancelled)
                if errors is not None and not isinstance(errors, ExceptionGroup):
                    raise
                if errors is not None:
                    log.warning("a connection failed", exc_info=errors)
                if cancelled is not None:
                    raise cancelled from None

    async def _run_to_the_end(self) -> None:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._end_with_the_server)
            await super().run()
            nursery.cancel_scope.cancel()

    async def _end_with_the_server(self) -> None:
        await self.context.terminated.wait()
        await trio.sleep(self._door.grace)
        self._reading.cancel()
        self._sending.cancel()
        await trio.aclose_forcefully(self.stream)

    # --- out

    async def protocol_send(self, event: Event) -> None:
        """Do what the protocol asks for."""
        if isinstance(event, RawData):
            await self._send(event.data)
        elif isinstance(event, Closed) or (isinstance(event, Updated) and event.idle and self._has_read_all):
            await self._hang_up()
        else:
            await super().protocol_send(event)

    async def _send(self, data: bytes) -> None:
        async with self.send_lock:
            self._sending = trio.CancelScope(deadline=trio.current_time() + self._door.send_seconds, shield=True)
            try:
                with self._sending:
                    await self.stream.send_all(data)
            except GONE:
                await self.protocol.handle(Closed())
        if self._sending.cancelled_caught:
            log.info("a peer does not read: its connection is closed")
            await self._drop()

    async def _drop(self) -> None:
        """Close, whatever the peer makes of it. What was sent may have gone in part."""
        with trio.CancelScope(shield=True):
            await trio.aclose_forcefully(self.stream)
        await self.protocol.handle(Closed())

    async def _hang_up(self) -> None:
        """Say that no more comes, and give the peer a moment to do the same."""
        self._discards = True
        self._reading.deadline = trio.current_time() + LINGER
        try:
            await self.stream.send_eof()
        except (AttributeError, *GONE):  # TLS has none
            self._reading.cancel()
        await self.protocol.handle(Closed())

    # --- in

    async def _read_data(self) -> None:
        protocol = Http1.in_place_of(self.protocol)
        self.protocol = cast(ProtocolWrapper, protocol)  # of which it has all that is used
        with self._reading, suppress(*GONE):
            data = b"to begin with"
            while data:
                data = bytes(await self.stream.receive_some(PIECE))
                if not self._discards:
                    await protocol.handle(RawData(data))
                    if protocol.is_deaf:
                        await self._hang_up()
        self._has_read_all = True
        await self.idle_task.stop()
        await self.protocol.handle(Closed())
