"""Market data: streams and snapshots, live and delayed."""

from __future__ import annotations

from typing import Any

from . import _generic_ticks
from ._market import TICK_INTERVAL, Tick
from ._market_instrument import Instrument
from ._option_ticks import OptionLine
from ._quotes import DELAY, DELAYED, LIVE, Line, first_ticks, next_ticks
from ._serve_contracts import instrument_for
from ._serve_depth import BBO_EXCHANGE
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_KIND = "market data"
_OLD_REFUSAL = 354
_SHARES_SINCE = 159  # MARKET_DATA_IN_SHARES: older clients get hundreds
_SNAPSHOT_PERMISSIONS = 4
_MORE = "See link in 'Market Data Connections' dialog for more details."
_NOT_SUBSCRIBED = f"Requested market data requires additional subscription for API. {_MORE}"
_DUPLICATE = "Error processing request.-'bO' : cause - Duplicate ticker id"


def _delayed(session: Session) -> bool:
    """Return whether the client has asked for delayed data."""
    return session.market_data_type in {3, 4}


def _permitted(session: Session, instrument: Instrument) -> bool:
    """Return whether the account may see these prices, or these prices late."""
    return instrument.priced and (session.world.scenario.live_data or _delayed(session))


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
    if instrument.rerouted is not None:
        session.send("rerouteMktDataReq", reqId=request, conId=instrument.rerouted.con_id, exchange="SMART")
        return
    if not _legal(session, request, instrument, values["genericTickList"]):
        return
    if _permitted(session, instrument):
        session.send("marketDataType", reqId=request, marketDataType=3 if _delayed(session) else 1)
    session.send(
        "tickReqParams",
        reqId=request,
        minTick=instrument.min_tick,
        bboExchange=BBO_EXCHANGE if instrument.is_stock else "",
        snapshotPermissions=_SNAPSHOT_PERMISSIONS if instrument.is_stock else 0,
    )
    if _permitted(session, instrument):
        if _delayed(session) and session.world.scenario.not_subscribed == _OLD_REFUSAL:
            session.error(request, 10167, "Requested market data is not subscribed. Displaying delayed market data.")
        once = values["snapshot"] or values["regulatorySnapshot"]
        _open(session, request, instrument, values["genericTickList"], snapshot=once)
    else:
        session.error(request, *_refusal(session, instrument))


def _legal(session: Session, request: int, instrument: Instrument, generic: str) -> bool:
    """Return whether the generic ticks can be had; else complain."""
    problem = _generic_ticks.problem(instrument, generic)
    if problem is not None:
        session.error(request, 321, problem)
    elif str(_generic_ticks.FUNDAMENTALS) in generic.split(","):
        session.error(request, 10358, "Fundamentals data is not allowed.")
        return False
    return problem is None


def _refusal(session: Session, instrument: Instrument) -> tuple[int, str]:
    """Return the error for live data that the account lacks, of which every age of gateways has its own."""
    where = f"Delayed market data is available.{instrument.symbol} {instrument.local_venue}/TOP/ALL"
    code = session.world.scenario.not_subscribed
    if code == _OLD_REFUSAL:
        return code, f"Requested market data is not subscribed.{where}"
    if code == 10168:
        return code, "Requested market data is not subscribed. Delayed market data is not enabled."
    return code, f"{_NOT_SUBSCRIBED}{where}"


def _open(session: Session, request: int, instrument: Instrument, generic: str, *, snapshot: bool) -> None:
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
    option = OptionLine(request, instrument, delayed) if instrument.sec_type == "OPT" else None
    tick = market.tick(instrument, clock.now() - late)
    line.quiet = _generic_ticks.QUOTES_OFF in generic
    for name, values in first_ticks(line, tick, snapshot=snapshot):
        session.send(name, **values)
    _send_computations(session, option, tick)
    if not delayed:
        for name, values in _generic_ticks.resting(market, instrument, tick, generic):
            session.send(name, reqId=request, **values)
    if snapshot:
        timer = clock.call_later(TICK_INTERVAL, lambda: _end_snapshot(session, request))
        session.open_line(_KIND, request, timer.cancel)
    else:
        _stream(session, line, option, late, "" if delayed else generic)


def _send_computations(session: Session, option: OptionLine | None, tick: Tick) -> None:
    if option is not None:
        for values in option.ticks(session.world.market, tick):
            session.send("tickOptionComputation", **values)


def _end_snapshot(session: Session, request: int) -> None:
    session.close_line(_KIND, request)
    session.send("tickSnapshotEnd", reqId=request)


def _stream(session: Session, line: Line, option: OptionLine | None, late: float, generic: str) -> None:
    market = session.world.market

    def show(tick: Tick) -> None:
        if session.connection.crowded:
            return
        now = market.tick(line.instrument, tick.at - late) if late else tick
        before = line.shown
        for name, values in next_ticks(line, now):
            session.send(name, **values)
        _send_computations(session, option, now)
        for name, values in _generic_ticks.moving(before, now, generic):
            session.send(name, reqId=line.request, **values)

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


HANDLERS: dict[str, Handler] = {
    "reqMktData": mkt_data,
    "cancelMktData": cancel_mkt_data,
    "reqMarketDataType": market_data_type,
}
