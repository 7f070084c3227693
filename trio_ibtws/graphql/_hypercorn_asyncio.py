"""One connection of Hypercorn's asyncio worker, hardened."""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import Any, cast

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Closed, Event, RawData, Updated
from hypercorn.protocol import ProtocolWrapper
from hypercorn.typing import AppWrapper

from ._hypercorn import LINGER, PIECE, Door, Http1, busy

__all__ = ["AsyncioConnection"]

log = logging.getLogger("trio_ibtws.graphql")

GONE = (OSError, RuntimeError)  # a reset, TLS's errors; a transport that is closed already


class AsyncioConnection(TCPServer):
    """Hypercorn's connection that ends alone, and in time."""

    def __init__(self, door: Door, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._door = door
        self._reading = asyncio.timeout(None)
        self._is_reading = False
        self._discards = self._has_read_all = False

    async def run(self) -> None:
        """Serve the connection to its end. Nothing but Cancelled leaves it."""
        with self._door.entered() as welcome:
            if welcome == "drop":
                self.writer.transport.abort()
                return
            if welcome == "refuse":
                self.app = cast(AppWrapper, busy)
            try:
                async with asyncio.TaskGroup() as tasks:
                    watch = tasks.create_task(self._end_with_the_server())
                    await super().run()
                    watch.cancel()
            except Exception:
                log.warning("a connection failed", exc_info=log.isEnabledFor(logging.DEBUG))

    async def _end_with_the_server(self) -> None:
        await self.context.terminated.wait()
        await asyncio.sleep(self._door.grace)
        self.writer.transport.abort()
        self._stop_reading(0)

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
            try:
                async with asyncio.timeout(self._door.send_seconds):
                    self.writer.write(data)
                    await self.writer.drain()
                return
            except TimeoutError:
                log.info("a peer does not read: its connection is closed")
                self.writer.transport.abort()
            except GONE:
                pass  # told to the protocol below
        await self.protocol.handle(Closed())

    async def _hang_up(self) -> None:
        """Say that no more comes, and give the peer a moment to do the same."""
        self._discards = True
        try:
            self.writer.write_eof()
            self._stop_reading(LINGER)
        except (NotImplementedError, *GONE):  # TLS has none
            self._stop_reading(0)
        await self.protocol.handle(Closed())

    # --- in

    async def _read_data(self) -> None:
        protocol = Http1.in_place_of(self.protocol)
        self.protocol = cast(ProtocolWrapper, protocol)  # of which it has all that is used
        with suppress(*GONE):  # TimeoutError is an OSError
            async with self._reading:
                self._is_reading = True
                try:
                    await self._read_to_the_end(protocol)
                finally:
                    self._is_reading = False
        self._has_read_all = True
        await self.idle_task.stop()
        await self.protocol.handle(Closed())

    async def _read_to_the_end(self, protocol: Http1) -> None:
        data = b"to begin with"
        while data:
            data = await self.reader.read(PIECE)
            if not self._discards:
                await protocol.handle(RawData(data))
                if protocol.is_deaf:
                    await self._hang_up()

    def _stop_reading(self, seconds: float) -> None:
        if self._is_reading and not self._reading.expired():
            self._reading.reschedule(self.loop.time() + seconds)

    async def _close(self) -> None:
        try:
            with suppress(NotImplementedError, *GONE):
                self.writer.write_eof()
            self.writer.close()
            async with asyncio.timeout(LINGER):
                await self.writer.wait_closed()
        except TimeoutError:
            self.writer.transport.abort()
        except GONE:
            pass  # closed already
        finally:
            await self.idle_task.stop()
