"""Use from a thread without an event loop: what it calls runs in the loop of anyio's portal, and it waits.

Whatever interrupts the wait, Ctrl-C above all, cancels what was being waited for, in the loop too: TWS is told as it
is when a task is cancelled.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar, cast

import anyio
from anyio.from_thread import BlockingPortal

from ..errors import ClientClosed
from ._streams import EventStream, GroupStream, GroupSubscription, OrderStream, OrderSubscription, Subscription
from ._unopened import Unopened

if TYPE_CHECKING:
    from concurrent.futures import Future
    from typing import Self

    from ._events import Notice
    from ._streams import StreamStatistics

__all__ = [
    "BlockingGroupStream",
    "BlockingGroupSubscription",
    "BlockingOrderStream",
    "BlockingOrderSubscription",
    "BlockingStream",
    "BlockingSubscription",
    "Portal",
]

_PIECE: float | None = 0.1 if sys.platform == "win32" else None
"""How long to wait without a look around: on Windows Ctrl-C does not interrupt a wait."""

P = ParamSpec("P")
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Portal:
    """The way into the loop; several threads may use it at once."""

    def __init__(self, portal: BlockingPortal) -> None:
        self._portal = portal
        self._deadline: ContextVar[float | None] = ContextVar("deadline", default=None)
        self.closed = False

    def wait(self, function: Callable[P, Awaitable[T]], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call and await *function* in the loop; return what it returns, raise what it raises."""
        return cast("T", self._run(_bounded, self._left(), partial(function, *args, **kwargs)))

    def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Call a plain *function* in the loop; return what it returns, raise what it raises."""
        return cast("T", self._run(_plainly, partial(function, *args, **kwargs)))

    def _run(self, function: Callable[..., Awaitable[Any]], *args: Any) -> Any:
        if self.closed:
            raise ClientClosed("the block of blocking() was left; open another one")
        future = self._portal.start_task_soon(function, *args)
        try:
            return _result(future)
        except BaseException as error:
            if future.cancelled() and isinstance(error, Exception):  # the loop ended while this thread waited
                raise ClientClosed("the block of blocking() was left") from None
            future.cancel()
            raise

    @contextmanager
    def fail_after(self, seconds: float) -> Generator[None]:
        """Raise ``TimeoutError`` from what this thread waits for beyond that."""
        outer = self._deadline.get()
        own = time.monotonic() + seconds
        token = self._deadline.set(own if outer is None else min(own, outer))
        try:
            yield
        finally:
            self._deadline.reset(token)

    def _left(self) -> float | None:
        deadline = self._deadline.get()
        return None if deadline is None else deadline - time.monotonic()

    # --- subscriptions

    def subscription(self, subscription: Subscription[T]) -> BlockingSubscription[T]:
        """Return *subscription* for a ``with`` statement."""
        return BlockingSubscription(self, subscription)

    def group(self, subscription: GroupSubscription[T]) -> BlockingGroupSubscription[T]:
        """Return *subscription* for a ``with`` statement."""
        return BlockingGroupSubscription(self, subscription)

    def order(self, subscription: OrderSubscription[T]) -> BlockingOrderSubscription[T]:
        """Return *subscription* for a ``with`` statement."""
        return BlockingOrderSubscription(self, subscription)


def _result(future: Future[T]) -> T:
    while not future.done():
        try:
            return future.result(_PIECE)
        except TimeoutError:  # of this wait, or what the function raised, and then it is done
            continue
    return future.result()


async def _bounded(seconds: float | None, function: Callable[[], Awaitable[T]]) -> T:
    if seconds is None:
        return await function()
    with anyio.fail_after(seconds):
        return await function()


async def _plainly(function: Callable[[], T]) -> T:
    return function()


class BlockingStream(Generic[T_co]):
    """The events of one subscription, for a ``for`` statement.

    Iterating ends with an exception: that of TWS, of the connection or of the reader who was too slow. It ends quietly
    when the stream was closed. Events are fetched from the loop all at once, so that a fast stream costs one trip for
    many of them.
    """

    def __init__(self, portal: Portal, stream: EventStream[T_co]) -> None:
        self._portal = portal
        self._stream = stream
        self._batch: Iterator[T_co] = iter(())

    def receive(self) -> T_co:
        """Block until there is an event, and return it.

        Raises:
          TimeoutError: a ``fail_after`` ran out; no event is lost. Otherwise as ``EventStream.receive``.
        """
        for event in self._batch:
            return event
        self._batch = iter(self._portal.wait(self._stream.receive_batch))
        return next(self._batch)

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> T_co:
        try:
            return self.receive()
        except anyio.ClosedResourceError:
            raise StopIteration from None

    @property
    def notices(self) -> tuple[Notice, ...]:
        """What TWS remarked about this stream without ending it, the newest 100."""
        return self._stream.notices

    def statistics(self) -> StreamStatistics:
        """Return how full the buffer is, without what was fetched already."""
        return self._stream.statistics()

    def close(self) -> None:
        """End the subscription at TWS; again does nothing."""
        self._batch = iter(())
        if not self._portal.closed:
            self._portal.do(self._stream.close)


class BlockingOrderStream(BlockingStream[T_co]):
    """The events of one order. Closing it never cancels the order."""

    _stream: OrderStream[T_co]

    @property
    def order_id(self) -> int:
        """The id under which the order was sent."""
        return self._stream.order_id


class BlockingGroupStream(BlockingStream[T_co]):
    """The contracts that a display group of TWS shows."""

    _stream: GroupStream[T_co]

    def update(self, contract_info: str) -> None:
        """Make the group show ``"conid@exchange"``, or nothing with ``"none"`` (EClient.updateDisplayGroup)."""
        self._portal.do(self._stream.update, contract_info)


class BlockingSubscription(Unopened, Generic[T_co]):
    """A subscription that is not open yet: ``with tws.mkt_data(contract) as ticks: for tick in ticks: ...``."""

    _how = "with ... as events: for event in events: ..."

    def __init__(self, portal: Portal, subscription: Subscription[T_co]) -> None:
        self._made(subscription._given_away())
        self._portal = portal
        self._subscription = subscription
        self._stream: BlockingStream[T_co] | None = None

    def __enter__(self) -> BlockingStream[T_co]:
        self._entered = True
        stream = self._portal.wait(self._subscription.__aenter__)
        self._stream = self._wrapped(stream)
        return self._stream

    def _wrapped(self, stream: Any) -> BlockingStream[T_co]:
        return BlockingStream(self._portal, stream)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._stream is not None:
            self._stream.close()


class BlockingOrderSubscription(BlockingSubscription[T_co]):
    """An order that has not been sent yet: opening sends it, leaving never cancels it."""

    def __enter__(self) -> BlockingOrderStream[T_co]:
        return cast("BlockingOrderStream[T_co]", super().__enter__())

    def _wrapped(self, stream: Any) -> BlockingStream[T_co]:
        return BlockingOrderStream(self._portal, stream)


class BlockingGroupSubscription(BlockingSubscription[T_co]):
    """A subscription to a display group that is not open yet."""

    def __enter__(self) -> BlockingGroupStream[T_co]:
        return cast("BlockingGroupStream[T_co]", super().__enter__())

    def _wrapped(self, stream: Any) -> BlockingStream[T_co]:
        return BlockingGroupStream(self._portal, stream)
