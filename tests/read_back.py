"""The arguments that a frame of a client carries, read back from its protobuf message; the reverse of EClient."""

from __future__ import annotations

import inspect
import re
from functools import cache
from importlib import import_module
from typing import Any

from ibapi.client import EClient
from ibapi.contract import ComboLeg, Contract
from ibapi.execution import ExecutionFilter
from ibapi.message import OUT
from ibapi.scanner import ScannerSubscription
from ibapi.tag_value import TagValue

from trio_ibtws._gen import requests
from trio_ibtws._runtime._request import Request

try:
    from ibapi import decoder_utils
    from ibapi.common import WshEventData
    from ibapi.order_cancel import OrderCancel
except ImportError:  # only releases with protobuf have all of them, and only those are read back from it
    pass

FIELDS = {
    "allMsgs": "allMessages",
    "bAutoBind": "autoBind",
    "chartOptions": "chartOptions",
    "cxml": "xml",
    "durationStr": "duration",
    "faData": "faDataType",
    "groupName": "group",
    "implVolOptions": "impliedVolatilityOptions",
    "miscOptions": "miscOptions",
    "mktDataOptions": "marketDataOptions",
    "mktDepthOptions": "marketDepthOptions",
    "modelCode": "modelCode",
    "optPrcOptions": "optionPriceOptions",
    "regulatorySnapshot": "regulatorySnapshot",
}
"""Parameters of EClient whose field in the protobuf message has another name."""


@cache
def twin(method: str) -> str | None:
    """Return the name of the protobuf twin that a method of the installed EClient leaves the rest to."""
    called = re.findall(r"self\.(\w+ProtoBuf)\(", inspect.getsource(getattr(EClient, method)))
    twins = [name for name in called if name not in ("useProtoBuf", "sendMsgProtoBuf")]
    return twins[0] if twins else None


@cache
def message_type(method: str) -> Any:
    """Return the protobuf message that *method* sends."""
    name = method if method.endswith("ProtoBuf") else twin(method)
    assert name is not None, f"{method} has no protobuf twin"
    parameter = list(inspect.signature(getattr(EClient, name)).parameters.values())[1]
    if hasattr(parameter.annotation, "DESCRIPTOR"):
        return parameter.annotation
    message = parameter.name.removesuffix("Proto")
    message = message[0].upper() + message[1:]
    return getattr(import_module(f"ibapi.protobuf.{message}_pb2"), message)


@cache
def methods_by_id() -> dict[int, str]:
    """Return the request method of the installed EClient for each outgoing message id."""
    found = {}
    for name, function in vars(EClient).items():
        if inspect.isfunction(function) and not name.endswith("ProtoBuf"):
            sources = [inspect.getsource(function)]
            if "ProtoBuf(" in sources[0] and twin(name):
                sources.append(inspect.getsource(getattr(EClient, str(twin(name)))))
            for out in re.findall(r"sendMsg(?:ProtoBuf)?\(OUT\.(\w+)|make_field\(OUT\.(\w+)\)", "".join(sources)):
                found[int(getattr(OUT, out[0] or out[1]))] = name
    for name in ("reqConfigProtoBuf", "updateConfigProtoBuf"):
        if hasattr(EClient, name):
            found[108 if name == "reqConfigProtoBuf" else 109] = name
    return found


def arguments_of(method: str, message: Any) -> dict[str, Any]:
    """Return the arguments of *method* that *message* carries, by the installed EClient's names."""
    if method.endswith("ProtoBuf"):
        return {next(iter(list(inspect.signature(getattr(EClient, method)).parameters)[1:])): message}
    names = list(inspect.signature(getattr(EClient, method)).parameters)[1:]
    return {name: _argument(method, name, message) for name in names}


def _argument(method: str, name: str, message: Any) -> Any:
    if name == "contract":
        contract = decoder_utils.decodeContract(message.contract)
        contract.includeExpired = message.contract.includeExpired
        return contract
    if name == "order":
        return _order(message)
    if name == "execFilter":
        return _noun(ExecutionFilter(), message.executionFilter)
    if name == "orderCancel":
        return _noun(OrderCancel(), message.orderCancel)
    if name == "subscription":
        return _noun(ScannerSubscription(), message.scannerSubscription)
    if name == "wshEventData":
        return _noun(WshEventData(), message)
    if name.startswith("scannerSubscription"):
        return _tags(getattr(message.scannerSubscription, name))
    if name.endswith("Options"):
        return _tags(getattr(message, FIELDS.get(name, name)))
    return getattr(message, _field(message, name))


def _field(message: Any, name: str) -> str:
    names = [field.name for field in message.DESCRIPTOR.fields]
    if name in ("reqId", "tickerId", "orderId"):
        return next(each for each in ("reqId", "orderId") if each in names)
    wanted = FIELDS.get(name, name)
    return next((each for each in names if each.lower() == wanted.lower()), wanted)


def _tags(given: Any) -> list[TagValue]:
    return [TagValue(tag, value) for tag, value in given.items()]


def _noun(noun: Any, message: Any) -> Any:
    """Copy the fields that *message* has to the attributes of the same name."""
    for field, value in message.ListFields():
        if hasattr(noun, field.name):
            setattr(noun, field.name, value if isinstance(value, (str, int, float)) else list(value))
    return noun


def _order(message: Any) -> Any:
    """Return the order of a PlaceOrderRequest, its attached orders included."""
    order = decoder_utils.decodeOrder(message.orderId, message.contract, message.order)
    order.transmit = message.order.transmit  # absent is False, while a new Order has True
    if message.HasField("attachedOrders"):
        _noun(order, message.attachedOrders)
    return order


# --- the rows of the table ---------------------------------------------------------------------------------------


@cache
def table() -> dict[str, Request[Any]]:
    """Return every generated row by the name of its constant."""
    found = {}
    for family in requests.Requests.__mro__:
        module = import_module(family.__module__)
        found.update({name: value for name, value in vars(module).items() if isinstance(value, Request)})
    return found


def row_for(method: str, arguments: dict[str, Any]) -> Request[Any] | None:
    """Return the row that makes this call: that method, and flags that say the same."""
    for row in table().values():
        if row.method == method and all(arguments.get(name) == value for name, value in row.constants.items()):
            return row
    return None


# --- text --------------------------------------------------------------------------------------------------------

_CONTRACT = (
    *("conId", "symbol", "secType", "lastTradeDateOrContractMonth", "strike", "right", "multiplier"),
    *("exchange", "primaryExchange", "currency", "localSymbol", "tradingClass"),
)

LAYOUTS = {
    "calculateImpliedVolatility": "version reqId contract optionPrice underPrice implVolOptions",
    "calculateOptionPrice": "version reqId contract volatility underPrice optPrcOptions",
    "cancelPnL": "reqId",
    "cancelPnLSingle": "reqId",
    "cancelScannerSubscription": "version reqId",
    "queryDisplayGroups": "version reqId",
    "reqAccountSummary": "version reqId groupName tags",
    "reqAccountUpdatesMulti": "version reqId account modelCode ledgerAndNLV",
    "reqAllOpenOrders": "version",
    "reqContractDetails": "version reqId contract contract.includeExpired contract.secIdType contract.secId "
    "contract.issuerId",
    "reqCurrentTime": "version",
    "reqCurrentTimeInMillis": "",
    "reqFamilyCodes": "",
    "reqHistogramData": "tickerId contract contract.includeExpired useRTH timePeriod",
    "reqHistoricalNews": "reqId conId providerCodes startDateTime endDateTime totalResults historicalNewsOptions",
    "reqHistoricalTicks": "reqId contract contract.includeExpired startDateTime endDateTime numberOfTicks whatToShow "
    "useRth ignoreSize miscOptions",
    "reqManagedAccts": "version",
    "reqMarketRule": "marketRuleId",
    "reqMatchingSymbols": "reqId pattern",
    "reqMktData": "version reqId contract legs nothing genericTickList snapshot regulatorySnapshot mktDataOptions",
    "reqMktDepthExchanges": "",
    "reqNewsArticle": "reqId providerCode articleId newsArticleOptions",
    "reqNewsProviders": "",
    "reqPnL": "reqId account modelCode",
    "reqPnLSingle": "reqId account modelCode conid",
    "reqPositions": "version",
    "reqScannerParameters": "version",
    "reqScannerSubscription": "reqId subscription",
    "reqSecDefOptParams": "reqId underlyingSymbol futFopExchange underlyingSecType underlyingConId",
    "reqSmartComponents": "reqId bboExchange",
    "reqSoftDollarTiers": "reqId",
    "reqTickByTickData": "reqId contract tickType numberOfTicks ignoreSize",
    "reqUserInfo": "reqId",
    "startApi": "version nothing nothing",
    "subscribeToGroupEvents": "version reqId groupId",
}
"""What stands in the text form of the requests that were recorded, after the message id."""


def text_arguments(method: str, fields: list[str]) -> dict[str, Any]:
    """Return the arguments of *method* that the *fields* of a text message carry, the message id left out."""
    left = list(fields)
    given: dict[str, Any] = {}
    for name in LAYOUTS[method].split():
        if name == "contract":
            given[name] = _filled(Contract(), list(_CONTRACT), left)
        elif name.startswith("contract."):
            _filled(given["contract"], [name.removeprefix("contract.")], left)
        elif name == "legs":
            given["contract"].comboLegs = [
                _filled(ComboLeg(), ["conId", "ratio", "action", "exchange"], left) for _ in range(int(left.pop(0)))
            ]
        elif name == "subscription":
            given.update(_scanner(left))
        elif name in ("version", "nothing"):
            left.pop(0)
        else:
            given[name] = _value(method, name, left.pop(0))
    assert not any(left), f"{method}: {left} was not read"
    return given


def _filled(noun: Any, names: list[str], left: list[str]) -> Any:
    """Take a field for each attribute; an empty one leaves what a new object has."""
    for name in names:
        field = left.pop(0)
        if field:
            setattr(noun, name, _like(getattr(noun, name), field))
    return noun


def _like(default: Any, field: str) -> Any:
    if isinstance(default, bool):
        return field == "1"
    return _number(field) if isinstance(default, (int, float)) else field


def _number(field: str) -> float:
    """A whole number is sent without a point only where the caller gave an int."""
    return float(field) if "." in field else int(field)


def _scanner(left: list[str]) -> dict[str, Any]:
    subscription = _filled(ScannerSubscription(), ["numberOfRows", "instrument", "locationCode", "scanCode"], left)
    assert not any(left), "only the first four are read"
    left.clear()
    return {
        "subscription": subscription,
        "scannerSubscriptionOptions": [],
        "scannerSubscriptionFilterOptions": [],
    }


def _value(method: str, name: str, field: str) -> Any:
    if name.endswith("Options"):
        return []
    annotation = inspect.signature(getattr(EClient, method)).parameters[name].annotation
    if annotation is bool:
        return field == "1"
    return _number(field) if annotation in (int, float) else field
