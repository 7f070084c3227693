"""Tick by tick: every trade, quote or midpoint as it happens, after the newest ones when they are asked for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import islice
from typing import Any

from ._market import Tick
from ._market_instrument import Instrument
from ._serve_contracts import instrument_for
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_TICK_BY_TICK = "tick by tick"
_SHARES_SINCE = 159  # MARKET_DATA_IN_SHARES: older clients get hundreds
_MORE = "See link in 'Market Data Connections' dialog for more details."
_NOT_SUBSCRIBED = f"Requested market data requires additional subscription for API. {_MORE}"
_TICK_BY_TICK_TYPES = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}
_DUPLICATE = "Error processing request.-'bO' : cause - Duplicate ticker id"
_MOST_HISTORY = 1000
_SEARCHED = 20_000  # ticks


def tick_by_tick(session: Session, values: dict[str, Any]) -> None:
    """Serve reqTickByTickData."""
    request, what = values["reqId"], values["tickType"]
    kind = _TICK_BY_TICK_TYPES.get(what)
    if session.has_line(_TICK_BY_TICK, request):
        session.error(request, 322, _DUPLICATE)
        return
    if kind is None:
        session.error(request, 321, "Error validating request.-'bQ' : cause - Tick-by-tick data type is invalid.")
        return
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    if instrument.series is None or not session.world.scenario.live_data or not _shown(instrument, kind):
        session.error(request, *_refusal(instrument, kind))
        return
    _send_history(session, values, instrument, kind)
    _stream_ticks(session, request, instrument, kind)


def _refusal(instrument: Instrument, kind: int) -> tuple[int, str]:
    """Return the error for ticks that may not be seen; one kind has an error of its own, as recorded."""
    if kind == _TICK_BY_TICK_TYPES["AllLast"]:
        return 10089, _NOT_SUBSCRIBED
    where = f"{instrument.data_venue} {instrument.sec_type}"
    return 10189, f"Failed to request tick-by-tick data.No market data permissions for {where}. {_NOT_SUBSCRIBED}"


def _send_history(session: Session, values: dict[str, Any], instrument: Instrument, kind: int) -> None:
    """Send the newest of the past, as many as are asked for, in the messages of historical ticks."""
    number = min(values["numberOfTicks"] or 0, _MOST_HISTORY)
    if number <= 0:
        return
    lot = 100 if instrument.is_stock and session.version < _SHARES_SINCE else 1
    rows: deque[dict[str, Any]] = deque()
    ticks = islice(session.world.market.ticks_back(instrument, session.world.clock.now()), _SEARCHED)
    for tick in ticks:
        rows.extendleft({"time": int(tick.at), **_historical(row)} for row in _rows(kind, None, tick, lot))
        if len(rows) >= number:
            break
    name = {3: "historicalTicksBidAsk", 4: "historicalTicks"}.get(kind, "historicalTicksLast")
    session.send(name, reqId=values["reqId"], ticks=list(rows), done=True)


def _historical(row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of a tick by the names that a historical one has."""
    names = {"bidPrice": "priceBid", "askPrice": "priceAsk", "bidSize": "sizeBid", "askSize": "sizeAsk"}
    return {names.get(name, name): value for name, value in row.items()} | (
        {"price": row["midPoint"], "size": 0} if "midPoint" in row else {}
    )


def _shown(instrument: Instrument, kind: int) -> bool:
    return instrument.has_trades if kind < 3 else instrument.has_quotes


def _stream_ticks(session: Session, request: int, instrument: Instrument, kind: int) -> None:
    in_lots = instrument.is_stock and session.version < _SHARES_SINCE
    before: Tick | None = None

    def show(tick: Tick) -> None:
        nonlocal before
        for row in _rows(kind, before, tick, 100 if in_lots else 1):
            session.send("tickByTick", reqId=request, tickType=kind, time=int(tick.at), **row)
        before = tick

    ticker = session.world.ticker(instrument)
    key = (session, _TICK_BY_TICK, request)
    ticker.add(key, show)
    session.open_line(_TICK_BY_TICK, request, lambda: ticker.remove(key))


def _rows(kind: int, before: Tick | None, tick: Tick, lot: int) -> Iterator[dict[str, Any]]:
    if kind < 3:
        if tick.traded:
            trade = {"price": tick.last, "size": tick.last_size // lot, "mask": 0, "exchange": "ARCA"}
            yield {**trade, "specialConditions": ""}
    elif kind == 3:
        quote = {"bidPrice": tick.bid, "askPrice": tick.ask, "mask": 0}
        yield {**quote, "bidSize": tick.bid_size // lot, "askSize": tick.ask_size // lot}
    elif before is None or (before.bid, before.ask) != (tick.bid, tick.ask):
        yield {"midPoint": round((tick.bid + tick.ask) / 2, 6)}


def cancel_tick_by_tick(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelTickByTickData: silence, or error 300 when there is nothing to cancel."""
    if not session.close_line(_TICK_BY_TICK, values["reqId"]):
        session.error(values["reqId"], 300, f"Can't find EId with tickerId:{values['reqId']}")


HANDLERS: dict[str, Handler] = {
    "reqTickByTickData": tick_by_tick,
    "cancelTickByTickData": cancel_tick_by_tick,
}
