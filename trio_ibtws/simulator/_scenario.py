"""What a simulation starts from: the account, the permissions, the gateway's settings, and the instant."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Literal

import msgspec

from ._limits import Limits
from ._market_series import NEW_YORK

__all__ = ["Scenario"]

_FIRST_DAY = date(2013, 1, 7)  # a Monday with weeks of real prices of every instrument before it and after it
_DAYS = 20
_TEN_O_CLOCK = time(10, 0)
_NIGHTLY_RESET = time(23, 45)


class Scenario(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings of a simulation. All of them have defaults.

    Attributes:
      start: the simulated instant at which it begins. ``None``: ten in the morning, New York time, of a trading day in
        January 2013 that the seed picks. Without a zone it is New York time.
      account: the account's name.
      advisor: the accounts under a financial advisor's, whose own account is *account*; empty: there is no advisor.
      cash: US dollars in it at the start.
      live_data: whether the account has live market data. Without, only delayed data can be had.
      not_subscribed: which error refuses live data then. Gateways send 10089 or 10168, old ones 354.
      news: the codes of the news providers that the account has (10276 for others).
      calendar: whether the account has the Wall Street Horizon calendar (10276 without).
      answers: whether connections are answered at all. ``False`` is a TWS whose connection dialog waits for a click.
      read_only: whether the API may only read: orders and ids are refused with error 321.
      line_limit: how many market data lines a client may have (error 101 beyond).
      limits: all other limits.
      client_id_held: seconds for which a client's id stays taken after it has gone (error 326 meanwhile).
      farms_on_demand: whether data farms connect when something is first asked of them.
      reset_at: when IB's servers are reset every night, New York time: error 1100, then 1102. ``None``: never.
      reset_lasts: for how many seconds.
      restart_at: when the gateway restarts every night, New York time. ``None``: never.
      restart_lasts: for how many seconds its port refuses connections then.
      data: your own prices: a CSV or Parquet file for each symbol.
      script: what is to go wrong, one step a line.
      master_client_id: the client that is told of the orders and executions of all others too.
      speed: simulated seconds for each second of the event loop's clock.
    """

    start: datetime | None = None
    account: str = "DU1000001"
    advisor: tuple[str, ...] = ()
    cash: Decimal = Decimal(1_000_000)
    live_data: bool = True
    not_subscribed: Literal[10089, 10168, 354] = 10089
    news: tuple[str, ...] = ("BRFG", "BRFUPDN", "DJNL")
    calendar: bool = False
    answers: bool = True
    read_only: bool = False
    line_limit: int = 100
    limits: Limits = Limits()
    client_id_held: float = 0.0
    farms_on_demand: bool = False
    reset_at: time | None = _NIGHTLY_RESET
    reset_lasts: float = 60.0
    restart_at: time | None = None
    restart_lasts: float = 90.0
    data: dict[str, str] = {}
    script: str = ""
    master_client_id: int | None = None
    speed: float = 1.0

    @classmethod
    def load(cls, path: str | Path) -> Scenario:
        """Read a scenario from a TOML file, whose keys are the attributes' names.

        File names in it are relative to it.

        Raises:
          ValueError: it is no TOML, or a key or a value is none that there is; the message says which.
          OSError: it cannot be read.
        """
        path = Path(path)
        scenario = msgspec.toml.decode(path.read_bytes(), type=cls)
        data = {symbol: str(path.parent / name) for symbol, name in scenario.data.items()}
        return msgspec.structs.replace(scenario, data=data)

    def begin(self, seed: int) -> float:
        """Return the instant at which the simulation starts, in seconds since 1970."""
        if self.start is not None:
            zoned = self.start if self.start.tzinfo is not None else self.start.replace(tzinfo=NEW_YORK)
            return zoned.timestamp()
        weeks, weekday = divmod(seed % _DAYS, 5)
        day = _FIRST_DAY + timedelta(weeks=weeks, days=weekday)
        return datetime.combine(day, _TEN_O_CLOCK, NEW_YORK).timestamp()


# msgspec looks the annotations up in the class's module once. That has to be while it is this one: the facade gives
# public classes its own name.
msgspec.convert({}, Scenario)
