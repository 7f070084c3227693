"""Market depth: a book that moves, who offers it, and what the letters of exchanges mean."""

from __future__ import annotations

from typing import Any

from ._market import Tick
from ._market_book import Book, book_at, changes
from ._market_instrument import Instrument
from ._serve_contracts import instrument_for
from ._session import Handler, Session

__all__ = ["BBO_EXCHANGE", "HANDLERS", "reset_depth"]

BBO_EXCHANGE = "9c0001"
"""Stands for all exchanges of a US stock; reqSmartComponents says which."""

_KIND = "market depth"
_SMART_MAKERS = ("ISLAND", "ARCA", "BATS", "IEX", "EDGX", "NYSE", "DRCTEDGE", "BEX")
_LISTING_MAKERS = {"ISLAND": "NSDQ", "NASDAQ": "NSDQ", "ARCA": "ARCA"}
"""Venues whose rows name their maker."""
_NO_DEPTH = (10092, "Deep market data is not supported for this combination of security type/exchange")
_SMART_NOTICE = (
    "Exchanges - Depth: ISLAND; ARCA; BATS; IEX; EDGX; NYSE; DRCTEDGE; BEX; Top: BYX; AMEX; "
    "Need additional market data permissions - Depth: EDGEA; PSX; "
)
_RESET = "Market depth data has been RESET. Please empty deep book contents before applying any new entries."
_MOST_ROWS = 20
_SHARES_SINCE = 159  # MARKET_DATA_IN_SHARES: older clients get hundreds


class _Line:
    """The book of one subscription, as its client has it."""

    def __init__(self, session: Session, values: dict[str, Any], instrument: Instrument) -> None:
        self.session = session
        self.request = values["reqId"]
        self.instrument = instrument
        venue = str(values["contract"].get("exchange") or instrument.exchange).upper()
        self.smart = values["isSmartDepth"]
        self._rows = min(max(values["numRows"] or 1, 1), _MOST_ROWS)
        self._makers = _SMART_MAKERS if self.smart else (_LISTING_MAKERS.get(venue, ""),)
        self._lot = 100 if instrument.is_stock and session.version < _SHARES_SINCE else 1
        self._shown: Book = {}

    def show(self, tick: Tick) -> None:
        """Send what changed."""
        if self.session.connection.crowded:
            return
        book = book_at(self.instrument, tick, self._rows, self._makers)
        for change in changes(self._shown, book):
            row: dict[str, Any] = {"position": change.position, "operation": change.operation, "side": change.side}
            row |= {"price": change.level.price, "size": change.level.size // self._lot}
            if self._makers == ("",):
                self.session.send("updateMktDepth", reqId=self.request, **row)
            else:
                more = {"marketMaker": change.level.maker, "isSmartDepth": self.smart}
                self.session.send("updateMktDepthL2", reqId=self.request, **row, **more)
        self._shown = book

    def reset(self) -> None:
        """Have the client start again with an empty book."""
        self._shown = {}
        self.session.error(self.request, 317, _RESET)


def mkt_depth(session: Session, values: dict[str, Any]) -> None:
    """Serve reqMktDepth: the whole book as insertions, then what changes."""
    request = values["reqId"]
    if session.has_line(_KIND, request):
        session.error(request, 322, "Error processing request.-'bO' : cause - Duplicate ticker id")
        return
    instrument = instrument_for(session, request, values["contract"])
    if instrument is None:
        return
    smart_venue = str(values["contract"].get("exchange") or instrument.exchange).upper() == "SMART"
    if instrument.sec_type in {"IND", "BOND", "BAG"} or (smart_venue and not values["isSmartDepth"]):
        session.error(request, *_NO_DEPTH)
        return
    if instrument.rerouted is not None:
        session.send("rerouteMktDepthReq", reqId=request, conId=instrument.rerouted.con_id, exchange="SMART")
        return
    if instrument.series is None or not session.world.scenario.live_data:
        session.error(request, 354, f"Requested market data is not subscribed.{instrument.local_venue}/DEEP/ALL")
        return
    if values["isSmartDepth"]:
        session.error(request, 2152, _SMART_NOTICE)
    _open(session, _Line(session, values, instrument))


def _open(session: Session, line: _Line) -> None:
    world = session.world
    line.show(world.market.tick(line.instrument, world.clock.now()))
    ticker = world.ticker(line.instrument)
    key = (session, _KIND, line.request)
    world.books[key] = line.reset
    ticker.add(key, line.show)

    def stop() -> None:
        ticker.remove(key)
        del world.books[key]

    session.open_line(_KIND, line.request, stop)


def reset_depth(session: Session, request: int) -> bool:
    """Reset a book, as TWS does now and then (317); return whether there is such a book."""
    reset = session.world.books.get((session, _KIND, request))
    if reset is not None:
        reset()
    return reset is not None


def cancel_mkt_depth(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelMktDepth: silence, or error 310 when there is nothing to cancel."""
    if not session.close_line(_KIND, values["reqId"]):
        session.error(values["reqId"], 310, f"Can't find the subscribed market depth with tickerId:{values['reqId']}")


def mkt_depth_exchanges(session: Session, _: dict[str, Any]) -> None:
    """Answer reqMktDepthExchanges."""
    rows = [{"exchange": name, "secType": "STK", "serviceDataType": "Deep2"} for name in ("ISLAND", "ARCA")]
    rows += [{"exchange": name, "secType": "STK", "serviceDataType": "Deep"} for name in ("BATS", "IEX", "NYSE")]
    rows += [
        {"exchange": "CME", "secType": "FUT", "serviceDataType": "Deep"},
        {"exchange": "IDEALPRO", "secType": "CASH", "serviceDataType": "Deep"},
        {"exchange": "CBOE", "secType": "OPT", "serviceDataType": "Deep"},
        {"exchange": "PAXOS", "secType": "CRYPTO", "serviceDataType": "Deep"},
    ]
    full = [{"listingExch": "", **row} for row in rows]
    session.send("mktDepthExchanges", depthMktDataDescriptions=full)


def smart_components(session: Session, values: dict[str, Any]) -> None:
    """Answer reqSmartComponents: which exchange each bit and letter of a quote stands for, while one runs."""
    known = values["bboExchange"] == BBO_EXCHANGE and any(kind == "market data" for kind, _ in session.lines)
    names = _SMART_MAKERS if known else ()
    rows = [{"bitNumber": at, "exchange": name, "exchangeLetter": name[0]} for at, name in enumerate(names)]
    session.send("smartComponents", reqId=values["reqId"], smartComponents=rows)


HANDLERS: dict[str, Handler] = {
    "reqMktDepth": mkt_depth,
    "cancelMktDepth": cancel_mkt_depth,
    "reqMktDepthExchanges": mkt_depth_exchanges,
    "reqSmartComponents": smart_components,
}
