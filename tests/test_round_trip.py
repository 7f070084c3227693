"""Every row of the table: the arguments that go in come out of the frame, and the answer's values come out of the call.

The rows are the generated ones, the arguments are made from the parameters of the installed EClient, and the answers
are the sample frames of the callbacks that a row names. So a row that is added is tried without a line here.
"""

from __future__ import annotations

import inspect
from decimal import Decimal
from typing import Any

import pytest
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue
from ibapi.wrapper import EWrapper

from tests.read_back import LAYOUTS, arguments_of, message_type, table, text_arguments, twin
from tests.stock import Call, Ours, recorder, same, shown
from trio_ibtws import UnsupportedRequest
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION, ibapi_release
from trio_ibtws._runtime._request import Request

VERSIONS = [version for version in (157, 176, 226) if version <= MAX_CLIENT_VERSION]
ROWS = sorted(table())
REQUEST_ID = 1_500_000_007


# --- arguments ---------------------------------------------------------------------------------------------------


def contract() -> Contract:
    made = Contract()
    made.conId, made.symbol, made.secType, made.exchange, made.currency = 265598, "AAPL", "STK", "SMART", "USD"
    made.primaryExchange, made.localSymbol, made.tradingClass = "NASDAQ", "AAPL", "NMS"
    made.strike, made.right, made.multiplier = 310.5, "C", "100"
    made.lastTradeDateOrContractMonth = "20260826"
    return made


def order() -> Any:
    made: Any = Order()
    made.action, made.orderType, made.tif, made.account, made.orderRef = "BUY", "LMT", "GTC", "DU1", "ref"
    made.totalQuantity = Decimal(3) if VERSIONS[-1] > 157 else 3
    made.lmtPrice = 12.25
    return made


def exec_filter() -> ExecutionFilter:
    made = ExecutionFilter()
    made.clientId, made.acctCode, made.symbol, made.side = 3, "DU1", "AAPL", "BUY"
    return made


def scan() -> ScannerSubscription:
    made = ScannerSubscription()
    made.numberOfRows, made.instrument, made.locationCode, made.scanCode = 10, "STK", "STK.US.MAJOR", "HOT_BY_VOLUME"
    return made


def order_cancel() -> Any:
    try:
        from ibapi.order_cancel import OrderCancel
    except ModuleNotFoundError:  # before ibapi 10.30
        return None
    return OrderCancel()


def wsh_event_data() -> Any:
    from ibapi.common import WshEventData

    made = WshEventData()
    made.conId = 265598
    return made


NOUNS = {
    "contract": contract,
    "execFilter": exec_filter,
    "order": order,
    "orderCancel": order_cancel,
    "subscription": scan,
}
PLAIN = {
    "exerciseAction": 1,
    "exerciseQuantity": 2,
    "override": 1,
    "professionalCustomer": False,
    "customerAccount": "",
    "manualOrderTime": "",
}
"""Arguments whose type the annotations do not tell, or that only newer servers take."""


OTHER_LAYOUTS = ("reqContractDetails", "reqMktData", "reqScannerSubscription")
"""Requests whose text form here is not the recorded one: they are only compared with stock ibapi's."""


def argument(method: str, name: str) -> Any:
    """Return a value for one parameter; every number and text tells which it was."""
    if name in NOUNS:
        return NOUNS[name]()
    if name == "wshEventData":
        return wsh_event_data() if hasattr(EClient, "reqWshEventData") else None
    if name in PLAIN:
        return PLAIN[name]
    if name.endswith("Options"):
        return [TagValue("manual", "1")] if name == "chartOptions" else []
    if name.endswith("RequestProto"):
        return None if not hasattr(EClient, method) else message_type(method)()
    function = getattr(EClient, method, None)
    parameter = inspect.signature(function).parameters.get(name) if function else None
    kind = parameter.annotation if parameter is not None else str
    if name in ("useRTH", "useRth"):
        return True
    number = 1 + sum(map(ord, name)) % 90
    return {int: number, float: number + 0.25, bool: True}.get(kind, f"{name}{number}")


def arguments(row: Request[Any]) -> dict[str, Any]:
    """Return the arguments of a call, by the names of the newest release, the id left out."""
    given = {name: argument(row.method, name) for name in row.parameters if name != row.key or row.message}
    return given | {name: value for name, value in row.constants.items() if row.message is None}


# --- what stock ibapi does ---------------------------------------------------------------------------------------


class _Outbox:
    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, message: bytes) -> None:
        self.sent.append(message)


def stock_frame(method: str, given: dict[str, Any], version: int) -> tuple[list[bytes], list[Call]]:
    """Return what stock ibapi sends and reports for a call with these arguments, by its own parameter names."""
    told: list[Call] = []
    eclient, outbox = EClient(recorder(told)), _Outbox()
    eclient.conn, eclient.clientId, eclient.serverVersion_ = outbox, 0, version
    eclient.setConnState(EClient.CONNECTED)
    names = list(inspect.signature(getattr(EClient, method)).parameters)[1:]
    getattr(eclient, method)(*(_stock_argument(name, given) for name in names))
    return outbox.sent, told


def _stock_argument(name: str, given: dict[str, Any]) -> Any:
    if name.startswith("MIN_SERVER_VER"):
        from ibapi import server_versions

        return getattr(server_versions, name)
    return "" if name == "manualCancelOrderTime" else given[name]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ROWS)
def test_the_frame_is_what_stock_ibapi_sends(name: str, version: int) -> None:
    """To the byte; a row that the release or the server lacks names both and stock ibapi cannot send it either."""
    row = table()[name]
    given = arguments(row)
    by_id = row.message is not None or row.key in row.parameters
    frame, refusal = encoded(row, given, version, REQUEST_ID if by_id else None)
    if refusal:
        check_unsupported(row, given, version, refusal)
        return
    sent, told = stock_frame(row.method, complete(row, given, by_id), version)
    assert told == []
    assert [frame] == sent
    read_back(row, complete(row, given, by_id), frame, version)


def encoded(row: Request[Any], given: dict[str, Any], version: int, request_id: int | None) -> tuple[bytes, str]:
    """Return our frame, or why it is unsupported."""
    try:
        return bytes(Ours(version).bridge.encode(row, given, request_id)), ""
    except UnsupportedRequest as exc:
        return b"", str(exc)


def complete(row: Request[Any], given: dict[str, Any], by_id: bool) -> dict[str, Any]:
    """Return *given* with the request id where EClient has it."""
    if row.message is not None:
        message = given[row.parameters[0]]
        message.reqId = REQUEST_ID
        return {row.parameters[0]: message}
    return given | ({str(row.key): REQUEST_ID} if by_id else {})


def check_unsupported(row: Request[Any], given: dict[str, Any], version: int, message: str) -> None:
    """The installed release has no such method or callback, or reports 503 for this server itself."""
    assert row.method in message
    assert ibapi_release() in message
    if not hasattr(EClient, row.method):
        assert (row.until or row.since) in message
    elif row.needs is not None and not hasattr(EWrapper, row.needs):
        assert row.needs in message
    elif lacking(row, given):
        assert any(repr(name) in message for name in lacking(row, given))
    else:
        assert str(version) in message
        sent, told = stock_frame(row.method, complete(row, given, row.by_request_id), version)
        assert sent == []
        assert 503 in told[0][1]


def lacking(row: Request[Any], given: dict[str, Any]) -> list[str]:
    """Return the parameters that the installed EClient method does not have."""
    return [name for name in given if name not in inspect.signature(getattr(EClient, row.method)).parameters]


def read_back(row: Request[Any], given: dict[str, Any], frame: bytes, version: int) -> None:
    """The frame carries the arguments that went in."""
    if version < 213:
        fields = frame[4:].decode().split("\0")[:-1]
        assert str(REQUEST_ID) in fields or REQUEST_ID not in given.values()
        if row.method in LAYOUTS and row.method not in OTHER_LAYOUTS:
            carried = text_arguments(row.method, fields[1:])
            assert unlike({name: value for name, value in given.items() if name in carried}, carried) == []
        return
    message = message_type(row.method)()
    message.ParseFromString(frame[8:])
    assert unlike(given, arguments_of(row.method, message)) == []


def unlike(given: dict[str, Any], carried: dict[str, Any]) -> list[str]:
    """Return the arguments that did not come back; of objects, the attributes that were set."""
    differing = []
    for name, value in given.items():
        back = carried[name]
        if hasattr(value, "__dict__") and not hasattr(value, "DESCRIPTOR"):
            fresh = vars(type(value)())
            attributes = {key: item for key, item in vars(value).items() if not same(item, fresh.get(key))}
            differing += [f"{name}.{key}" for key, item in attributes.items() if getattr(back, key) != item]
        elif isinstance(value, list):
            pairs = [[(tag.tag, tag.value) for tag in tags] for tags in (value, back)]
            differing += [name] if pairs[0] != pairs[1] else []
        elif value is not None and value != back:
            differing.append(f"{name}: {shown(value)} came back as {shown(back)}")
    return differing


def test_every_method_that_speaks_protobuf_is_read_back() -> None:
    """Lest the table of names for reading back fall behind: each row's message has all parameters."""
    if VERSIONS[-1] < 213:
        return
    for row in table().values():
        if hasattr(EClient, row.method) and (row.message is not None or twin(row.method)):
            arguments_of(row.method, message_type(row.method)())
