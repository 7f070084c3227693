"""``Link``: whether TWS says that it is connected to IB. Without, what it tells may be old, and orders may wait."""

from __future__ import annotations

from collections.abc import Callable

from .._runtime._events import Notice

__all__ = ["Link"]

_LOST = frozenset({1100, 2110})
_BACK = frozenset({1101, 1102})
_FARM_BACK = frozenset({2104, 2106})
"""A data farm is there again: enough after 2110, which TWS may not take back by another word."""


class Link:
    """Reads the notices of a session, in the moment in which they come."""

    def __init__(self, lost: Callable[[str], None], back: Callable[[], None]) -> None:
        self._lost = lost
        self._back = back
        self._code: int | None = None

    def item(self, notice: Notice) -> None:
        """Take a notice."""
        if notice.code in _LOST:
            self._code = self._code if self._code == 1100 else notice.code
            self._lost(f"{notice.code}: {notice.message}")
        elif notice.code in _BACK or (self._code == 2110 and notice.code in _FARM_BACK):
            self._code = None
            self._back()

    def fail(self, error: Exception) -> None:
        """The session has ended: those who use this know."""
