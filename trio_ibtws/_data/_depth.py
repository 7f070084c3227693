"""``DepthBook``: the order book that TWS's changes to single rows make.

TWS says which row of which side was inserted, changed or deleted, by its position, and now and then that the whole
book is void (317). A change that does not fit what is there means that something was missed: the book then says so, or
raises, until TWS sends it anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from types import TracebackType

import msgspec

from .._gen.events import MktDepthEvent, RerouteMktDepthReq, UpdateMktDepth, UpdateMktDepthL2
from .._runtime._events import DepthReset, Gap
from .._runtime._streams import EventStream, Subscription
from .._runtime._unopened import Unopened
from ..errors import IBError

__all__ = ["Depth", "DepthBook", "DepthError", "DepthLevel", "DepthStream", "DepthSubscription"]

_INSERT, _UPDATE, _DELETE = 0, 1, 2
_ASK, _BID = 0, 1


class DepthError(IBError):
    """A change of an order book does not fit the book, or TWS has the book under another contract."""


class DepthLevel(msgspec.Struct, frozen=True):
    """One row of one side.

    *market_maker* is the exchange, in a SMART book, or the maker; empty where TWS does not say.
    """

    price: float
    size: Decimal
    market_maker: str = ""


class Depth(msgspec.Struct, frozen=True):
    """An order book as it was at one time, the best rows first.

    Attributes:
      bids: who buys.
      asks: who sells.
      flaw: why it may be wrong, ``None`` while nothing was missed.
    """

    bids: tuple[DepthLevel, ...]
    asks: tuple[DepthLevel, ...]
    flaw: str | None = None

    @property
    def bid(self) -> DepthLevel | None:
        """The best bid."""
        return self.bids[0] if self.bids else None

    @property
    def ask(self) -> DepthLevel | None:
        """The best ask."""
        return self.asks[0] if self.asks else None

    @property
    def spread(self) -> float | None:
        """The best ask less the best bid, ``None`` without one of them."""
        return self.asks[0].price - self.bids[0].price if self.bids and self.asks else None

    @property
    def crossed(self) -> bool:
        """Whether the best bid is above the best ask. SMART books are at times, because exchanges differ."""
        return bool(self.bids and self.asks and self.bids[0].price > self.asks[0].price)

    @property
    def ordered(self) -> bool:
        """Whether prices get worse from row to row; between two changes that belong together they may not."""
        bids, asks = [row.price for row in self.bids], [row.price for row in self.asks]
        return bids == sorted(bids, reverse=True) and asks == sorted(asks)


class DepthBook:
    """An order book that follows TWS's changes.

    With *rows* a side has no more than that: a row that an insertion pushes out is forgotten. A change that does not
    fit sets ``flaw`` until the next reset; with *strict* it raises ``DepthError`` as well.
    """

    def __init__(self, rows: int | None = None, *, strict: bool = False) -> None:
        self._rows = rows
        self._strict = strict
        self._sides: tuple[list[DepthLevel], list[DepthLevel]] = ([], [])
        self.flaw: str | None = None
        """Why the book may be wrong, ``None`` while it is as TWS has it."""

    def snapshot(self) -> Depth:
        """Return the book as it is now."""
        asks, bids = self._sides
        return Depth(tuple(bids), tuple(asks), self.flaw)

    def reset(self) -> None:
        """Forget all rows; TWS sends new ones."""
        for side in self._sides:
            side.clear()
        self.flaw = None

    def apply(self, event: MktDepthEvent) -> None:
        """Take an event of ``mkt_depth()``.

        Raises:
          DepthError: the book is kept under another contract, or, when strict, the change does not fit.
        """
        if isinstance(event, DepthReset):
            self.reset()
        elif isinstance(event, Gap):
            return  # the book is emptied next, and sent anew
        elif isinstance(event, RerouteMktDepthReq):
            raise DepthError(f"TWS has this book under contract {event.con_id} on {event.exchange}: ask for that")
        else:
            self._change(event)

    def apply_all(self, events: Iterable[MktDepthEvent]) -> None:
        """Take events in their order; raises as ``apply``."""
        for event in events:
            self.apply(event)

    def _change(self, event: UpdateMktDepth | UpdateMktDepthL2) -> None:
        if event.side not in (_ASK, _BID):
            return self._missed(f"there is no side {event.side}")
        side, at = self._sides[event.side], event.position
        last = len(side) if event.operation == _INSERT else len(side) - 1
        if self._rows is not None and at >= self._rows:
            return None  # a row that was pushed out, or that was not asked for
        if not 0 <= at <= last:
            return self._missed(f"row {at} of {len(side)} changed (operation {event.operation}, side {event.side})")
        if event.operation == _DELETE:
            del side[at]
            return None
        if event.price is None or event.operation not in (_INSERT, _UPDATE):
            return self._missed(f"row {at} has no price, or operation {event.operation} is none")
        maker = event.market_maker if isinstance(event, UpdateMktDepthL2) else ""
        side[at : at + (event.operation == _UPDATE)] = [DepthLevel(event.price, event.size or Decimal(0), maker)]
        if self._rows is not None:
            del side[self._rows :]
        return None

    def _missed(self, what: str) -> None:
        self.flaw = self.flaw or what
        if self._strict:
            raise DepthError(f"the book misses something: {what}")


class DepthStream:
    """The books of one contract: iterate over it for one after each round of changes."""

    def __init__(self, events: EventStream[MktDepthEvent], book: DepthBook) -> None:
        self._events = events
        self.book: DepthBook = book
        """The book as of the last round that was received."""

    async def receive(self) -> Depth:
        """Wait for changes, take all that have come, and return the book.

        Who is slow gets fewer books, never an old one. Cancelled means that no change was taken.

        Raises:
          DepthError: as ``DepthBook.apply``. Otherwise as ``EventStream.receive``.
        """
        self.book.apply_all(await self._events.receive_batch())
        return self.book.snapshot()

    def __aiter__(self) -> DepthStream:
        return self

    async def __anext__(self) -> Depth:
        return await self.receive()

    @property
    def events(self) -> EventStream[MktDepthEvent]:
        """The stream below, for its ``notices`` and ``statistics()``."""
        return self._events


class DepthSubscription(Unopened):
    """A book that is not open yet: ``async with client.depth(contract) as books:``."""

    def __init__(self, subscription: Subscription[MktDepthEvent], book: DepthBook) -> None:
        self._made(subscription._given_away())
        self._subscription = subscription
        self._book = book

    async def __aenter__(self) -> DepthStream:
        self._entered = True
        return DepthStream(await self._subscription.__aenter__(), self._book)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._subscription.__aexit__(kind, error, traceback)
