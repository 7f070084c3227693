"""What a subscription says to those who forgot to open it: nothing has been sent, and nothing will come.

``place_order`` without ``async with`` would else be an order that is silently not there.
"""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

__all__ = ["Unopened"]

_ORDERS = ("placeOrder", "exerciseOptions")


class Unopened:
    """The base of what sends its request when its block is entered.

    Iterating over it or awaiting it is a TypeError that says what to write; dropping an order warns. Type checkers do
    not see these methods, and refuse such code themselves.
    """

    _asked = ""
    _how = "async with ... as events: async for event in events: ..."
    _entered = True

    def _made(self, asked: str) -> None:
        """Note that it waits to be opened; *asked* is what it sends then."""
        self._asked = asked
        self._entered = False

    def __repr__(self) -> str:
        kind = f"{type(self).__name__} of {self._asked}"
        return f"<{kind}>" if self._entered else f"<{kind}, not open: {self._how}>"

    def _given_away(self) -> str:
        """Return what it sends, for another who will open it."""
        self._entered = True
        return self._asked

    def __del__(self) -> None:
        if not self._entered and self._asked in _ORDERS:
            warnings.warn(
                f"{self._asked} was never opened, so that nothing was sent: {self._how}", RuntimeWarning, stacklevel=2
            )

    if not TYPE_CHECKING:

        def __aiter__(self):
            self._refuse("is not open, and cannot be iterated over")

        def __iter__(self):
            self._refuse("is not open, and cannot be iterated over")

        def __await__(self):
            self._refuse("is a subscription, and cannot be awaited")

        def _refuse(self, what):
            self._entered = True  # said once is enough
            raise TypeError(f"{self._asked} {what}: {self._how}")
