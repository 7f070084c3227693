"""The facts about the installed ibapi that the bridge relies on, so that a release that breaks one says which.

Read from the source of ``ibapi.client`` where a fact is about every method, tried on the objects where it is a shape.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from ibapi import client, comm, server_versions
from ibapi.client import EClient
from ibapi.decoder import Decoder
from ibapi.wrapper import EWrapper

from generator.spec import IGNORED_METHODS
from tests.stock import recorder
from trio_ibtws._runtime._framing import MAX_FRAME
from trio_ibtws._runtime._values import UNSET_DECIMAL, UNSET_DOUBLE, UNSET_INTEGERS

const: Any = import_module("ibapi.const" if find_spec("ibapi.const") else "ibapi.common")  # const from ibapi 10.30 on
DECODER: Any = Decoder  # its signatures differ between releases
COMM: Any = comm

SENDS = ("sendMsg", "sendMsgProtoBuf")
NO_REQUESTS = set(IGNORED_METHODS) - {
    "startApi",
    "verifyAndAuthMessage",
    "verifyAndAuthRequest",
    "verifyMessage",
    "verifyRequest",
}
"""EClient methods that make no frame: the connection, and helpers of other methods."""

# --- request methods, read from their source ---------------------------------------------------------------------


@cache
def methods() -> dict[str, ast.FunctionDef]:
    """Return the source of every request method of EClient."""
    tree = ast.parse(inspect.getsource(client))
    eclient = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "EClient")
    return {
        node.name: node
        for node in eclient.body
        if isinstance(node, ast.FunctionDef)
        and not node.name.startswith("_")
        and node.name not in NO_REQUESTS
        and node.name not in (*SENDS, "useProtoBuf")
    }


def call_of(statement: ast.stmt) -> str:
    """Return what a statement that is one call calls: ``self.sendMsg``, ``self.wrapper.error``."""
    call = statement.value if isinstance(statement, (ast.Expr, ast.Return)) else None
    return ast.unparse(call.func) if isinstance(call, ast.Call) else ""


def blocks(node: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield every list of statements in *node*."""
    for each in ast.walk(node):
        for field in ("body", "orelse", "finalbody"):
            block = getattr(each, field, None)
            if isinstance(block, list):
                yield block


def is_send(statement: ast.stmt) -> bool:
    return call_of(statement).removeprefix("self.") in SENDS


def is_twin(statement: ast.stmt) -> bool:
    """Whether the method leaves the rest to its protobuf twin."""
    return call_of(statement).startswith("self.") and call_of(statement).endswith("ProtoBuf")


def test_there_are_request_methods() -> None:
    assert len(methods()) > 70


def test_each_request_method_sends_in_one_place() -> None:
    """Or leaves it to its protobuf twin alone, where the message has no text form."""
    places = {
        name: sum(is_send(node) for node in ast.walk(method) if isinstance(node, ast.stmt))
        or sum(is_twin(node) for node in ast.walk(method) if isinstance(node, ast.stmt))
        for name, method in methods().items()
    }
    assert {name: count for name, count in places.items() if count != 1} == {}


def test_it_sends_outside_of_loops() -> None:
    loops = [
        name
        for name, method in methods().items()
        for node in ast.walk(method)
        if isinstance(node, (ast.For, ast.While)) and any(is_send(each) for block in blocks(node) for each in block)
    ]
    assert loops == []


def test_sending_is_the_last_act() -> None:
    """Nothing follows the send, in its own block or in the blocks around it, so nothing can be reported after it."""
    followed = [
        name
        for name, method in methods().items()
        for block in blocks(method)
        for statement in block[:-1]
        if any(is_send(node) for node in ast.walk(statement) if isinstance(node, ast.stmt))
    ]
    assert followed == []


def test_a_reported_error_is_followed_by_return() -> None:
    """So that a method which reports an error does not send; no handler of a ``try`` sends either."""
    wrong = []
    for name, method in methods().items():
        for block in blocks(method):
            for position, statement in enumerate(block):
                reports = call_of(statement) == "self.wrapper.error"
                if reports and not isinstance(block[position + 1 : position + 2][0], ast.Return):
                    wrong.append(name)
        handlers = [node for node in ast.walk(method) if isinstance(node, ast.ExceptHandler)]
        wrong += [name for handler in handlers if any(is_send(each) for each in handler.body)]
    assert wrong == []


def test_the_protobuf_twin_takes_over_completely() -> None:
    """A method that calls its twin returns at once, or ends there."""
    wrong = [
        name
        for name, method in methods().items()
        for block in blocks(method)
        for position, statement in enumerate(block)
        if is_twin(statement) and any(not isinstance(after, ast.Return) for after in block[position + 1 :][:1])
    ]
    assert wrong == []


# --- the parts in use --------------------------------------------------------------------------------------------


class Outbox:
    """What the bridge puts in the place of ibapi's connection."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, message: bytes) -> None:
        self.sent.append(message)


def connected(version: int = 157) -> tuple[EClient, Outbox, list[Any]]:
    """Return an EClient that believes itself connected, what it sends, and what its wrapper is told."""
    told: list[Any] = []
    eclient, outbox = EClient(recorder(told)), Outbox()
    eclient.conn, eclient.clientId, eclient.serverVersion_ = outbox, 7, version
    eclient.connTime = "20231021 13:28:15 EST"
    eclient.setConnState(EClient.CONNECTED)
    return eclient, outbox, told


def test_a_client_without_a_socket_sends_through_its_conn() -> None:
    eclient, outbox, told = connected()
    eclient.reqCurrentTime()
    eclient.startApi()
    assert outbox.sent == [b"\0\0\0\x05" + b"49\x001\0", b"\0\0\0\x08" + b"71\x002\x007\0\0"]
    assert told == []


def test_the_attributes_that_the_bridge_sets_exist() -> None:
    eclient = EClient(EWrapper())
    for name in ("conn", "clientId", "serverVersion_", "connTime"):
        assert hasattr(eclient, name), name
    assert isinstance(EClient.CONNECTED, int)
    eclient, _, _ = connected(160)
    assert eclient.serverVersion() == 160
    assert eclient.twsConnectionTime() == "20231021 13:28:15 EST"
    assert eclient.isConnected()


def test_an_unconnected_client_reports_and_sends_nothing() -> None:
    told: list[Any] = []
    eclient = EClient(recorder(told))
    eclient.serverVersion_ = 157
    eclient.reqCurrentTime()
    assert [name for name, _ in told] == ["error"]


def test_a_server_that_is_too_old_is_reported_as_503() -> None:
    eclient, outbox, told = connected(100)
    eclient.reqMarketRule(26)
    (name, arguments), *more = told
    assert (name, 503 in arguments, more, outbox.sent) == ("error", True, [], [])


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def test_the_decoder_takes_wrapper_and_version() -> None:
    decoder = Decoder(EWrapper(), 157)
    assert decoder.wrapper.__class__ is EWrapper
    decoder.serverVersion = 160
    assert parameters(Decoder.interpret) in (["self", "fields"], ["self", "fields", "msgId"])
    assert parameters(Decoder.interpretWithSignature) == ["self", "fields", "handleInfo"]


def test_the_decoders_tables() -> None:
    for message_id, info in DECODER.msgId2handleInfo.items():
        assert isinstance(int(message_id), int)
        assert (info.wrapperMeth is None) != (info.processMeth is None)
        if info.wrapperMeth is not None:
            assert next(iter(info.wrapperParams)) == "self"
            assert len(info.wrapperParams) == len(inspect.signature(info.wrapperMeth).parameters)
            assert hasattr(EWrapper, info.wrapperMeth.__name__)


def test_protobuf_comes_with_its_table() -> None:
    """Both or neither: the id is apart from the fields, and protobuf bodies have a table and a method."""
    has_table = hasattr(Decoder, "msgId2handleInfoProtoBuf")
    assert has_table == ("msgId" in parameters(Decoder.interpret)) == (server_versions.MAX_CLIENT_VER >= 201)
    if has_table:
        assert parameters(Decoder.processProtoBuf) == ["self", "protoBuf", "msgId"]
        assert all(info.processMeth is not None for info in Decoder.msgId2handleInfoProtoBuf.values())


def test_fields_are_counted_with_the_version_and_the_id() -> None:
    """A message decoded by signature has a version field, and before ibapi 10.37 the id in front of it."""
    told: list[Any] = []
    decoder = DECODER(recorder(told), 157)
    if "msgId" in parameters(Decoder.interpret):
        decoder.interpret((b"1", b"1700000000"), 49)
    else:
        decoder.interpret((b"49", b"1", b"1700000000"))
    assert told == [("currentTime", (1_700_000_000,))]


def test_frames() -> None:
    assert const.MAX_MSG_LEN == MAX_FRAME
    assert comm.read_fields(b"a\0\0b\0") == (b"a", b"", b"b")
    assert server_versions.MIN_CLIENT_VER == 100
    assert server_versions.MAX_CLIENT_VER >= 157


def test_the_version_frame() -> None:
    make = getattr(COMM, "make_initial_msg", None) or COMM.make_msg
    assert bytes(make("v100..157")) == b"\0\0\0\x09v100..157"


def test_what_is_unset() -> None:
    """The numbers that stand for unset values are those that ours are compared with."""
    assert const.UNSET_DOUBLE == UNSET_DOUBLE
    assert const.UNSET_INTEGER in UNSET_INTEGERS
    assert getattr(const, "UNSET_LONG", 2**63 - 1) in UNSET_INTEGERS
    assert getattr(const, "UNSET_DECIMAL", UNSET_DECIMAL) == UNSET_DECIMAL


# --- callbacks whose shape differs between releases --------------------------------------------------------------


def test_error() -> None:
    names = parameters(EWrapper.error)[1:]
    shapes = (
        ["reqId", "errorCode", "errorString"],
        ["reqId", "errorCode", "errorString", "advancedOrderRejectJson"],
        ["reqId", "errorTime", "errorCode", "errorString", "advancedOrderRejectJson"],
    )
    assert names in shapes


def test_order_bound_is_perm_id_client_id_order_id() -> None:
    shapes = (["reqId", "apiClientId", "apiOrderId"], ["permId", "clientId", "orderId"])
    assert parameters(EWrapper.orderBound)[1:] in shapes


def test_cancel_order_and_global_cancel() -> None:
    assert parameters(EClient.cancelOrder)[1:] in (
        ["orderId"],
        ["orderId", "manualCancelOrderTime"],
        ["orderId", "orderCancel"],
    )
    assert parameters(EClient.reqGlobalCancel)[1:] in ([], ["orderCancel"])


def test_the_commission_report_has_one_of_two_names() -> None:
    old, new = hasattr(EWrapper, "commissionReport"), hasattr(EWrapper, "commissionAndFeesReport")
    assert old != new
    name, fees = ("CommissionReport", "commission") if old else ("CommissionAndFeesReport", "commissionAndFees")
    module = "ibapi." + re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()
    report = getattr(import_module(module), name)()
    assert set(vars(report)) == {
        "execId",
        fees,
        "currency",
        "realizedPNL",
        "yield_",
        "yieldRedemptionDate",
    }


def test_order_status_has_the_same_parameters_everywhere() -> None:
    names = "orderId status filled remaining avgFillPrice permId parentId lastFillPrice clientId whyHeld mktCapPrice"
    assert parameters(EWrapper.orderStatus)[1:] == names.split()


@pytest.mark.parametrize("name", ["openOrder", "execDetails", "nextValidId", "managedAccounts"])
def test_callbacks_that_are_written_by_hand(name: str) -> None:
    shapes = {
        "openOrder": ["orderId", "contract", "order", "orderState"],
        "execDetails": ["reqId", "contract", "execution"],
        "nextValidId": ["orderId"],
        "managedAccounts": ["accountsList"],
    }
    assert parameters(getattr(EWrapper, name))[1:] == shapes[name]
