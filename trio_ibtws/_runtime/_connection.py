"""Three tasks around a ``Session``, which move its bytes.

The reader hands bytes to the session, the writer takes frames from it as the pacer allows, and the clock does what
is due: the probe of an idle connection, and what the lanes wait for. None of them raises: what goes wrong fails the
callers who wait, and the session.

A frame need not wait for the writer. Where there is a ``Shortcut`` and nothing else waits, it is written in the very
step that queued it: an order is at the kernel before anything else gets to run, and a request that is asked alone
takes two turns of the event loop less. That is for one frame only, until the reader has heard something or the writer
has had a turn: many requests at once are written in one piece.
"""

from __future__ import annotations

from contextlib import suppress

import anyio
from anyio.abc import ByteStream, TaskGroup
from anyio.lowlevel import checkpoint

from ..errors import ConnectError, ConnectionLost, ConnectRefused, IBError, ProtocolError
from ._pacing import Pacer
from ._request import Request
from ._session import Session, Settings, WrapperClass
from ._sinks import Buffer
from ._tcp import Shortcut

__all__ = ["Connection"]

READ_SIZE = 65536
TURN_SECONDS = 0.002
"""The reader delivers frames for so long before it lets others run."""

PATIENCE = 16
"""So many times more it lets others run while a stream that loses nothing is half full: its reader may only be slow."""

CLOSE_SECONDS = 1.0
SEND_SECONDS = 5.0

PROBE_SECONDS = 8.0
"""After so many idle seconds TWS is asked for its clock, and again after as many more; after three times as many,
24 s, it is dead. TWS sends nothing by itself on a connection without subscriptions."""

LAST_PROBE = 3

_PROBE: Request[int] = Request(method="reqCurrentTime", key="currentTime")


class Connection:
    """A session on a byte stream."""

    def __init__(
        self,
        stream: ByteStream,
        settings: Settings,
        wrapper: WrapperClass,
        pacer: Pacer,
        shortcut: Shortcut | None = None,
    ) -> None:
        self._stream = stream
        self._shortcut = shortcut
        self._pacer = pacer
        self._resting = False
        self._may_cut = False
        self._unsent = b""
        self._to_write = anyio.Event()
        self._clock_changed = anyio.Event()
        self._changed = anyio.Event()
        self._closed = anyio.Event()
        self._idle = anyio.Event()
        self._writing = anyio.CancelScope(shield=True)
        self._sending = False
        self._heard_at = anyio.current_time()
        self.session: Session = Session(
            settings,
            wrapper,
            now=anyio.current_time,
            wake_writer=self._wake_writer,
            wake_clock=self._wake_clock,
        )

    def _wake_writer(self) -> None:
        if self._resting and self._may_cut and self._write_at_once():
            return
        self._resting = False
        self._to_write.set()

    def _write_at_once(self) -> bool:
        """Write one frame without the writer, who rests; return whether nothing is left to do for it."""
        self._may_cut = False
        now = anyio.current_time()
        if self._shortcut is None or self._pacer.delay(now) or (entry := self.session.outbox.take()) is None:
            return False
        self._count(now, entry.data)
        self._unsent = entry.data[self._shortcut.send(entry.data) :]
        return not self._unsent and not len(self.session.outbox)

    def _count(self, now: float, frame: bytes) -> None:
        self._pacer.record(now)
        self.session.frames_out += 1
        self.session.bytes_out += len(frame)

    def _wake_clock(self) -> None:
        self._clock_changed.set()

    def start(self, tasks: TaskGroup) -> None:
        """Start the three tasks."""
        tasks.start_soon(self._read, name="TWS reader")
        tasks.start_soon(self._write, name="TWS writer")
        tasks.start_soon(self._keep_time, name="TWS clock")

    # --- the start

    async def ready(self) -> None:
        """Wait until TWS has said all that it says at the start; raise what keeps it from doing so."""
        while not self.session.ready:
            await self._next_change()

    async def greeted(self) -> None:
        """Wait for the server's first frame; raise what it is instead."""
        while not self.session.server_version:
            await self._next_change()

    async def _next_change(self) -> None:
        if self.session.ended is not None or self.session.router.refused is not None:
            raise self._refusal()
        self._changed = anyio.Event()
        await self._changed.wait()

    def _refusal(self) -> IBError:
        """Return why the session ended before it was ready."""
        cause = self.session.ended.__cause__ if self.session.ended is not None else None
        if self.session.router.refused is not None:
            return self.session.router.refused
        if isinstance(cause, ConnectError):
            return cause
        phase = "start-up" if self.session.server_version else "handshake"
        refused = ConnectRefused(
            f"the peer ended the connection during the {phase}: {self.session.ended}. TWS does so when this computer "
            "is not among its trusted IPs, when its API is switched off, or when it speaks no version that was offered"
        )
        refused.__cause__ = cause
        return refused

    # --- the tasks

    async def _read(self) -> None:
        try:
            while self.session.ended is None:
                data = await self._stream.receive(READ_SIZE)
                self._heard_at = anyio.current_time()
                self._may_cut = True
                self.session.receive_data(data)
                await self._deliver()
        except anyio.EndOfStream:
            left = self.session.unread_bytes
            self._lose("the peer closed it" + (f", {left} bytes into a frame" if left else ""))
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as exc:
            self._lose(f"reading failed: {exc.__cause__ or exc!r}", exc)
        except (ProtocolError, ConnectError) as exc:
            self._lose(str(exc), exc)
        await self._hang_up()

    async def _deliver(self) -> None:
        """Deliver every whole frame, and let others run now and then."""
        while self.session.deliver(TURN_SECONDS):
            await checkpoint()
            await self._let_catch_up(self.session.crowded)
        self._changed.set()

    async def _let_catch_up(self, buffer: Buffer | None) -> None:
        """Give the reader of a half-full *buffer* time, if time is all that it needs; never wait for it."""
        if buffer is None:
            return
        before = len(buffer)
        for _ in range(PATIENCE):
            if not buffer.crowded:
                return
            await checkpoint()
        if len(buffer) >= before:
            buffer.stop_signalling()

    async def _write(self) -> None:
        """Write until ``close`` says otherwise: a cancelled user's cancel messages and orders still go out whole."""
        try:
            with self._writing:
                while self.session.ended is None:
                    await self._write_what_may_go()
                    if not len(self.session.outbox):
                        self._idle.set()
                        self._to_write = anyio.Event()
                        self._resting = self._may_cut = True
                        await self._to_write.wait()
        except TimeoutError as exc:
            self._lose(f"the peer took nothing for {SEND_SECONDS:.0f} s", exc)
        except (OSError, anyio.BrokenResourceError, anyio.ClosedResourceError) as exc:
            with anyio.move_on_after(CLOSE_SECONDS):  # what the peer said before it went is still to be read
                await self._closed.wait()
            self._lose(f"writing failed: {exc.__cause__ or exc!r}", exc)
        await self._hang_up()

    async def _write_what_may_go(self) -> None:
        """Write the frames that the pacer lets pass, in one piece; wait for the pacer when there are more."""
        now = anyio.current_time()
        taken, self._unsent = [self._unsent], b""
        while self._pacer.delay(now) == 0 and (entry := self.session.outbox.take()) is not None:
            self._count(now, entry.data)
            taken.append(entry.data)
        if data := b"".join(taken):
            self._sending = True
            with anyio.fail_after(SEND_SECONDS):
                await self._stream.send(data)
            self._sending = False
        if len(self.session.outbox):
            await anyio.sleep(self._pacer.delay(anyio.current_time()))

    async def _keep_time(self) -> None:
        probes, heard_at = 0, self._heard_at
        while self.session.ended is None:
            self._clock_changed = anyio.Event()
            due = heard_at + PROBE_SECONDS * (probes + 1)
            with anyio.CancelScope(deadline=min(due, self.session.lanes.next_deadline())):
                await self._clock_changed.wait()
            self.session.lanes.tick()
            if not self.session.ready:  # the start has a deadline of its own
                self._heard_at = anyio.current_time()
            if self._heard_at != heard_at:
                probes, heard_at = 0, self._heard_at
            elif anyio.current_time() >= due:
                probes += 1
                self._nothing_came(probes)

    def _nothing_came(self, probes: int) -> None:
        if probes < LAST_PROBE:
            self._probe()
        else:
            self._lose(f"nothing came for {anyio.current_time() - self._heard_at:.0f} s, two probes included")

    def _probe(self) -> None:
        """Ask TWS for its clock, through the lane that callers share, or past it while another request has it."""
        lanes = self.session.lanes
        if lanes.free:
            self.session.probe(_PROBE)
        elif lanes.may_ask_clock:
            self.session.send(_PROBE, {})
            lanes.clock_asked()

    # --- the end

    def _lose(self, reason: str, cause: BaseException | None = None) -> None:
        self.session.lose(reason, cause)
        self._finish()

    def _finish(self) -> None:
        self._resting = False
        for event in (self._changed, self._closed, self._to_write, self._clock_changed, self._idle):
            event.set()

    async def _hang_up(self) -> None:
        """Close the stream of a session that has ended, though the user's block may go on for long.

        TWS would else hold the client id, and send what nobody reads.
        """
        if self._shortcut is not None:
            self._shortcut.close()
        with anyio.CancelScope(shield=True), suppress(OSError, anyio.BrokenResourceError):
            await anyio.aclose_forcefully(self._stream)

    async def wait_closed(self) -> None:
        """Return when the session was closed on this side; raise ``ConnectionLost`` when it ended otherwise."""
        await self._closed.wait()
        if isinstance(self.session.ended, ConnectionLost):
            raise self.session.ended_error()

    async def close(self) -> None:
        """Write what is left and close the stream; cannot be cancelled for longer.

        That is a second at the most, or two when the pacer has to wait for the next one: an order that was placed last
        would else be lost without a word.
        """
        try:
            with anyio.move_on_after(CLOSE_SECONDS + self._pacer.delay(anyio.current_time()), shield=True):
                while self.session.ended is None and (self._sending or self._unsent or len(self.session.outbox)):
                    self._idle = anyio.Event()
                    await self._idle.wait()
        finally:  # asyncio's own Task.cancel() goes through a shield
            self._writing.cancel()
            self.session.close()
            self._finish()
            await self._hang_up()
