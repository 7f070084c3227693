"""A ``Session`` without a network, for tests of what does no I/O: bytes in by hand, frames out as a list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from importlib import import_module
from typing import Any

from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.scanner import ScannerSubscription

from tests.peer import NEWEST, TEXT, protobuf, text
from trio_ibtws import CodeRule, Request, _gen
from trio_ibtws._gen.wrapper import Wrapper
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._session import Session, Settings

VERSIONS = sorted({version for version in (157, 176, 200, NEWEST) if version <= NEWEST and not 201 <= version <= 212})
"""The server versions to try with the installed ibapi: all text, and all protobuf where it speaks that."""

CLIENT_ID = 7


class Clock:
    """Time that stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def sent(session: Session) -> list[bytes]:
    """Take all frames out of the outbox, as the writer does; return them without their lengths."""
    taken = []
    while (entry := session.outbox.take()) is not None:
        taken.append(entry.data[4:])
    return taken


def feed(session: Session, *frames: bytes) -> None:
    """Deliver whole frames."""
    for data in frames:
        session.receive_data(data)
        while session.next_frame():
            pass


def new_session(
    version: int = TEXT,
    *,
    codes: Mapping[int, CodeRule] | None = None,
    trading: bool = True,
    clock: Clock | None = None,
) -> Session:
    """Return a session that has sent its hello and nothing else."""
    settings = Settings(client_id=CLIENT_ID, maximum=version, codes=codes or {}, trading=trading)
    return Session(settings, Wrapper, now=clock or Clock(), wake_writer=lambda: None, wake_clock=lambda: None)


def shaken_session(version: int = TEXT, **options: Any) -> Session:
    """Return a session after the handshake, its outbox empty."""
    session = new_session(version, **options)
    feed(session, frame(b"%d\0" % version + b"20231021 13:28:15 EST\0"))
    sent(session)
    return session


def ready_session(version: int = TEXT, *, order_id: int = 1, **options: Any) -> Session:
    """Return a session after the start-up."""
    session = shaken_session(version, **options)
    if version >= 213:
        feed(session, protobuf(15, "ManagedAccounts", accountsList="DU1"), protobuf(9, "NextValidId", orderId=order_id))
    else:
        feed(session, text(15, 1, "DU1", version=version), text(9, 1, order_id, version=version))
    assert session.ready
    return session


# --- one of every request ----------------------------------------------------------------------------------------


def requests() -> Iterator[tuple[str, Request[Any]]]:
    """Every row of the generated table, by the name of its constant."""
    for module in pkgutil.iter_modules(_gen.__path__):
        if module.name.startswith("requests_"):
            for name, value in vars(importlib.import_module(f"{_gen.__name__}.{module.name}")).items():
                if isinstance(value, Request):
                    yield name, value


def contract() -> Contract:
    stock = Contract()
    stock.symbol, stock.secType, stock.exchange, stock.currency = "AAPL", "STK", "SMART", "USD"
    return stock


def order(**attributes: Any) -> Order:
    """Return a market order for one share."""
    made = Order()
    made.action, made.orderType, made.totalQuantity = "BUY", "MKT", Decimal(1)
    # Old releases have these in their defaults, and newer servers refuse them.
    for name in ("eTradeOnly", "firmQuoteOnly"):
        setattr(made, name, False)
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


TEXTS = {
    "account": "DU1",
    "acctCode": "DU1",
    "articleId": "A$1",
    "barSizeSetting": "1 day",
    "bboExchange": "a6",
    "contractInfo": "265598@SMART",
    "customerAccount": "",
    "cxml": "<xml/>",
    "durationStr": "1 D",
    "endDateTime": "",
    "futFopExchange": "",
    "genericTickList": "",
    "groupName": "All",
    "manualOrderTime": "",
    "modelCode": "",
    "pattern": "IB",
    "providerCode": "BRFG",
    "providerCodes": "BRFG",
    "reportType": "ReportSnapshot",
    "startDateTime": "20240101-00:00:00",
    "tags": "NetLiquidation",
    "tickType": "Last",
    "timePeriod": "3 days",
    "underlyingSecType": "STK",
    "underlyingSymbol": "IBM",
    "whatToShow": "TRADES",
}
"""The parameters that are text, with a value that TWS would take."""

_OBJECTS: dict[str, Callable[[], Any]] = {"contract": contract, "order": order, "subscription": ScannerSubscription}
_NONE = {"execFilter", "orderCancel", "configRequestProto", "updateConfigRequestProto"}


def _value(name: str) -> Any:
    if name in TEXTS:
        return TEXTS[name]
    if name in _OBJECTS:
        return _OBJECTS[name]()
    if name in _NONE or name.endswith("Options"):
        return None
    if name == "wshEventData":
        return getattr(import_module("ibapi.common"), "WshEventData", object)()
    flags = ("isSmartDepth", "allMsgs", "ledgerAndNLV", "apiOnly", "bAutoBind", "ignoreSize", "professionalCustomer")
    return False if name in flags else 1


def arguments(request: Request[Any]) -> dict[str, Any]:
    """Return an argument for every parameter but the request id."""
    given = {name: _value(name) for name in request.parameters if name not in (request.key, *request.constants)}
    return given | dict(request.constants)
