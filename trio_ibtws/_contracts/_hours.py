"""Trading hours as TWS writes them, as intervals of aware datetimes.

TWS has written them in two ways: ``20090507:0700-1830,1830-2330;20090508:CLOSED``, in which a session that ends before
it begins began the day before, and since 2018 ``20260405:1700-20260406:1600``, with both days.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import TYPE_CHECKING

import msgspec

from ..times import TimeError, parse_date, parse_time, zone_of

if TYPE_CHECKING:
    from ibapi.common import HistoricalSession
    from ibapi.contract import ContractDetails

    from .._gen.events import HistoricalSchedule

__all__ = ["TradingHours", "TradingSession", "liquid_hours", "parse_hours", "schedule_hours", "trading_hours"]

_TIMES = re.compile(r"(?:(\d{8}):)?(\d\d):?(\d\d)-(?:(\d{8}):)?(\d\d):?(\d\d)")


class TradingSession(msgspec.Struct, frozen=True, order=True):
    """One time of trading without a break: from *start* up to *end*, which is no part of it; both are in UTC.

    *day* is the trading day that it belongs to: that on which it ends, by the exchange's clocks.
    """

    start: datetime
    end: datetime
    day: date

    @property
    def duration(self) -> timedelta:
        """How long it is."""
        return self.end - self.start

    def __contains__(self, when: datetime) -> bool:
        return self.start <= when < self.end


class TradingHours:
    """The sessions of a contract in the days that TWS told of, in order, and the days on which there is none.

    Iterate over it for the sessions. Questions about a time that TWS told nothing of are answered with ``None``.
    """

    def __init__(self, zone: tzinfo, sessions: Iterable[TradingSession], closed: Iterable[date] = ()) -> None:
        self.zone: tzinfo = zone
        """The exchange's zone: ``session.start.astimezone(hours.zone)``."""
        self.sessions: tuple[TradingSession, ...] = tuple(sorted(set(sessions)))
        """In order."""
        self.closed: tuple[date, ...] = tuple(sorted(set(closed)))
        """The days without a session, in order."""
        self._known = self._told()

    def _told(self) -> tuple[datetime, datetime] | None:
        """Return from when to when TWS told anything.

        Where a day begins on the evening before it, nothing is known of the evening of the last one.
        """
        days = [*self.closed, *(each.day for each in self.sessions)]
        if not days:
            return None
        first, last = self._midnight(min(days)), self._midnight(max(days) + timedelta(1))
        evening = max((self._midnight(each.day) - each.start for each in self.sessions), default=timedelta(0))
        if self.sessions:
            first = min(first, self.sessions[0].start)
            last = max(last - max(evening, timedelta(0)), self.sessions[-1].end)
        return first, last

    def _midnight(self, day: date) -> datetime:
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def __iter__(self) -> Iterator[TradingSession]:
        return iter(self.sessions)

    def __len__(self) -> int:
        return len(self.sessions)

    def __repr__(self) -> str:
        return f"<TradingHours: {len(self.sessions)} sessions, {len(self.closed)} days closed, {self.zone}>"

    def covers(self, when: datetime) -> bool:
        """Return whether TWS told anything about that instant."""
        return self._known is not None and self._known[0] <= when < self._known[1]

    def session_at(self, when: datetime) -> TradingSession | None:
        """Return the session that is on at *when*, ``None`` if there is none or nothing is known."""
        at = bisect_right(self.sessions, when, key=lambda each: each.start)
        found = self.sessions[at - 1] if at else None
        return found if found is not None and when in found else None

    def is_open(self, when: datetime) -> bool | None:
        """Return whether there is trading at *when*; ``None``: TWS told nothing about it."""
        return (self.session_at(when) is not None) if self.covers(when) else None

    def next_open(self, when: datetime) -> datetime | None:
        """Return the next beginning of a session after *when*, ``None`` if TWS told of none."""
        return next((each.start for each in self.sessions if each.start > when), None)

    def next_close(self, when: datetime) -> datetime | None:
        """Return the end of the session that is on at *when* or comes next, ``None`` if TWS told of none."""
        return next((each.end for each in self.sessions if each.end > when), None)


def trading_hours(details: ContractDetails) -> TradingHours:
    """Return all hours in which a contract is traded (ContractDetails.tradingHours), some six days of them.

    Raises:
      TimeError: the text, or the name of its zone, makes no sense.
    """
    return parse_hours(details.tradingHours, details.timeZoneId)


def liquid_hours(details: ContractDetails) -> TradingHours:
    """Return the regular hours of a contract (ContractDetails.liquidHours), which ``use_rth`` means.

    Raises:
      TimeError: the text, or the name of its zone, makes no sense.
    """
    return parse_hours(details.liquidHours, details.timeZoneId)


def schedule_hours(schedule: HistoricalSchedule) -> TradingHours:
    """Return the sessions of ``historical_schedule()``, whose times are the exchange's in spite of their dash.

    Raises:
      TimeError: a time, or the name of the zone, makes no sense.
    """
    zone = zone_of(schedule.time_zone)
    return TradingHours(zone, (_of_schedule(each, zone) for each in schedule.sessions))


def parse_hours(text: str, zone: str | tzinfo) -> TradingHours:
    """Return the sessions in a text of TWS, which are in *zone*; an empty text has none.

    Raises:
      TimeError: the text, or the name of the zone, makes no sense.
    """
    pieces = [piece.strip() for piece in (text or "").split(";") if piece.strip()]
    if not pieces:
        return TradingHours(UTC, ())
    where = zone_of(zone) if isinstance(zone, str) else zone
    sessions: list[TradingSession] = []
    closed: list[date] = []
    for piece in pieces:
        day, colon, times = piece.partition(":")
        if not colon:
            raise TimeError(f"{piece!r} in the trading hours {text!r} has no times")
        if times.strip().upper() == "CLOSED":
            closed.append(parse_date(day))
        else:
            sessions += (_session(day, each.strip(), where) for each in times.split(","))
    return TradingHours(where, sessions, closed)


def _session(day: str, times: str, zone: tzinfo) -> TradingSession:
    match = _TIMES.fullmatch(times)
    if match is None:
        raise TimeError(f"{times!r} are no hours of trading on {day}")
    first = parse_date(match[1] or day)
    last = parse_date(match[4] or day)
    opening, closing = match[2] + match[3], match[5] + match[6]
    if not match[4] and closing <= opening:
        first -= timedelta(1)
    start, end = _clock(first, opening, zone, fold=0), _clock(last, closing, zone, fold=1)
    if end <= start:
        raise TimeError(f"{day}:{times} ends before it begins")
    return TradingSession(start, end, last)


def _clock(day: date, hhmm: str, zone: tzinfo, *, fold: int) -> datetime:
    """Return when clocks show *hhmm*; a session that begins or ends in an hour that comes twice has both of them."""
    hour, minute = int(hhmm[:2]), int(hhmm[2:])
    if (hour, minute) == (24, 0):
        day, hour = day + timedelta(1), 0
    if hour > 23 or minute > 59:
        raise TimeError(f"{hhmm!r} is no time of a day")
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)


def _of_schedule(session: HistoricalSession, zone: tzinfo) -> TradingSession:
    start = parse_time(session.startDateTime.replace("-", " "), zone, ambiguous="earlier")
    end = parse_time(session.endDateTime.replace("-", " "), zone, ambiguous="later")
    return TradingSession(start, end, parse_date(session.refDate))
