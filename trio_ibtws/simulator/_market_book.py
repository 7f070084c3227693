"""The order book of an instrument at a tick, and what changed in it since another."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from random import Random

import msgspec

from ._market_instrument import Instrument, increment
from ._market_ticks import Tick

__all__ = ["Book", "Change", "Level", "book_at", "changes"]

_INSERT, _UPDATE, _DELETE = 0, 1, 2
_RESTS = 3.0  # seconds for which the size of a level stays what it is
_ASK, _BID = 0, 1


class Level(msgspec.Struct, frozen=True):
    """One row of one side."""

    price: float
    size: int
    maker: str


class Change(msgspec.Struct, frozen=True):
    """What a client has to do to its copy of a book."""

    position: int
    operation: int
    side: int
    level: Level


Book = dict[int, list[Level]]
"""The rows of both sides, the best first; 0 is the ask and 1 the bid."""


def book_at(instrument: Instrument, tick: Tick, rows: int, makers: tuple[str, ...]) -> Book:
    """Return the best *rows* of each side. Every price has one maker out of *makers*, always the same."""
    book: Book = {}
    for side, best, size in ((_ASK, tick.ask, tick.ask_size), (_BID, tick.bid, tick.bid_size)):
        step = increment(instrument, best) * (1 if side == _ASK else -1)
        prices = [round(best + step * at, 6) for at in range(rows)]
        book[side] = [
            _level(instrument, tick, price, makers, size if at == 0 else None) for at, price in enumerate(prices)
        ]
        book[side] = [level for level in book[side] if level.price > 0]
    return book


def _level(instrument: Instrument, tick: Tick, price: float, makers: tuple[str, ...], size: int | None) -> Level:
    name = f"{instrument.local_symbol}/{price}"
    phase = _drawn(name)
    if size is None:
        size = instrument.terms.lot * (2 + int(38 * _drawn(f"{name}/{int(tick.at / _RESTS + phase)}")))
    return Level(price, size, makers[int(phase * len(makers))])


@lru_cache(maxsize=8192)
def _drawn(name: str) -> float:
    """Return a number from 0 up to 1, always the same for a name."""
    return Random(name).random()


def changes(before: Book, after: Book) -> Iterator[Change]:
    """Yield what makes the one book of the other, in an order in which no side ever grows too long."""
    for side in (_ASK, _BID):
        yield from _side_changes(side, before.get(side, []), after[side])


def _side_changes(side: int, before: list[Level], after: list[Level]) -> Iterator[Change]:
    rows = list(before)
    staying = {(level.price, level.maker) for level in after}
    for at in reversed(range(len(rows))):
        if (rows[at].price, rows[at].maker) not in staying:
            yield Change(at, _DELETE, side, Level(0.0, 0, rows.pop(at).maker))
    for at, level in enumerate(after):
        if at < len(rows) and (rows[at].price, rows[at].maker) == (level.price, level.maker):
            if rows[at].size != level.size:
                yield Change(at, _UPDATE, side, level)
            rows[at] = level
        else:
            rows.insert(at, level)
            yield Change(at, _INSERT, side, level)
