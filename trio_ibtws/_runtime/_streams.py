"""``Subscription`` and ``EventStream``: a line at TWS as a block, and its events as an anyio stream.

An event leaves the buffer only after the last ``await`` of ``receive``: whoever is cancelled there, by a scope or by
asyncio's ``Task.cancel()``, loses nothing. Reading from a buffer that holds something checkpoints now and then only; a
stream that is never empty would else cost a trip through the scheduler for each of its events.
"""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import anyio
import msgspec
from anyio.abc import ObjectReceiveStream, TaskStatus
from anyio.lowlevel import checkpoint

from ._argument_checks import is_count
from ._sinks import Buffer, Overflow, nobody
from ._unopened import Unopened

if TYPE_CHECKING:
    from ._events import Notice

__all__ = [
    "EventStream",
    "GroupStream",
    "GroupSubscription",
    "OrderStream",
    "OrderSubscription",
    "Overflow",
    "StreamStatistics",
    "Subscription",
]

T_co = TypeVar("T_co", covariant=True)

CHECKPOINT_EVERY = 64
TURN_SECONDS = 0.002
"""A reader that finds events at once lets others run when it has had so much time, looked up every 64 events."""


class StreamStatistics(msgspec.Struct, frozen=True):
    """How full a stream's buffer is, under the names that anyio's memory streams use."""

    current_buffer_used: int
    max_buffer_size: int


class EventStream(ObjectReceiveStream[T_co]):
    """The events of one subscription, in the order in which TWS sent them.

    One task reads at a time. Iterating ends with an exception: that of TWS, of the connection or of the reader who
    was too slow; a stream that was closed here raises ``anyio.ClosedResourceError``, and ends an ``async for``.
    """

    def __init__(self, buffer: Buffer, close: Callable[[], None]) -> None:
        self._buffer = buffer
        self._close = close
        self._closed = False
        self._left = False
        self._ended: anyio.Event | None = None  # made for who waits: there may be thousands of streams
        self._arrived: Callable[[], None] = nobody
        self._guard = anyio.ResourceGuard("receiving from")
        self._at_once = CHECKPOINT_EVERY
        self._turn_began = perf_counter()
        self._pop = buffer.pop

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What TWS remarked about this stream without ending it, the newest 100."""
        return self._buffer.notices

    def statistics(self) -> StreamStatistics:
        """Return how full the buffer is."""
        return StreamStatistics(len(self._buffer), self._buffer.limit)

    async def receive(self) -> T_co:
        """Return the next event.

        Cancelled means that no event was taken.

        Raises:
          RequestError: TWS ended the stream, and what came before has been read.
          SlowConsumer: the buffer was full when one more event came, and what it held has been read.
          ConnectionLost, ClientClosed: the session ended, and what came before has been read.
          DecodeError: an event of this stream could not be decoded.
          anyio.ClosedResourceError: the stream was closed on this side.
          anyio.BusyResourceError: another task is receiving from it.
        """
        with self._guard:
            await self._wait()
            event: T_co = self._pop()
            return event

    def receive_nowait(self) -> T_co:
        """Return the next event if one is there; raises ``anyio.WouldBlock`` if not, and otherwise as ``receive``."""
        with self._guard:
            if self._closed or not len(self._buffer):
                self._raise_end()
                raise anyio.WouldBlock
            event: T_co = self._buffer.pop()
            return event

    async def receive_batch(self, max_items: int | None = None) -> list[T_co]:
        """Return all events that are there, at least one and at most *max_items*; waits and raises as ``receive``."""
        if max_items is not None and not is_count(max_items):
            raise ValueError(f"max_items={max_items!r}: a batch has at least one event; None takes all")
        with self._guard:
            await self._wait(pause=True)
            if max_items is None or max_items >= len(self._buffer):
                return self._buffer.pop_all()
            return [self._pop() for _ in range(max_items)]

    async def aclose(self) -> None:
        """End the subscription at TWS and drop what is unread. Never blocks; again does nothing."""
        self.close()

    def close(self) -> None:
        """The same as ``aclose``, from plain code."""
        if not self._closed:
            self._closed = True
            self._at_once = 0
            self._leave()
            self._arrived()
            if self._ended is not None:
                self._ended.set()

    def _leave(self) -> None:
        """End the subscription at TWS; what is unread, and how the stream ended, can still be received."""
        if not self._left:
            self._left = True
            self._close()

    async def __anext__(self) -> T_co:
        left = self._at_once
        if left:  # none is left while somebody is inside receive(), nor after close()
            try:
                event: T_co = self._pop()
            except IndexError:
                pass
            else:
                self._at_once = left - 1 or self._more_at_once()
                return event
        try:
            return await self.receive()
        except anyio.ClosedResourceError:
            raise StopAsyncIteration from None

    async def wait_ended(self) -> None:
        """Wait until the stream is closed, or no more events will come to it."""
        if self._closed or self._buffer.error is not None:
            await checkpoint()
            return
        if self._ended is None:
            self._ended = anyio.Event()
            self._buffer.failed = self._ended.set
        await self._ended.wait()

    async def _wait(self, *, pause: bool = False) -> None:
        """Return when the buffer holds an event; raise how the stream ended when it never will again."""
        left, self._at_once = self._at_once, 0
        try:
            if pause or (left <= 0 and self._turn_is_over()):
                await checkpoint()
                self._turn_began = perf_counter()
            if left <= 0:
                left = CHECKPOINT_EVERY
            while self._closed or not len(self._buffer):
                if self._closed or self._buffer.error is not None:
                    await checkpoint()  # who is being cancelled hears that, not that the stream went before him
                    self._raise_end()
                await self._next_arrival()
                left = CHECKPOINT_EVERY
        finally:
            self._at_once = 0 if self._closed else left - 1

    def _more_at_once(self) -> int:
        """Return how many more events may be read without letting others run, those that were allowed having been."""
        return 0 if self._turn_is_over() else CHECKPOINT_EVERY

    def _turn_is_over(self) -> bool:
        return perf_counter() - self._turn_began >= TURN_SECONDS

    async def _next_arrival(self) -> None:
        arrived = anyio.Event()
        self._arrived = arrived.set
        self._buffer.wake = self._has_arrived
        self._buffer.signal_again()
        try:
            await arrived.wait()
        finally:
            self._buffer.wake = nobody
            self._turn_began = perf_counter()

    def _has_arrived(self) -> None:
        """Wake the reader, once: what comes until it runs does not wake it again."""
        self._buffer.wake = nobody
        self._arrived()

    def _raise_end(self) -> None:
        if self._closed:
            raise anyio.ClosedResourceError
        if self._buffer.error is not None:
            raise self._buffer.error


class OrderStream(EventStream[T_co]):
    """The events of one order. Closing it never cancels the order."""

    def __init__(self, buffer: Buffer, close: Callable[[], None], order_id: int) -> None:
        super().__init__(buffer, close)
        self._order_id = order_id

    @property
    def order_id(self) -> int:
        """The id under which the order was sent."""
        return self._order_id


class GroupStream(EventStream[T_co]):
    """The contracts that a display group of TWS shows."""

    def __init__(self, buffer: Buffer, close: Callable[[], None], update: Callable[[str], None]) -> None:
        super().__init__(buffer, close)
        self._update = update

    def update(self, contract_info: str) -> None:
        """Make the group show ``"conid@exchange"``, or nothing with ``"none"`` (EClient.updateDisplayGroup).

        Raises:
          LocalError: it cannot be sent, and was not.
          ConnectionLost, ClientClosed: there is no session any more.
        """
        self._update(contract_info)


class Subscription(Unopened, Generic[T_co]):
    """A line at TWS that is not open yet: nothing has been sent, the arguments are kept as they were.

    Open it once, for a block or for the life of a nursery; leaving ends it at TWS::

        async with client.mkt_data(contract) as ticks:
            async for tick in ticks: ...

        ticks = await nursery.start(client.mkt_data(contract).run)

    One that is dropped without having been opened warns, as a coroutine does that was never awaited.
    """

    def __init__(self, opened: Callable[[], EventStream[T_co]], asked: str = "this subscription") -> None:
        self._made(asked)
        self._opened: Callable[[], EventStream[T_co]] | None = opened
        self._stream: EventStream[T_co] | None = None

    async def __aenter__(self) -> EventStream[T_co]:
        """Send the request. Cancelled means that nothing was sent.

        Raises:
          LocalError: the request cannot be sent; ``InvalidRequest`` names the argument.
          ConnectionLost, ClientClosed: there is no session any more.
          anyio.BusyResourceError: TWS has one such line a connection, and it is in use with other arguments.
        """
        self._entered = True
        if self._opened is None:
            raise RuntimeError("a subscription is opened once; call the client's method again for another one")
        await checkpoint()
        opened, self._opened = self._opened, None
        self._stream = opened()
        return self._stream

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()

    async def run(self, *, task_status: TaskStatus[Any] = anyio.TASK_STATUS_IGNORED) -> None:
        """Keep it open: ``events = await nursery.start(sub.run)``, or a task group's ``start``.

        Returns when the stream has ended or was closed; the reason is raised to the one who receives. Cancelled
        means that the subscription was ended at TWS. Raises what opening raises.
        """
        stream = await self.__aenter__()
        try:
            task_status.started(stream)
            await stream.wait_ended()
        except BaseException:
            stream.close()
            raise
        stream._leave()


class OrderSubscription(Subscription[T_co], Generic[T_co]):
    """An order that has not been sent yet: opening sends it, leaving never cancels it."""

    def __init__(self, opened: Callable[[], OrderStream[T_co]], asked: str) -> None:
        super().__init__(opened, asked)

    async def __aenter__(self) -> OrderStream[T_co]:
        stream = await super().__aenter__()
        assert isinstance(stream, OrderStream)
        return stream


class GroupSubscription(Subscription[T_co], Generic[T_co]):
    """A subscription to a display group that is not open yet."""

    def __init__(self, opened: Callable[[], GroupStream[T_co]], asked: str) -> None:
        super().__init__(opened, asked)

    async def __aenter__(self) -> GroupStream[T_co]:
        stream = await super().__aenter__()
        assert isinstance(stream, GroupStream)
        return stream
