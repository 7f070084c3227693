"""What a simulation starts from: the account, the permissions, and the instant."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import msgspec

from ._market_series import NEW_YORK

__all__ = ["Scenario"]

_FIRST_DAY = date(2013, 1, 7)  # a Monday with weeks of real prices of every instrument before it and after it
_DAYS = 20
_TEN_O_CLOCK = time(10, 0)


class Scenario(msgspec.Struct, frozen=True, kw_only=True):
    """The settings of a simulation. All of them have defaults.

    Attributes:
      start: the simulated instant at which it begins. ``None``: ten in the morning, New York time, of a trading day in
        January 2013 that the seed picks.
      account: the account's name.
      cash: US dollars in it at the start.
      live_data: whether the account has live market data. Without, only delayed data can be had (10089).
      answers: whether connections are answered at all. ``False`` is a TWS whose connection dialog waits for a click.
      line_limit: how many market data lines a client may have (error 101 beyond).
      speed: simulated seconds for each second of the event loop's clock.
    """

    start: datetime | None = None
    account: str = "DU1000001"
    cash: Decimal = Decimal(1_000_000)
    live_data: bool = True
    answers: bool = True
    line_limit: int = 100
    speed: float = 1.0

    def begin(self, seed: int) -> float:
        """Return the instant at which the simulation starts, in seconds since 1970."""
        if self.start is not None:
            return self.start.timestamp()
        weeks, weekday = divmod(seed % _DAYS, 5)
        day = _FIRST_DAY + timedelta(weeks=weeks, days=weekday)
        return datetime.combine(day, _TEN_O_CLOCK, NEW_YORK).timestamp()
