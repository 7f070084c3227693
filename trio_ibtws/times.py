"""Times as TWS writes them, as aware datetimes in UTC, and back.

TWS writes times in a dozen forms: with a zone's name and without, in its own zone or the exchange's, in UTC with a
dash, as seconds or milliseconds since the epoch, and days without a time. ``parse_time`` reads all that name an
instant, ``parse_date`` all that name a day. Nothing is guessed: a time without a zone needs *zone*, and a local hour
that the end of summer time makes twice is ``AmbiguousTime``.

To send a time, use ``format_time(when)``: the form with the dash is UTC, and TWS takes it wherever it takes a time.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Literal

from ._zones import find_zone, has_database
from .errors import IBError

__all__ = [
    "AmbiguousTime",
    "Fold",
    "TimeError",
    "bar_times",
    "find_zone",
    "format_date",
    "format_time",
    "parse_date",
    "parse_time",
    "zone_of",
]

Fold = Literal["raise", "earlier", "later"]
"""What a local time means that comes twice in the night in which summer time ends."""

_CLOCK = r"(\d\d?):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?"
_ZONE = r"(?:(?=\s|Z$)\s*(\S.*))?"  # servers from 214 on may end UTC with a Z
_LOCAL = re.compile(rf"(\d{{4}})(\d\d)(\d\d) +{_CLOCK}{_ZONE}")
_DASHED = re.compile(rf"(\d{{4}})(\d\d)(\d\d)-{_CLOCK}{_ZONE}")
_ISO = re.compile(rf"(\d{{4}})-(\d\d)-(\d\d)[T ]{_CLOCK}(?: *(\S.*))?")
_DAY = re.compile(r"(\d{4})(\d\d)(\d\d)|(\d{4})-(\d\d)-(\d\d)")
_NUMBER = re.compile(r"-\d+|\d{9,}(\.\d+)?")  # eight digits are a day, and fewer nothing that TWS writes
_MILLISECONDS_FROM = 10_000_000_000  # seconds of the year 2286, milliseconds of April 1970


class TimeError(IBError, ValueError):
    """A text is no time that TWS writes, or it does not say which instant it means."""


class AmbiguousTime(TimeError):
    """A local time comes twice, because summer time ends in that hour.

    Attributes:
      earlier: the first of the two instants, in UTC.
      later: the second.
    """

    def __init__(self, text: str, earlier: datetime, later: datetime) -> None:
        super().__init__(
            f"{text!r} comes twice, at {earlier:%H:%M} and at {later:%H:%M} UTC, because summer time ends;"
            ' give ambiguous="earlier" or "later"'
        )
        self.earlier = earlier
        self.later = later


def zone_of(name: str) -> tzinfo:
    """Return the zone that TWS calls *name*, as in ``ContractDetails.timeZoneId``.

    ``"EST (Eastern Standard Time)"`` and ``"US/Eastern"`` are New York, whatever the season.

    Raises:
      TimeError: nobody knows it, it means several, or this machine has no time zone database.
    """
    found = find_zone(name)
    if found is not None:
        return found
    if not has_database():
        raise TimeError(f"zone {name!r}: this machine has no time zone database; install one with 'pip install tzdata'")
    raise TimeError(f"{name!r} is no time zone that is known, or it is short for several; give the argument zone")


def parse_time(value: str | float, zone: str | tzinfo | None = None, *, ambiguous: Fold = "raise") -> datetime:
    """Return the instant that *value* names, as an aware datetime in UTC.

    A text with a zone is in that zone, one with a dash between day and time in UTC; a number, also one in a text, is
    seconds or milliseconds since the epoch. ``.astimezone(zone_of("US/Eastern"))`` shows it as a clock there does.
    What is returned is in UTC because Python compares and subtracts times of a zone whose clocks change as if they
    did not.

    Args:
      value: what TWS wrote: the time of a connection, bar, execution, head time stamp, headline or tick.
      zone: what a time without a zone is in: TWS's own, as set when it was started, or the contract's. It also stands
        in for the name of a zone that is unknown.
      ambiguous: which instant a local time means that comes twice.

    Raises:
      TimeError: it is no time, has no zone, or is in the hour that the beginning of summer time leaves out.
      AmbiguousTime: it comes twice.
    """
    if not isinstance(value, str):
        return _since_epoch(value)
    text = value.strip()
    local = _LOCAL.fullmatch(text) or _DASHED.fullmatch(text) or _ISO.fullmatch(text)
    if local is not None:
        utc = local.re is _DASHED and local[8] is None
        where = UTC if utc else _zone_in(text, local[8], zone)
        return _instant(text, _local_time(text, local), where, ambiguous)
    if _NUMBER.fullmatch(text):
        return _since_epoch(float(text) if "." in text else int(text))
    raise TimeError(f"{value!r} is no time that TWS writes" + (", but a day" if _DAY.fullmatch(text) else ""))


def parse_date(value: str) -> date:
    """Return the day that *value* names: of a daily bar, a last trading day, a bond's maturity.

    What has a time as well is the day in the zone in which it is written, whichever that is.

    Raises:
      TimeError: it is neither a day nor a day with a time; a month (``"202612"``) is none.
    """
    text = value.strip()
    day = _DAY.fullmatch(text)
    if day is not None:
        return _day(text, *(day[part] or day[part + 3] for part in (1, 2, 3)))
    local = _LOCAL.fullmatch(text) or _DASHED.fullmatch(text) or _ISO.fullmatch(text)
    if local is None:
        raise TimeError(f"{value!r} is no day that TWS writes")
    return _day(text, local[1], local[2], local[3])


def bar_times(bars: Iterable[Any], zone: str | tzinfo | None = None) -> list[datetime | date]:
    """Return the beginning of each of *bars*: an aware datetime in UTC, or the day of daily and longer ones.

    It takes ibapi's ``BarData`` and historical ticks, ours, and their plain times. Bars are in order, so that where an
    hour comes twice the second time is told from the first one. *zone* is as in ``parse_time``.

    Raises:
      TimeError: one of them has no time that can be read, or none with a zone.
    """
    found: list[datetime | date] = []
    before: datetime | None = None
    for bar in bars:
        value = _time_of(bar)
        if isinstance(value, str) and _DAY.fullmatch(value.strip()):
            found.append(parse_date(value))
            continue
        before = _after(before, value, zone)
        found.append(before)
    return found


def format_time(when: datetime, zone: str | tzinfo | None = None) -> str:
    """Return *when* as a request takes it: ``"20130115-15:00:00"``, which is UTC.

    With *zone* it is ``"20130115 10:00:00 America/New_York"``. Parts of a second are dropped, as TWS knows none.

    Raises:
      TimeError: *when* has no zone, or its local time comes twice and TWS could not tell which is meant.
    """
    if when.utcoffset() is None:
        raise TimeError(f"{when} has no time zone")
    if zone is None:
        return f"{_padded(when.astimezone(UTC))}-{when.astimezone(UTC):%H:%M:%S}"
    where = zone_of(zone) if isinstance(zone, str) else zone
    name = zone if isinstance(zone, str) and "/" in zone else str(where)
    if find_zone(name) is None:
        raise TimeError(f"{where!r} has no name that TWS knows; leave it out to send UTC")
    local = when.astimezone(where).replace(microsecond=0)
    text = f"{_padded(local)} {local:%H:%M:%S} {name}"
    _instant(text, local.replace(tzinfo=None), where, "raise")
    return text


def format_date(day: date) -> str:
    """Return a day as TWS writes it: ``"20130115"``."""
    return _padded(day)


# --- the parts ---------------------------------------------------------------------------------------------------


def _padded(day: date) -> str:
    return f"{day.year:04}{day:%m%d}"


def _time_of(bar: Any) -> str | float:
    value = getattr(bar, "date", None) if hasattr(bar, "date") else getattr(bar, "time", bar)
    if not isinstance(value, (str, int, float)):
        raise TimeError(f"{bar!r} has no time")
    return value


def _after(before: datetime | None, value: str | float, zone: str | tzinfo | None) -> datetime:
    try:
        return parse_time(value, zone)
    except AmbiguousTime as twice:
        return twice.later if before is not None and before >= twice.earlier else twice.earlier


def _since_epoch(value: float) -> datetime:
    """Return the instant; a number with a fraction is seconds."""
    unit = "milliseconds" if isinstance(value, int) and abs(value) >= _MILLISECONDS_FROM else "seconds"
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(**{unit: value})
    except (OverflowError, ValueError):
        raise TimeError(f"{value} is no time since the epoch") from None


def _zone_in(text: str, name: str | None, zone: str | tzinfo | None) -> tzinfo:
    found = find_zone(name) if name else None
    if found is not None:
        return found
    if zone is not None:
        return zone_of(zone) if isinstance(zone, str) else zone
    if name:
        return zone_of(name)
    raise TimeError(f"{text!r} has no zone; give the argument zone: TWS's own, or the contract's timeZoneId")


def _day(text: str, year: str, month: str, day: str) -> date:
    try:
        return date(int(year), int(month), int(day))
    except ValueError as wrong:
        raise TimeError(f"{text!r}: {wrong}") from None


def _local_time(text: str, parts: re.Match[str]) -> datetime:
    day = _day(text, parts[1], parts[2], parts[3])
    micro = int((parts[7] or "0").ljust(6, "0"))
    try:
        return datetime.combine(day, time(int(parts[4]), int(parts[5]), int(parts[6] or 0), micro))
    except ValueError as wrong:
        raise TimeError(f"{text!r}: {wrong}") from None


def _instant(text: str, local: datetime, zone: tzinfo, ambiguous: Fold) -> datetime:
    """Return the one instant at which clocks in *zone* show *local*."""
    first, second = (_in_utc(text, local.replace(tzinfo=zone, fold=fold)) for fold in (0, 1))
    if first > second:
        raise TimeError(f"{text!r} is in the hour that the beginning of summer time leaves out in {zone}")
    if first < second and ambiguous == "raise":
        raise AmbiguousTime(text, first, second)
    return second if ambiguous == "later" else first


def _in_utc(text: str, when: datetime) -> datetime:
    try:
        return when.astimezone(UTC)
    except OverflowError:
        raise TimeError(f"{text!r} is outside of the years 1 to 9999") from None
