"""What all clients of a simulation share: the clock, the market, the sessions and the settings."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from ._accounts import Account
from ._clock import Clock
from ._exchange import Exchange
from ._market import Market
from ._market_contracts import Contracts
from ._market_instrument import Instrument
from ._market_series import NEW_YORK
from ._scenario import Scenario
from ._settlement import settle
from ._ticker import Ticker

if TYPE_CHECKING:
    from ._session import Session

__all__ = ["World"]


class World:
    """The simulated world, without any I/O."""

    def __init__(self, clock: Clock, seed: int, scenario: Scenario) -> None:
        self.clock = clock
        self.scenario = scenario
        self.market: Market = Market(seed)
        self.contracts: Contracts = Contracts(self.today(), lambda each: self.market.previous_close(each, clock.now()))
        self.account: Account = Account(scenario.account, scenario.cash, self.mark)
        self.exchange: Exchange = Exchange(clock, self.market, self.account, self, self.contracts.by_id)
        self.sessions: dict[int, Session] = {}
        self._tickers: dict[int, Ticker] = {}
        self.auto_bind = False
        """Whether orders that are given by hand are bound to client 0 at once."""
        self.books: dict[Hashable, Callable[[], None]] = {}
        """How to reset each book of market depth that a client follows."""
        self._begin_day()

    def _begin_day(self) -> None:
        """Settle what has expired, count the profits of a new day, and come back for the next."""
        settle(self, self.today())
        self.account.start_day()
        midnight = datetime.combine(self.today() + timedelta(days=1), time(), NEW_YORK)
        self.clock.call_at(midnight.timestamp(), self._begin_day)

    def today(self) -> date:
        """Return the date in New York."""
        return datetime.fromtimestamp(self.clock.now(), NEW_YORK).date()

    def find(self, wanted: dict[str, Any]) -> list[Instrument]:
        """Return what a Contract's values may mean today."""
        return self.contracts.find(wanted, self.today())

    def ticker(self, instrument: Instrument) -> Ticker:
        """Return the beat of an instrument's market."""
        if instrument.con_id not in self._tickers:
            self._tickers[instrument.con_id] = Ticker(self.clock, self.market, instrument)
        return self._tickers[instrument.con_id]

    def mark(self, instrument: Instrument) -> Decimal:
        """Return the price that positions are valued at: the last one."""
        return Decimal(str(self.market.tick(instrument, self.clock.now()).last))
