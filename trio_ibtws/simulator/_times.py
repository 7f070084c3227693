"""Instants as TWS writes them, which depends on the server version."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from ._market_series import NEW_YORK

__all__ = ["day_of", "long_time", "parse_end", "parse_time", "short_time", "trading_hours"]

_ZONES_SINCE = 174  # INSTRUMENT_TIMEZONE: dates carry the name of their zone


def long_time(instant: float, version: int) -> str:
    """Return ``20130115 10:00:00 US/Eastern``, or for older clients ``20130115  10:00:00``."""
    moment = datetime.fromtimestamp(instant, NEW_YORK)
    if version >= _ZONES_SINCE:
        return f"{moment:%Y%m%d %H:%M:%S} US/Eastern"
    return f"{moment:%Y%m%d  %H:%M:%S}"


def day_of(instant: float) -> date:
    """Return the date in New York."""
    return datetime.fromtimestamp(instant, NEW_YORK).date()


def short_time(instant: float) -> str:
    """Return ``10:00``."""
    return f"{datetime.fromtimestamp(instant, NEW_YORK):%H:%M}"


def parse_time(text: str) -> float | None:
    """Return the instant that a client wrote, or ``None`` when it cannot be read.

    Both ``20130115 10:00:00 US/Eastern``, any number of blanks and any zone name, and ``20130115-15:00:00``, which is
    UTC, are known.
    """
    utc = "-" in text.partition(" ")[0]
    words = text.replace("-", " ", 1).split() if utc else text.split()
    stamp = " ".join(words[:2])
    try:
        zone = ZoneInfo("UTC" if utc else words[2]) if utc or len(words) > 2 else NEW_YORK
        layout = "%Y%m%d %H:%M:%S" if len(words) > 1 else "%Y%m%d"
        return datetime.strptime(stamp, layout).replace(tzinfo=zone).timestamp()
    except (ValueError, OSError, IndexError, KeyError):
        return None


def parse_end(text: str, now: float) -> float | None:
    """Return the end of a historical request: empty means *now*."""
    return now if not text.strip() else parse_time(text)


def trading_hours(instant: float, kind: str, liquid: bool) -> str:
    """Return the hours of the six days from *instant* on, as contract details give them.

    *kind* is ``stock``, ``forex`` or ``always``.
    """
    first = datetime.fromtimestamp(instant, NEW_YORK).date()
    return ";".join(_hours(first + timedelta(days=ahead), kind, liquid) for ahead in range(6))


def _hours(day: date, kind: str, liquid: bool) -> str:
    if kind == "always":
        return f"{day:%Y%m%d}:0000-{day:%Y%m%d}:2359"
    if day.weekday() == 5 or (kind == "stock" and day.weekday() == 6):
        return f"{day:%Y%m%d}:CLOSED"
    if kind == "forex":
        return f"{day - timedelta(days=1):%Y%m%d}:1715-{day:%Y%m%d}:1700"
    opening, closing = ("0930", "1600") if liquid else ("0400", "2000")
    return f"{day:%Y%m%d}:{opening}-{day:%Y%m%d}:{closing}"
