"""The gateway in front of the simulated world: its links, its limits, its clients, and its nights."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from functools import partial

from ._clock import Clock
from ._data import install
from ._fault_rules import Rules
from ._limits import HistoricalPacing, Window
from ._link import Link
from ._market_series import NEW_YORK
from ._scenario import Scenario
from ._session import NO_ID, Session
from ._world import World

__all__ = ["Gateway"]

_TEN_MINUTES = 600.0


class Gateway(World):
    """What the sessions of all clients share."""

    def __init__(self, clock: Clock, seed: int, scenario: Scenario) -> None:
        super().__init__(clock, seed, scenario)
        install(self, scenario.data, seed)
        self.link: Link = Link(scenario.farms_on_demand, self.tell)
        self.pacing: HistoricalPacing = HistoricalPacing(scenario.limits)
        self.new_bars: Window = Window(_TEN_MINUTES)
        self.faults: Rules = Rules()
        self.answers: bool = scenario.answers
        """Whether new connections are answered."""
        self.unanswered: list[Callable[[], None]] = []
        """What connections have sent that were not answered, to be looked at when they are."""
        self.competing: bool = False
        """Whether somebody else uses the market data subscriptions."""
        self.held_ids: set[int] = set()
        """Ids of clients that have gone, and are taken nevertheless."""
        self.rolled_back = 0
        """By how much the next valid id is too low."""
        self.advisor_data: dict[int, str] = {}
        """What an advisor has replaced, by kind."""
        self.groups: dict[int, str] = {}
        """What the display groups show."""
        self.group_watchers: dict[tuple[Session, int], int] = {}
        """Which display group a client's request follows."""
        self.restart: Callable[[float], None]
        """Closes every connection and refuses new ones for so many seconds; the simulator knows how."""
        self._armed = False

    def tell(self, code: int, text: str) -> None:
        """Send a notice to every client."""
        for session in list(self.sessions.values()):
            session.error(NO_ID, code, text)

    def drop_market_data(self) -> None:
        """Forget what market data clients have asked for."""
        for session in list(self.sessions.values()):
            session.drop_market_data()

    def hold_id(self, client_id: int, seconds: float) -> None:
        """Have the id of a client that is gone taken for a while."""
        self.held_ids.add(client_id)
        self.clock.call_later(seconds, lambda: self.held_ids.discard(client_id))

    def answer(self) -> None:
        """Answer new connections, and those that wait for it."""
        self.answers = True
        waiting, self.unanswered = self.unanswered, []
        for do in waiting:
            do()

    def compete(self, competing: bool) -> None:
        """Have somebody else use the market data subscriptions, or use them no longer."""
        self.competing = competing
        for session in list(self.sessions.values()) if competing else ():
            session.lose_market_data()

    def lose_link(self, seconds: float | None = None, *, data_lost: bool = False, quotes: float = 0.0) -> None:
        """Lose the connection to IB, and have it back after so many seconds if they are given.

        Market data go on for *quotes* seconds more.
        """
        self.link.lose()
        if quotes > 0:
            self.link.lingers = True
            self.clock.call_later(quotes, partial(setattr, self.link, "lingers", False))
        if seconds is not None:
            self.clock.call_later(seconds, lambda: self.restore_link(data_lost=data_lost))

    def restore_link(self, *, data_lost: bool) -> None:
        """Have the connection to IB back, with the market data or without."""
        if data_lost and not self.link.up:
            self.drop_market_data()
        self.link.restore(data_lost)

    # --- every night ---------------------------------------------------------------------------------------------

    def arm(self) -> None:
        """Set the alarms for tonight, unless they are set; a night without clients does not matter."""
        if self._armed:
            return
        self._armed = True
        alarms = ((self.scenario.reset_at, self._reset), (self.scenario.restart_at, self._restart))
        for at, do in alarms:
            if at is not None:
                self.clock.call_at(self._next(at), do)
        if not any(at for at, _ in alarms):
            return
        last = max(self._next(at) for at, _ in alarms if at is not None)
        self.clock.call_at(last, self._after_the_night)

    def _next(self, at: time) -> float:
        now = datetime.fromtimestamp(self.clock.now(), NEW_YORK)
        moment = datetime.combine(now.date(), at, NEW_YORK)
        if moment <= now:
            moment = datetime.combine(now.date() + timedelta(days=1), at, NEW_YORK)
        return moment.timestamp()

    def _reset(self) -> None:
        self.lose_link(self.scenario.reset_lasts)

    def _restart(self) -> None:
        self.restart(self.scenario.restart_lasts)

    def _after_the_night(self) -> None:
        self._armed = False
        if self.sessions:
            self.arm()
