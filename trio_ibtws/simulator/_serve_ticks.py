"""Market data: streams and snapshots, live and delayed, and tick by tick."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ._market import TICK_INTERVAL, Tick
from ._market_instrument import Instrument
from ._quotes import DELAY, DELAYED, LIVE, Line, first_ticks, next_ticks
from ._serve_contracts import instrument_for
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_KIND = "market data"
_TICK_BY_TICK = "tick by tick"
_SHARES_SINCE = 159  # MARKET_DATA_IN_SHARES: older clients get hundreds
_BBO_EXCHANGE = "9c0001"
_SNAPSHOT_PERMISSIONS = 4
_MORE = "See link in 'Market Data Connections' dialog for more details."
_NOT_SUBSCRIBED = f"Requested market data requires additional subscription for API. {_MORE}"
_TICK_BY_TICK_TYPES = {"Last": 1, "AllLast": 2, "BidAsk": 3, "MidPoint": 4}
_DUPLICATE = "Error processing request.-'bO' : cause - Duplicate ticker id"


def _venue(instrument: Instrument) -> str:
    return instrument.primary_exchange or instrument.exchange


def _delayed(session: Session) -> bool:
    """Return whether the client has asked for delayed data."""
    return session.market_data_type in {3, 4}


def _permitted(session: Session, instrument: Instrument) -> bool:
    """Return whether the account may see these prices, or these prices late."""
    return instrument.series is not None and (session.world.scenario.live_data or _delayed(session))


def mkt_data(session: Session, values: dict[str, Any]) -> None:
    """Serve reqMktData: parameters of the ticks, then ticks, until it is cancelled or the snapshot is complete."""
    request = values["reqId"]
    if session.has_line(_KIND, request):
        session.error(request, 322, _DUPLICATE)
        return
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    if sum(kind == _KIND for kind, _ in session.lines) >= session.world.scenario.line_limit:
        session.error(request, 101, "Max number of tickers has been reached")
        return
    if _permitted(session, instrument):
        session.send("marketDataType", reqId=request, marketDataType=3 if _delayed(session) else 1)
    session.send(
        "tickReqParams",
        reqId=request,
        minTick=instrument.min_tick,
        bboExchange=_BBO_EXCHANGE if instrument.is_stock else "",
        snapshotPermissions=_SNAPSHOT_PERMISSIONS if instrument.is_stock else 0,
    )
    if _permitted(session, instrument):
        _open(session, request, instrument, snapshot=values["snapshot"] or values["regulatorySnapshot"])
    else:
        where = f"{instrument.symbol} {_venue(instrument)}/TOP/ALL"
        session.error(request, 10089, f"{_NOT_SUBSCRIBED}Delayed market data is available.{where}")


def _open(session: Session, request: int, instrument: Instrument, *, snapshot: bool) -> None:
    market, clock = session.world.market, session.world.clock
    delayed = _delayed(session)
    late = DELAY if delayed else 0.0
    line = Line(
        request,
        instrument,
        DELAYED if delayed else LIVE,
        instrument.is_stock and session.version < _SHARES_SINCE,
        market.previous_close(instrument, clock.now() - late),
    )
    for name, values in first_ticks(line, market.tick(instrument, clock.now() - late)):
        session.send(name, **values)
    if snapshot:
        timer = clock.call_later(TICK_INTERVAL, lambda: _end_snapshot(session, request))
        session.open_line(_KIND, request, timer.cancel)
    else:
        _stream(session, line, late)


def _end_snapshot(session: Session, request: int) -> None:
    session.close_line(_KIND, request)
    session.send("tickSnapshotEnd", reqId=request)


def _stream(session: Session, line: Line, late: float) -> None:
    market = session.world.market

    def show(tick: Tick) -> None:
        if session.connection.crowded:
            return
        now = market.tick(line.instrument, tick.at - late) if late else tick
        for name, values in next_ticks(line, now):
            session.send(name, **values)

    ticker = session.world.ticker(line.instrument)
    key = (session, _KIND, line.request)
    ticker.add(key, show)
    session.open_line(_KIND, line.request, lambda: ticker.remove(key))


def cancel_mkt_data(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelMktData: silence, or error 300 when there is nothing to cancel."""
    if not session.close_line(_KIND, values["reqId"]):
        session.error(values["reqId"], 300, f"Can't find EId with tickerId:{values['reqId']}")


def market_data_type(session: Session, values: dict[str, Any]) -> None:
    """Serve reqMarketDataType, to which TWS says nothing, whatever the number."""
    if values["marketDataType"] in {1, 2, 3, 4}:
        session.market_data_type = values["marketDataType"]


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
    if instrument.series is None or not session.world.scenario.live_data or (kind < 3 and not instrument.has_trades):
        where = f"{_venue(instrument)} {instrument.sec_type}"
        text = f"Failed to request tick-by-tick data.No market data permissions for {where}. {_NOT_SUBSCRIBED}"
        session.error(request, 10189, text)
        return
    _stream_ticks(session, request, instrument, kind)


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
    "reqMktData": mkt_data,
    "cancelMktData": cancel_mkt_data,
    "reqMarketDataType": market_data_type,
    "reqTickByTickData": tick_by_tick,
    "cancelTickByTickData": cancel_tick_by_tick,
}
