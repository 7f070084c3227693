"""Who has a place: websockets and event streams, and the websockets that have yet to say who they are.

The two are counted apart, so that nobody without a token keeps those out who have one. A websocket says who it is in
its first message, some milliseconds after its handshake; where too many wait with that, the one that has waited longest
is sent away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

__all__ = ["Places", "Visitor"]


class Visitor:
    """A websocket: at the door, or in its place.

    Attributes:
      send_away: is called to make room at the door.
      has_place: whether it is one of those that are counted by ``Limits.sockets``.
    """

    def __init__(self, places: Places, send_away: Callable[[], None]) -> None:
        self._places = places
        self.send_away: Callable[[], None] = send_away
        self.has_place: bool = False

    def come_in(self) -> bool:
        """Take a place, once; return whether there was one."""
        if not self.has_place and self._places.free:
            self._places.leave_door(self)
            self._places.taken += 1
            self.has_place = True
        return self.has_place


class Places:
    """Counts the places.

    Args:
      most: how many places there are.
      at_door: how many may wait at the door.
      gauge: shows both together.
    """

    def __init__(self, most: int, at_door: int, gauge: Gauge) -> None:
        self._most, self._at_door, self._gauge = most, at_door, gauge
        self._door: dict[Visitor, None] = {}  # in the order in which they came
        self.taken: int = 0

    @property
    def free(self) -> bool:
        """Whether there is a place."""
        return self.taken < self._most

    @property
    def open(self) -> int:
        """How many there are, those at the door included."""
        return self.taken + len(self._door)

    @contextmanager
    def one_more(self) -> Iterator[bool]:
        """Take a place for a block, if there is one; say whether there was."""
        welcome = self.free
        self.taken += welcome
        try:
            with self._gauge.track_inprogress():
                yield welcome
        finally:
            self.taken -= welcome

    @contextmanager
    def visit(self, send_away: Callable[[], None]) -> Iterator[Visitor]:
        """Be at the door, and then perhaps in a place, for a block; *send_away* is called to make room at the door."""
        visitor = Visitor(self, send_away)
        if len(self._door) >= self._at_door:
            longest = next(iter(self._door))
            self.leave_door(longest)
            longest.send_away()
        self._door[visitor] = None
        try:
            with self._gauge.track_inprogress():
                yield visitor
        finally:
            self.leave_door(visitor)
            self.taken -= visitor.has_place

    def leave_door(self, visitor: Visitor) -> None:
        """Count a visitor at the door no more."""
        self._door.pop(visitor, None)
