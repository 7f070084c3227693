"""Market scanners: what can be scanned for, and the stocks of the simulation in the order that a scan puts them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ._market_instrument import Instrument
from ._session import Handler, Session

__all__ = ["HANDLERS"]

_KIND = "scanner"
_EVERY = 30.0  # seconds between two results
_MOST_ROWS = 50
_SERVICE = "Historical Market Data Service error message:"
_DUPLICATE = "Error processing request.-'co' : cause - Duplicate ticker ID for API scanner subscription"
_LOCATIONS = ("STK.US", "STK.US.MAJOR", "STK.NASDAQ", "STK.NYSE")


def _change(session: Session, stock: Instrument) -> float:
    market, now = session.world.market, session.world.clock.now()
    return market.tick(stock, now).last / market.previous_close(stock, now) - 1.0


def _volume(session: Session, stock: Instrument) -> float:
    return float(session.world.market.tick(stock, session.world.clock.now()).day.volume)


_SCANS: dict[str, tuple[str, Callable[[Session, Instrument], float]]] = {
    "TOP_PERC_GAIN": ("Top % Gainers", _change),
    "TOP_PERC_LOSE": ("Top % Losers", lambda session, stock: -_change(session, stock)),
    "MOST_ACTIVE": ("Most Active", _volume),
    "HOT_BY_VOLUME": ("Hot Contracts by Volume", _volume),
}


def parameters(session: Session, _: dict[str, Any]) -> None:
    """Serve reqScannerParameters."""
    scans = "".join(
        f"<ScanType><displayName>{name.replace('%', 'percent')}</displayName><scanCode>{code}</scanCode>"
        "<instruments>STK</instruments></ScanType>"
        for code, (name, _) in _SCANS.items()
    )
    places = "".join(f"<Location><locationCode>{code}</locationCode></Location>" for code in _LOCATIONS)
    xml = (
        '<?xml version="1.0" encoding="UTF-8"?>\n<ScanParameterResponse><InstrumentList varName="instrumentList">'
        "<Instrument><name>US Stocks</name><type>STK</type></Instrument></InstrumentList>"
        f'<LocationTree varName="locationTree">{places}</LocationTree>'
        f'<ScanTypeList varName="scanTypeList">{scans}</ScanTypeList></ScanParameterResponse>'
    )
    session.send("scannerParameters", xml=xml)


def _fits(session: Session, values: dict[str, Any], stock: Instrument) -> bool:
    price = session.world.market.tick(stock, session.world.clock.now()).last
    above, below, volume = values["abovePrice"], values["belowPrice"], values["aboveVolume"]
    place = values["locationCode"].rpartition(".")[2]
    return (
        (place in {"US", "MAJOR"} or stock.primary_exchange == place)
        and (not above or price > above)
        and (not below or price < below)
        and (not volume or _volume(session, stock) > volume)
    )


def subscription(session: Session, values: dict[str, Any]) -> None:
    """Serve reqScannerSubscription: the result now, and every half minute."""
    request, code = values["reqId"], values["scanCode"]
    if session.has_line(_KIND, request):
        session.error(request, 322, _DUPLICATE)
        return
    if code not in _SCANS:
        session.error(request, 162, f"{_SERVICE}Scanner type with code {code} is disabled")
        return

    def send() -> None:
        _send(session, values)

    session.open_line(_KIND, request, session.world.clock.every(_EVERY, send))
    send()


def _send(session: Session, values: dict[str, Any]) -> None:
    _, measure = _SCANS[values["scanCode"]]
    stocks = []
    if values["instrument"] == "STK" and values["locationCode"] in _LOCATIONS:
        listed = session.world.contracts.listed
        stocks = [each for each in listed if each.is_stock and each.series is not None and each.currency == "USD"]
    found = sorted((each for each in stocks if _fits(session, values, each)), key=lambda each: -measure(session, each))
    if not found:
        session.error(values["reqId"], 165, "Historical Market Data Service query message:no items retrieved")
    wanted = values["numberOfRows"]
    rows = [_row(rank, each) for rank, each in enumerate(found)]
    session.send("scannerData", reqId=values["reqId"], elements=rows[: wanted if wanted and wanted > 0 else _MOST_ROWS])


def _row(rank: int, stock: Instrument) -> dict[str, Any]:
    return {"rank": rank, "contract": stock.contract(), "marketName": stock.trading_class}


def cancel(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelScannerSubscription, which is confirmed by an error."""
    request = values["reqId"]
    if session.close_line(_KIND, request):
        session.error(request, 162, f"{_SERVICE}API scanner subscription cancelled: {request}")
    else:
        session.error(request, 365, f"No scanner subscription found for ticker id:{request}")


HANDLERS: dict[str, Handler] = {
    "reqScannerParameters": parameters,
    "reqScannerSubscription": subscription,
    "cancelScannerSubscription": cancel,
}
