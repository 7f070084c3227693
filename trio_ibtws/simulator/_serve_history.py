"""What the data service knows besides bars: schedules, the first instant that there is, and histograms of prices."""

from __future__ import annotations

import re
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from ._market import DAY
from ._market_history import WHAT_TO_SHOW, can_show, duration_start, recent_bars
from ._market_instrument import Instrument, rounded
from ._market_series import NEW_YORK
from ._serve_contracts import instrument_for
from ._session import Handler, Session

__all__ = ["HANDLERS", "send_schedule"]

_LATENCY = 0.2  # seconds until the data service has answered
_SERVICE = "Historical Market Data Service error message:"
_HEAD = "head timestamp"
_HISTOGRAM = "histogram"
_PERIOD = re.compile(r"\s*(\d{1,4})\s*(second|minute|hour|day|week|month|year)s?\s*", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600}
_MINUTE_DAYS = 10  # up to so many days a histogram is made of minutes


def _stamp(instant: float) -> str:
    return f"{datetime.fromtimestamp(instant, NEW_YORK):%Y%m%d-%H:%M:%S}"


def send_schedule(
    session: Session, request: int, instrument: Instrument, end: float, duration: tuple[int, str]
) -> None:
    """Send historicalSchedule: when each of the days until *end* started and ended."""
    series = session.world.market.series(instrument)
    days: dict[str, tuple[float, float]] = {}
    for bar in series.between(duration_start(session.world.market, instrument, end, *duration), end):
        name = f"{bar.day:%Y%m%d}"
        days[name] = (days[name][0] if name in days else bar.start, bar.end)
    rows = [
        {"startDateTime": _stamp(opened), "endDateTime": _stamp(closed), "refDate": name}
        for name, (opened, closed) in days.items()
    ]
    session.send(
        "historicalSchedule",
        reqId=request,
        startDateTime=rows[0]["startDateTime"] if rows else _stamp(end),
        endDateTime=rows[-1]["endDateTime"] if rows else _stamp(end),
        timeZone=instrument.time_zone,
        sessions=rows,
    )


def head_time_stamp(session: Session, values: dict[str, Any]) -> None:
    """Serve reqHeadTimeStamp: the instant at which the records begin."""
    request, what = values["reqId"], values["whatToShow"]
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    if what not in WHAT_TO_SHOW:
        session.error(
            request, 321, "Error validating request.-'bQ' : cause - What to show field is missing or incorrect."
        )
        return
    if instrument.series is None or not can_show(instrument, what):
        session.error(request, 162, f"{_SERVICE}No head time stamp")
        return
    first = session.world.market.series(instrument).first_start()
    text = str(int(first)) if values["formatDate"] == 2 else f"{datetime.fromtimestamp(first, UTC):%Y%m%d-%H:%M:%S}"

    def answer() -> None:
        session.close_line(_HEAD, request)
        session.send("headTimestamp", reqId=request, headTimestamp=text)

    session.open_line(_HEAD, request, session.world.clock.call_later(_LATENCY, answer).cancel)


def cancel_head_time_stamp(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelHeadTimeStamp, silently."""
    session.close_line(_HEAD, values["reqId"])


def _parse_period(text: str) -> tuple[int, str] | None:
    """Return a period such as ``3 days`` as a duration."""
    match = _PERIOD.fullmatch(text)
    if match is None or not int(match[1]):
        return None
    unit = match[2].lower()
    number = int(match[1])
    return (min(number * _SECONDS[unit], DAY), "S") if unit in _SECONDS else (number, unit[0].upper())


def histogram_data(session: Session, values: dict[str, Any]) -> None:
    """Serve reqHistogramData: how much was traded at each price, the most first."""
    request = values["reqId"]
    instrument = instrument_for(session, request, values["contract"])
    period = _parse_period(values["timePeriod"])
    if instrument is None:
        return
    if period is None:
        session.error(request, 321, "Error validating request.-'bN' : cause - Invalid time period.")
        return
    if instrument.series is None or not (instrument.has_trades and instrument.has_quotes):
        where = f"{instrument.data_venue} {instrument.sec_type}"
        session.error(request, 10188, f"Failed to request histogram data:No market data permissions for {where}")
        return

    def answer() -> None:
        session.close_line(_HISTOGRAM, request)
        session.send("histogramData", reqId=request, items=_histogram(session, instrument, period))

    session.open_line(_HISTOGRAM, request, session.world.clock.call_later(_LATENCY, answer).cancel)


def _histogram(session: Session, instrument: Instrument, period: tuple[int, str]) -> list[dict[str, Any]]:
    number, unit = period
    short = unit == "S" or (unit == "D" and number <= _MINUTE_DAYS) or (unit == "W" and number == 1)
    now = session.world.clock.now()
    sizes: Counter[float] = Counter()
    for bar in recent_bars(session.world.market, instrument, now, period, 60 if short else DAY)[1]:
        sizes[rounded(instrument, bar.wap)] += bar.volume
    return [{"price": price, "size": size} for price, size in sizes.most_common() if size]


def cancel_histogram_data(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelHistogramData, silently."""
    session.close_line(_HISTOGRAM, values["reqId"])


HANDLERS: dict[str, Handler] = {
    "reqHeadTimeStamp": head_time_stamp,
    "cancelHeadTimeStamp": cancel_head_time_stamp,
    "reqHistogramData": histogram_data,
    "cancelHistogramData": cancel_histogram_data,
}
