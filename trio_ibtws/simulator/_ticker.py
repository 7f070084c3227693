"""The beat of one instrument's market: who wants to know of each tick, and when the next one is."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable

from ._clock import Clock, Timer
from ._market import TICK_INTERVAL, Market, Tick
from ._market_instrument import Instrument

__all__ = ["Ticker"]


class Ticker:
    """Calls its listeners on every tick, in the order in which they came; at rest while there is none."""

    def __init__(self, clock: Clock, market: Market, instrument: Instrument) -> None:
        self._clock = clock
        self._market = market
        self._instrument = instrument
        self._listeners: dict[Hashable, Callable[[Tick], None]] = {}
        self._timer: Timer | None = None

    def add(self, key: Hashable, listener: Callable[[Tick], None]) -> None:
        """Call *listener* from the next tick on."""
        self._listeners[key] = listener
        if self._timer is None:
            self._timer = self._clock.call_at(self._next(), self._fire)

    def remove(self, key: Hashable) -> None:
        """Stop calling the listener; harmless when it is none."""
        self._listeners.pop(key, None)
        if not self._listeners and self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _next(self) -> float:
        now = self._clock.now()
        if not self._market.is_open(self._instrument, now):
            return self._market.next_open(self._instrument, now)
        return (math.floor(now / TICK_INTERVAL + 1e-6) + 1) * TICK_INTERVAL

    def _fire(self) -> None:
        self._timer = None
        tick = self._market.tick(self._instrument, self._clock.now())
        for key, listener in list(self._listeners.items()):
            if key in self._listeners:
                listener(tick)
        if self._listeners and self._timer is None:
            self._timer = self._clock.call_at(self._next(), self._fire)
