"""Historical ticks: trades, quotes or midpoints from an instant on, or up to one."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

import msgspec

from ._market import Tick
from ._market_instrument import Instrument
from ._serve_contracts import instrument_for
from ._session import Handler, Session
from ._times import parse_time

__all__ = ["HANDLERS"]

_KIND = "historical ticks"
_LATENCY = 0.2  # seconds until the data service has answered
_MOST = 1000
_SEARCHED = 60_000  # ticks: half a day
_SHARES_SINCE = 159  # MARKET_DATA_IN_SHARES: older clients get hundreds
_WHAT = {"TRADES": "historicalTicksLast", "BID_ASK": "historicalTicksBidAsk", "MIDPOINT": "historicalTicks"}


class _Query(msgspec.Struct, frozen=True):
    request: int
    instrument: Instrument
    start: float | None
    end: float | None
    number: int
    what: str


def _invalid(values: dict[str, Any]) -> str | None:
    """Return why the request makes no sense, or ``None``."""
    start, end = values["startDateTime"].strip(), values["endDateTime"].strip()
    if bool(start) == bool(end):
        return "'bN' : cause - Either start or end date time must be given, and not both."
    if parse_time(start or end) is None:
        return "'bN' : cause - Invalid date, time, or timezone was entered."
    if not 1 <= (values["numberOfTicks"] or 0) <= _MOST:
        return f"'bN' : cause - Number of ticks must be between 1 and {_MOST}."
    if values["whatToShow"] not in _WHAT:
        return "'bQ' : cause - What to show field is missing or incorrect."
    return None


def historical_ticks(session: Session, values: dict[str, Any]) -> None:
    """Serve reqHistoricalTicks: validate, and answer when the data service has."""
    request, what = values["reqId"], values["whatToShow"]
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    problem = _invalid(values)
    if problem is not None:
        session.error(request, 321, f"Error validating request.-{problem}")
        return
    shown = instrument.has_trades if what == "TRADES" else instrument.has_quotes
    if instrument.series is None or not session.world.scenario.live_data or not shown:
        where = f"{instrument.data_venue} {instrument.sec_type}"
        session.error(request, 10187, f"Failed to request historical ticks:No market data permissions for {where}")
        return
    start, end = parse_time(values["startDateTime"]), parse_time(values["endDateTime"])
    query = _Query(request, instrument, start, end, values["numberOfTicks"], what)
    timer = session.world.clock.call_later(_LATENCY, lambda: _answer(session, query))
    session.open_line(_KIND, request, timer.cancel)


def _answer(session: Session, query: _Query) -> None:
    session.close_line(_KIND, query.request)
    lot = 100 if query.instrument.is_stock and session.version < _SHARES_SINCE else 1
    rows = [_row(tick, query.what, lot) for tick in _chosen(session, query)]
    pages = [rows[at : at + _MOST] for at in range(0, len(rows), _MOST)] or [[]]
    for number, page in enumerate(pages, 1):
        session.send(_WHAT[query.what], reqId=query.request, ticks=page, done=number == len(pages))


def _chosen(session: Session, query: _Query) -> list[Tick]:
    """Return the ticks, those of the last second complete, the oldest first."""
    market, now = session.world.market, session.world.clock.now()
    if query.start is not None:
        found = market.ticks(query.instrument, query.start, now)
        return _whole_seconds(islice(found, _SEARCHED), query)
    found = market.ticks_back(query.instrument, min(query.end or now, now))
    return _whole_seconds(islice(found, _SEARCHED), query)[::-1]


def _whole_seconds(ticks: Iterable[Tick], query: _Query) -> list[Tick]:
    chosen: list[Tick] = []
    for tick in ticks:
        if query.what == "TRADES" and not tick.traded:
            continue
        if len(chosen) >= query.number and int(tick.at) != int(chosen[-1].at):
            break
        chosen.append(tick)
    return chosen


def _row(tick: Tick, what: str, lot: int) -> dict[str, Any]:
    row: dict[str, Any] = {"time": int(tick.at), "mask": 0}
    if what == "TRADES":
        return {**row, "price": tick.last, "size": tick.last_size // lot, "exchange": "ARCA", "specialConditions": ""}
    if what == "MIDPOINT":
        return {**row, "price": round((tick.bid + tick.ask) / 2, 6), "size": 0}
    sizes = {"sizeBid": tick.bid_size // lot, "sizeAsk": tick.ask_size // lot}
    return {**row, "priceBid": tick.bid, "priceAsk": tick.ask, **sizes}


def cancel_historical_ticks(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelHistoricalTicks, silently."""
    session.close_line(_KIND, values["reqId"])


HANDLERS: dict[str, Handler] = {
    "reqHistoricalTicks": historical_ticks,
    "cancelHistoricalTicks": cancel_historical_ticks,
}
