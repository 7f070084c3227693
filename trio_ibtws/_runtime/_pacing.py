"""``Pacer``: never more messages in a second than TWS takes.

TWS takes 50 messages in any second and answers more with code 100, then with the end of the connection. A token
bucket would let two seconds' worth pass around the moment it is full, so the times of the last messages are kept and
the next one goes when the oldest of them is more than a second ago.
"""

from __future__ import annotations

from collections import deque

from ._argument_checks import is_count

__all__ = ["Pacer"]

_WINDOW = 1.02
"""Seconds: one, and some for the jitter between our clock and TWS's."""

_MOST = 1_000_000


class Pacer:
    """At most *rate* messages in any second; ``Pacer(rate=None)`` lets everything pass.

    One pacer belongs to one connection. IB's limit is 50 messages a second for each.
    """

    def __init__(self, rate: int | None = 45) -> None:
        if rate is not None and not (is_count(rate) and rate <= _MOST):
            raise ValueError(
                f"rate={rate!r}: a pacer lets at least one message a second pass and at most {_MOST}, a whole number; "
                "Pacer(rate=None) waits never"
            )
        self.rate = rate
        self._sent: deque[float] = deque(maxlen=rate)

    def __repr__(self) -> str:
        return f"Pacer(rate={self.rate})"

    def delay(self, now: float) -> float:
        """Return the seconds until the next message may go, 0 when it may go at once."""
        if self.rate is None or len(self._sent) < self.rate:
            return 0.0
        return max(0.0, self._sent[0] + _WINDOW - now)

    def record(self, now: float) -> None:
        """Note that a message goes now."""
        if self.rate is not None:
            self._sent.append(now)
