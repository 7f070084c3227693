"""Historical data: bars up to an instant, and bars that are kept up to date."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec

from ._market import DAY, Bar, Tick
from ._market_history import BAR_SIZES, WHAT_TO_SHOW, can_show, parse_duration, recent_bars, shown, too_long
from ._market_instrument import Instrument
from ._market_series import NEW_YORK
from ._serve_contracts import instrument_for
from ._serve_history import send_schedule
from ._session import Handler, Session
from ._times import long_time, parse_end

__all__ = ["HANDLERS"]

_LATENCY = 0.2  # seconds until the data service has answered: long enough for a cancel to meet a running query
_SERVICE = "Historical Market Data Service error message:"
_SHARES_SINCE = 175  # HMDS_MARKET_DATA_IN_SHARES: older clients get hundreds
_UPDATE_EVERY = 5.0  # seconds between two updates of the last bar
_KIND = "historical"


class _Query(msgspec.Struct, frozen=True):
    request: int
    instrument: Instrument
    end: float
    duration: tuple[int, str]
    seconds: int
    what: str
    epoch: bool
    keep: bool


def _invalid(session: Session, values: dict[str, Any]) -> str | None:
    """Return why TWS does not even ask its data service, or ``None``."""
    if values["barSizeSetting"] not in BAR_SIZES:
        legal = ", ".join(BAR_SIZES)
        return f"'bN' : cause - Historical data bar size setting is invalid. Legal ones are: {legal}"
    if parse_duration(values["durationStr"]) is None:
        return (
            "'bN' : cause - Historical data query duration is invalid. It should be a number, a blank, and S D W M or Y"
        )
    if parse_end(values["endDateTime"], session.world.clock.now()) is None:
        return "'bN' : cause - Invalid date, time, or timezone was entered."
    if values["whatToShow"] not in WHAT_TO_SHOW:
        return "'bQ' : cause - What to show field is missing or incorrect."
    if values["keepUpToDate"] and values["endDateTime"].strip():
        return "'bN' : cause - End date not supported with keep up to date."
    if values["whatToShow"] == "SCHEDULE" and BAR_SIZES[values["barSizeSetting"]] != DAY:
        return "'bN' : cause - Schedule is only available for 1 day bars."
    return None


def _query(session: Session, values: dict[str, Any], instrument: Instrument) -> _Query:
    now = session.world.clock.now()
    duration = parse_duration(values["durationStr"])
    end = parse_end(values["endDateTime"], now)
    assert duration is not None  # _invalid has looked
    assert end is not None
    return _Query(
        values["reqId"],
        instrument,
        min(end, now),
        duration,
        BAR_SIZES[values["barSizeSetting"]],
        values["whatToShow"],
        values["formatDate"] == 2,
        values["keepUpToDate"],
    )


def historical_data(session: Session, values: dict[str, Any]) -> None:
    """Serve reqHistoricalData: validate, and answer when the data service has."""
    request = values["reqId"]
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    if session.has_line(_KIND, request):
        text = "Error processing request.-'bX' : cause - Duplicate ticker ID for API historical data query"
        session.error(request, 322, text)
        return
    problem = _invalid(session, values)
    if problem is not None:
        session.error(request, 321, f"Error validating request.-{problem}")
        return
    query = _query(session, values, instrument)
    timer = session.world.clock.call_later(_LATENCY, lambda: _answer(session, query))
    session.open_line(_KIND, request, timer.cancel)


def _no_data(session: Session, query: _Query) -> str | None:
    """Return why there is nothing to answer, or ``None``."""
    here = query.instrument
    if here.series is None:
        return f"No market data permissions for {here.exchange} {here.sec_type}"
    if too_long(query.duration, query.seconds):
        return "Time length exceed max."
    if not can_show(here, query.what):
        return f"No historical market data for {here.symbol}/{here.sec_type}@{here.exchange} Last {query.seconds}"
    return None


def _answer(session: Session, query: _Query) -> None:
    session.close_line(_KIND, query.request)
    if query.what == "SCHEDULE" and query.instrument.series is not None:
        send_schedule(session, query.request, query.instrument, query.end, query.duration)
        return
    problem = _no_data(session, query)
    if problem is not None:
        session.error(query.request, 162, _SERVICE + problem)
        return
    market = session.world.market
    start, bars = recent_bars(market, query.instrument, query.end, query.duration, query.seconds)
    rows = [_row(session, query, bar) for bar in shown(market, query.instrument, bars, query.what)]
    if not rows:
        name = f"{query.instrument.symbol}@{query.instrument.exchange}"
        session.error(query.request, 162, f"{_SERVICE}HMDS query returned no data: {name} {query.what.capitalize()}")
        return
    begin, end = long_time(start, session.version), long_time(query.end, session.version)
    session.send("historicalData", reqId=query.request, startDateStr=begin, endDateStr=end, bars=rows)
    if query.keep:
        _keep(session, query)


def _row(session: Session, query: _Query, bar: Bar) -> dict[str, Any]:
    in_lots = query.instrument.is_stock and session.version < _SHARES_SINCE and bar.volume > 0
    return {
        "date": _date(session, query, bar),
        "open": bar.open,
        "high": bar.high,
        "low": bar.low,
        "close": bar.close,
        "volume": bar.volume // 100 if in_lots else bar.volume,
        "wap": str(round(bar.wap, 3)),
        "barCount": bar.count,
    }


def _date(session: Session, query: _Query, bar: Bar) -> str:
    if query.seconds >= DAY:
        return f"{bar.day:%Y%m%d}"
    return str(int(bar.start)) if query.epoch else long_time(bar.start, session.version)


def _keep(session: Session, query: _Query) -> None:
    """Send the bar that is being made every few seconds, as long as the line is open."""
    clock, market = session.world.clock, session.world.market
    last = clock.now()

    def update(tick: Tick) -> None:
        nonlocal last
        if clock.now() - last < _UPDATE_EVERY or session.connection.crowded:
            return
        last = clock.now()
        newest = _newest(market.bars, query, last)
        for bar in shown(market, query.instrument, newest, query.what):
            session.send("historicalDataUpdate", reqId=query.request, **_row(session, query, bar))

    ticker = session.world.ticker(query.instrument)
    key = (session, _KIND, query.request)
    ticker.add(key, update)
    session.open_line(_KIND, query.request, lambda: ticker.remove(key))


def _newest(bars: Callable[..., Any], query: _Query, now: float) -> list[Bar]:
    """Return the bar of the query's size that holds *now*."""
    midnight = datetime.fromtimestamp(now, NEW_YORK).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    start = now - now % query.seconds if query.seconds <= 3600 else midnight - query.seconds
    return list(bars(query.instrument, start, now + 1e-3, query.seconds))[-1:]


def cancel_historical_data(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelHistoricalData: a running query says that it was cancelled, an unknown one that it is none."""
    request = values["reqId"]
    if session.close_line(_KIND, request):
        session.error(request, 162, f"{_SERVICE}API historical data query cancelled: {request}")
    else:
        session.error(request, 366, f"No historical data query found for ticker id:{request}")


HANDLERS: dict[str, Handler] = {
    "reqHistoricalData": historical_data,
    "cancelHistoricalData": cancel_historical_data,
}
