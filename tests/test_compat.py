"""The releases of ibapi behind one face: each form of a method, whichever of them is installed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi import server_versions
from ibapi.client import EClient
from ibapi.execution import ExecutionFilter

from trio_ibtws import InvalidRequest, UnsupportedRequest
from trio_ibtws._runtime import _compat

Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Give EClient a method of another release."""

    def put(name: str, method: Callable[..., None]) -> None:
        monkeypatch.setattr(EClient, name, method, raising=False)
        _compat.parameters.cache_clear()

    yield put
    monkeypatch.undo()
    _compat.parameters.cache_clear()


class OrderCancel:
    """As that of ibapi 10.30 and later, which not every release has."""

    def __init__(self, manualOrderCancelTime: str = "", extOperator: str = "") -> None:
        self.manualOrderCancelTime = manualOrderCancelTime
        self.extOperator = extOperator


@pytest.fixture
def with_order_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compat, "OrderCancel", OrderCancel)
    monkeypatch.setitem(_compat._FACTORIES, "orderCancel", OrderCancel)


@pytest.fixture
def without_order_cancel(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_compat, "OrderCancel", None)
    monkeypatch.delitem(_compat._FACTORIES, "orderCancel", raising=False)


# --- cancelOrder and its like ------------------------------------------------------------------------------------


def cancel_981(self: Any, orderId: int) -> None: ...
def cancel_1019(self: Any, orderId: int, manualCancelOrderTime: str) -> None: ...
def cancel_1030(self: Any, orderId: int, orderCancel: OrderCancel) -> None: ...
def global_981(self: Any) -> None: ...
def global_1030(self: Any, orderCancel: OrderCancel) -> None: ...


@pytest.mark.usefixtures("without_order_cancel")
def test_cancel_order_of_the_oldest_release(install: Install) -> None:
    install("cancelOrder", cancel_981)
    assert _compat.positional("cancelOrder", {"orderId": 5, "orderCancel": None}) == [5]
    with pytest.raises(UnsupportedRequest, match="no parameter 'orderCancel'"):
        _compat.positional("cancelOrder", {"orderId": 5, "orderCancel": SimpleNamespace(manualOrderCancelTime="now")})


@pytest.mark.usefixtures("without_order_cancel")
def test_cancel_order_with_a_time(install: Install) -> None:
    install("cancelOrder", cancel_1019)
    assert _compat.positional("cancelOrder", {"orderId": 5, "orderCancel": None}) == [5, ""]
    given = SimpleNamespace(manualOrderCancelTime="20240101-10:00:00")
    assert _compat.positional("cancelOrder", {"orderId": 5, "orderCancel": given}) == [5, "20240101-10:00:00"]


@pytest.mark.usefixtures("with_order_cancel")
def test_cancel_order_with_an_order_cancel(install: Install) -> None:
    install("cancelOrder", cancel_1030)
    given = OrderCancel("20240101-10:00:00")
    assert _compat.positional("cancelOrder", {"orderId": 5, "orderCancel": given}) == [5, given]
    order_id, made = _compat.positional("cancelOrder", {"orderId": 5, "orderCancel": None})
    assert (order_id, type(made)) == (5, OrderCancel)


@pytest.mark.usefixtures("with_order_cancel")
def test_global_cancel_of_both_forms(install: Install) -> None:
    install("reqGlobalCancel", global_981)
    assert _compat.positional("reqGlobalCancel", {"orderCancel": None}) == []
    assert _compat.positional("reqGlobalCancel", {"orderCancel": OrderCancel()}) == []  # says nothing
    with pytest.raises(UnsupportedRequest, match="orderCancel"):
        _compat.positional("reqGlobalCancel", {"orderCancel": OrderCancel("20240101-10:00:00")})
    install("reqGlobalCancel", global_1030)
    assert [type(made) for made in _compat.positional("reqGlobalCancel", {"orderCancel": None})] == [OrderCancel]


EXERCISE = {
    "reqId": 1,
    "contract": "contract",
    "exerciseAction": 1,
    "exerciseQuantity": 2,
    "account": "DU1",
    "override": 0,
    "manualOrderTime": "",
    "customerAccount": "",
    "professionalCustomer": False,
}


def exercise_981(self: Any, reqId: int, contract: Any, exerciseAction: int, exerciseQuantity: int, account: str,
                 override: int) -> None: ...  # fmt: skip


@pytest.mark.parametrize("name", ["manualOrderTime", "customerAccount", "professionalCustomer"])
def test_exercise_options_of_the_oldest_release(install: Install, name: str) -> None:
    install("exerciseOptions", exercise_981)
    assert _compat.positional("exerciseOptions", EXERCISE) == [1, "contract", 1, 2, "DU1", 0]
    with pytest.raises(UnsupportedRequest, match=f"no parameter '{name}' .*leave it out"):
        _compat.positional("exerciseOptions", EXERCISE | {name: "x"})


def exercise_other_order(self: Any, override: int, reqId: int, account: str, contract: Any) -> None: ...


def test_arguments_go_by_name_not_by_place(install: Install) -> None:
    install("exerciseOptions", exercise_other_order)
    given = {"reqId": 1, "contract": "c", "account": "a", "override": 9}
    assert _compat.positional("exerciseOptions", given) == [9, 1, "a", "c"]


# --- parameters that one side lacks ------------------------------------------------------------------------------


def wsh_1030(self: Any, reqId: int, wshEventData: Any, MIN_SERVER_VER_SYNT_REALTIME_BATS: Any) -> None: ...
def unknown_parameter(self: Any, reqId: int, colour: str) -> None: ...


def test_the_slip_of_the_pen_of_one_release(install: Install, monkeypatch: pytest.MonkeyPatch) -> None:
    install("reqWshEventData", wsh_1030)
    monkeypatch.setattr(server_versions, "MIN_SERVER_VER_SYNT_REALTIME_BATS", 101, raising=False)
    assert _compat.positional("reqWshEventData", {"reqId": 1, "wshEventData": "data"}) == [1, "data", 101]


def test_a_parameter_that_the_table_does_not_know(install: Install) -> None:
    install("reqThing", unknown_parameter)
    with pytest.raises(UnsupportedRequest, match="wants 'colour'"):
        _compat.positional("reqThing", {"reqId": 1})


def test_a_method_that_is_not_there_says_since_when_and_until_when() -> None:
    with pytest.raises(UnsupportedRequest, match=r"reqThing does not exist .* it needs ibapi 10\.19 or newer"):
        _compat.positional("reqThing", {}, since="10.19")
    with pytest.raises(UnsupportedRequest, match=r"ibapi 10\.46 was the last release that had it"):
        _compat.positional("reqThing", {}, since="9.81", until="10.46")
    with pytest.raises(UnsupportedRequest, match=r"no release that is known has it"):
        _compat.positional("reqThing", {})
    assert not _compat.has_method("reqThing")
    assert _compat.parameters("reqThing") == ()


def options(self: Any, reqId: int, mktDataOptions: list[Any], execFilter: Any) -> None: ...


def test_what_is_left_out_becomes_what_eclient_wants(install: Install) -> None:
    install("reqThing", options)
    values = _compat.positional("reqThing", {"reqId": 1, "mktDataOptions": None, "execFilter": None})
    assert values[:2] == [1, []]
    assert isinstance(values[2], ExecutionFilter)


def test_none_where_a_value_is_wanted_is_refused_by_name(install: Install) -> None:
    install("reqThing", options)
    with pytest.raises(InvalidRequest) as caught:
        _compat.positional("reqThing", {"reqId": None, "mktDataOptions": None, "execFilter": None})
    assert caught.value.field == "reqId"


@pytest.mark.parametrize("value", [None, "", 0, 0.0, False, []])
def test_leaving_out_a_default_loses_nothing(install: Install, value: Any) -> None:
    install("reqThing", lambda self: None)
    assert _compat.positional("reqThing", {"extra": value}) == []


@pytest.mark.parametrize("value", [1, "x", True, [0], 0.5])
def test_leaving_out_anything_else_would(install: Install, value: Any) -> None:
    install("reqThing", lambda self: None)
    with pytest.raises(UnsupportedRequest, match="'extra'"):
        _compat.positional("reqThing", {"extra": value})


def test_an_answer_that_the_release_cannot_decode() -> None:
    _compat.require_callback("reqCurrentTime", "currentTime")
    with pytest.raises(UnsupportedRequest, match=r"EWrapper\.somethingNew"):
        _compat.require_callback("reqThing", "somethingNew")


# --- the handshake -----------------------------------------------------------------------------------------------


@given(st.none() | st.integers(min_value=_compat.MIN_SERVER_VERSION, max_value=400), st.integers(157, 300))
def test_the_offer_never_ends_in_the_mixed_wire(maximum: int | None, spoken: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_compat, "MAX_CLIENT_VERSION", spoken)
        offered = _compat.offered_version(maximum)
    wanted = spoken if maximum is None else min(maximum, spoken)
    assert offered == (200 if 201 <= wanted <= 212 else wanted)


@pytest.mark.parametrize("maximum", [0, -1, 100, 156])
def test_an_offer_below_the_oldest_server_is_refused(maximum: int) -> None:
    with pytest.raises(InvalidRequest) as caught:
        _compat.offered_version(maximum)
    assert caught.value.field == "max_server_version"


def test_the_first_bytes_of_the_client() -> None:
    assert _compat.version_frame(157) == b"API\0\0\0\0\x09v100..157"
    assert _compat.MIN_CLIENT_VERSION == 100


# --- EWrapper.error ----------------------------------------------------------------------------------------------

ERROR_SHAPES = {
    "9.81": (("reqId", "errorCode", "errorString"), (5, 200, "no"), (5, 200, "no", None, "")),
    "10.19": (
        ("reqId", "errorCode", "errorString", "advancedOrderRejectJson"),
        (5, 201, "no", "{}"),
        (5, 201, "no", None, "{}"),
    ),
    "10.37": (
        ("reqId", "errorTime", "errorCode", "errorString", "advancedOrderRejectJson"),
        (5, 1700000000000, 201, "no", "{}"),
        (5, 201, "no", 1700000000000, "{}"),
    ),
}


def release_with(monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]) -> None:
    monkeypatch.setattr(_compat, "_ERROR_PARAMETERS", names)
    monkeypatch.setattr(_compat, "_TEXT", names.index("errorString"))


@pytest.mark.parametrize("shape", ERROR_SHAPES)
def test_error_of_any_release(monkeypatch: pytest.MonkeyPatch, shape: str) -> None:
    names, given, expected = ERROR_SHAPES[shape]
    release_with(monkeypatch, names)
    assert _compat.error_arguments(given) == expected


def test_error_without_its_last_parameters_and_without_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    names, given, _ = ERROR_SHAPES["10.37"]
    release_with(monkeypatch, names)
    assert _compat.error_arguments(given[:4]) == (5, 201, "no", 1700000000000, "")
    assert _compat.error_arguments((5, 0, 201, "no")) == (5, 201, "no", None, "")


def test_error_with_its_time_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    """As reqWshEventData of ibapi 10.37 reports it."""
    names, _, _ = ERROR_SHAPES["10.37"]
    release_with(monkeypatch, names)
    assert _compat.error_arguments((5, 17, 17, 503, "no")) == (5, 503, "no", 17, "")


def test_error_of_the_installed_release() -> None:
    names = _compat.callback_parameters("error")
    values = {"reqId": 5, "errorTime": 9, "errorCode": 201, "errorString": "no", "advancedOrderRejectJson": "{}"}
    about, code, message, time, reject = _compat.error_arguments(tuple(values[name] for name in names))
    assert (about, code, message) == (5, 201, "no")
    assert time == (9 if "errorTime" in names else None)
    assert reject == ("{}" if "advancedOrderRejectJson" in names else "")
