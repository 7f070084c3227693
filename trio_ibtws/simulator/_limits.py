"""What a gateway allows of anything in a time or at once: the settings, and the counting.

No message of the protocol says what the limits are; these are the documented ones, and what exceeds them is refused
with the errors that gateways send.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable

import msgspec

__all__ = ["HistoricalPacing", "Limits", "RateGate", "Window"]

_SECOND = 1.0
_TEN_MINUTES = 600.0
_NEARLY = 0.8  # of what is allowed in a second: then a gateway warns
_BURST = 2.0  # seconds in which requests for the same contract are counted


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a client may ask for. ``None`` is no limit; the defaults are a gateway's.

    Attributes:
      messages_per_second: messages in any second (a warning, code 0, from four fifths of it on, and error 100 for
        each beyond). A client that connects with
        ``+PACEAPI`` is slowed down instead.
      rate_violations: so many errors 100, and the connection is closed.
      clients: connections at once that have shaken hands; one more is hung up on.
      depth: market depth subscriptions at once (error 309).
      tick_by_tick: tick-by-tick subscriptions at once (error 10190).
      scanners: scanner subscriptions at once (error 322).
      summaries: account summaries at once (error 322).
      real_time_bars: new real-time bar subscriptions in ten minutes (error 420).
      historical_open: historical queries at once (error 322).
      historical_identical: seconds that have to pass before the same historical query may come again (error 162, as for
        the next two).
      historical_same_contract: queries for one contract, exchange and kind of data in two seconds.
      historical_small_bars: queries for bars of 30 seconds or less in ten minutes; one for BID_ASK counts as two.
    """

    messages_per_second: int | None = 50
    rate_violations: int | None = 3
    clients: int | None = 32
    depth: int | None = 3
    tick_by_tick: int | None = 3
    scanners: int | None = 10
    summaries: int | None = 2
    real_time_bars: int | None = 60
    historical_open: int | None = 50
    historical_identical: float | None = 15.0
    historical_same_contract: int | None = 5
    historical_small_bars: int | None = 60

    @classmethod
    def off(cls) -> Limits:
        """Return limits that limit nothing: for tests that ask for much at one instant."""
        return cls(**dict.fromkeys(cls.__struct_fields__))


class Window:
    """How much happened in the last *seconds*."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._times: deque[float] = deque()

    def count(self, now: float) -> int:
        """Return how much was added less than the window's length ago."""
        while self._times and now - self._times[0] >= self._seconds:
            self._times.popleft()
        return len(self._times)

    def add(self, now: float, weight: int = 1) -> None:
        """Count something."""
        self._times.extend([now] * weight)

    def room_at(self, now: float, limit: int) -> float:
        """Return when less than *limit* is in the window: *now*, or later."""
        excess = self.count(now) - limit
        return now if excess < 0 else max(now, self._times[excess] + self._seconds)


class RateGate:
    """Counts the messages of one client; those that are too fast are refused, or get a later instant.

    Attributes:
      refused: how many were.
    """

    def __init__(self, limit: int | None) -> None:
        self._limit = limit
        self._window = Window(_SECOND)
        self._warned = float("-inf")
        self.refused: int = 0

    def warning(self, now: float) -> str:
        """Return what a gateway says of a client that is nearly too fast, once a second, or an empty text."""
        count = self._window.count(now)
        if self._limit is None or count <= self._limit * _NEARLY or now - self._warned < _SECOND:
            return ""
        self._warned = now
        return f"Warning: Approaching max rate of {self._limit} messages per second ({count})"

    def refusal(self, now: float) -> str:
        """Return what a gateway says of a message that was not admitted."""
        self.refused += 1
        rate = f"max={self._limit} rec={self._window.count(now) + self.refused}"
        return f"Max rate of messages per second has been exceeded:{rate} ({self.refused})"

    def admit(self, now: float) -> bool:
        """Return whether one more message may come now."""
        if self._limit is not None and self._window.count(now) >= self._limit:
            return False
        self._window.add(now)
        return True

    def slot(self, now: float) -> float:
        """Return when a message that came now is to be read, and count it then."""
        at = now if self._limit is None else self._window.room_at(now, self._limit)
        self._window.add(at)
        return at


class HistoricalPacing:
    """What was asked of the historical data service, and whether one more query is too much."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._asked: dict[Hashable, float] = {}
        self._bursts: dict[Hashable, Window] = {}
        self._small = Window(_TEN_MINUTES)

    def violates(self, query: Hashable, contract: Hashable, weight: int, small: bool, now: float) -> bool:
        """Count a query, unless it is too much: then return ``True``."""
        self._forget(now)
        burst = self._bursts.setdefault(contract, Window(_BURST))
        limits = self._limits
        if query in self._asked:
            return True
        if limits.historical_same_contract is not None and burst.count(now) >= limits.historical_same_contract:
            return True
        most = limits.historical_small_bars
        if small and most is not None and self._small.count(now) + weight > most:
            return True
        burst.add(now)
        if limits.historical_identical is not None:
            self._asked[query] = now
        if small:
            self._small.add(now, weight)
        return False

    def _forget(self, now: float) -> None:
        identical = self._limits.historical_identical
        if identical is not None:
            self._asked = {query: at for query, at in self._asked.items() if now - at < identical}
        self._bursts = {contract: window for contract, window in self._bursts.items() if window.count(now)}
