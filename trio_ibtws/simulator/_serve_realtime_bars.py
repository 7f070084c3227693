"""Real-time bars: one of five seconds, every five seconds."""

from __future__ import annotations

import math
from typing import Any

from ._market_history import can_show, shown
from ._market_instrument import Instrument
from ._serve_contracts import instrument_for
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_KIND = "real-time bars"
_SECONDS = 5
_SHARES_SINCE = 159  # MARKET_DATA_IN_SHARES: older clients get hundreds
_WHAT = ("TRADES", "MIDPOINT", "BID", "ASK")
_MORE = (
    "Requested market data requires additional subscription for API. See link in 'Market Data Connections' dialog for "
    "more details."
)


def _problem(session: Session, values: dict[str, Any], instrument: Instrument) -> tuple[int, str] | None:
    what = values["whatToShow"]
    if values["barSize"] != _SECONDS:
        return 321, "Error validating request.-'bQ' : cause - Bar size must be 5."
    if what not in _WHAT:
        return 321, "Error validating request.-'bQ' : cause - What to show field is missing or incorrect."
    if instrument.series is None or not session.world.scenario.live_data or not can_show(instrument, what):
        if what != "TRADES":
            return 10089, f"{_MORE}{instrument.symbol} {instrument.local_venue}/TOP/ALL"
        where = f"{instrument.data_venue} {instrument.sec_type}"
        return 420, f"Invalid Real-time Query:No market data permissions for {where}. {_MORE}"
    return None


def real_time_bars(session: Session, values: dict[str, Any]) -> None:
    """Serve reqRealTimeBars."""
    request = values["reqId"]
    if session.has_line(_KIND, request):
        session.error(request, 322, "Error processing request.-'bO' : cause - Duplicate ticker id")
        return
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    problem = _problem(session, values, instrument)
    if problem is not None:
        session.error(request, *problem)
        return
    _stream(session, request, instrument, values["whatToShow"])


def _stream(session: Session, request: int, instrument: Instrument, what: str) -> None:
    clock = session.world.clock

    def beat() -> None:
        _send(session, request, instrument, what)

    def begin() -> None:
        session.open_line(_KIND, request, clock.every(_SECONDS, beat))
        beat()

    first = (math.floor(clock.now() / _SECONDS + 1e-6) + 1) * _SECONDS
    session.open_line(_KIND, request, clock.call_at(first, begin).cancel)


def _send(session: Session, request: int, instrument: Instrument, what: str) -> None:
    """Send the bar that ends now, if the market was open."""
    market, now = session.world.market, session.world.clock.now()
    if session.connection.crowded:
        return
    lot = 100 if instrument.is_stock and session.version < _SHARES_SINCE else 1
    for bar in shown(market, instrument, market.bars(instrument, now - _SECONDS, now, _SECONDS), what):
        prices = {"open": bar.open, "high": bar.high, "low": bar.low, "close": bar.close}
        volume = bar.volume // lot if bar.volume > 0 else bar.volume
        rest = {"volume": volume, "wap": str(round(bar.wap, 3)), "count": bar.count}
        session.send("realtimeBar", reqId=request, time=int(bar.start), **prices, **rest)


def cancel_real_time_bars(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelRealTimeBars, silently."""
    session.close_line(_KIND, values["reqId"])


HANDLERS: dict[str, Handler] = {
    "reqRealTimeBars": real_time_bars,
    "cancelRealTimeBars": cancel_real_time_bars,
}
