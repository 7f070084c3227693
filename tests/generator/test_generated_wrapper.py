"""The generated wrapper under the installed ibapi: every callback says one thing to the router."""

from __future__ import annotations

import inspect
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from ibapi.common import SmartComponent
from ibapi.wrapper import EWrapper

from generator.releases import load
from generator.resolve import resolve
from generator.spec import TABLE
from trio_ibtws._gen import events
from trio_ibtws._gen.wrapper import Wrapper

CALLBACKS = {callback.name: callback for callback in resolve(TABLE, load()).callbacks}

HERE = sorted(set(CALLBACKS) & set(vars(EWrapper)))

UNSET_DOUBLE = 1.7976931348623157e308
UNSET_INTEGER = 2**31 - 1


class Said:
    """A router that remembers."""

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []

    def item(self, key: Any, event: Any) -> None:
        self.calls.append(("item", key, event))

    def items(self, key: Any, items: Any, done: bool) -> None:
        self.calls.append(("items", key, items, done))

    def end(self, key: Any, value: Any = None) -> None:
        self.calls.append(("end", key, value))


@pytest.fixture
def wrapper() -> Wrapper:
    made = Wrapper.__new__(Wrapper)
    made.router = Said()  # type: ignore[assignment]
    return made


def said(wrapper: Wrapper) -> list[tuple[Any, ...]]:
    router = wrapper.router
    assert isinstance(router, Said)
    return router.calls


@pytest.mark.parametrize("name", HERE)
def test_every_callback_is_taken_by_position(wrapper: Wrapper, name: str) -> None:
    """By the installed release's own count of parameters."""
    count = len(inspect.signature(getattr(EWrapper, name)).parameters) - 1
    arguments: list[Any] = list(range(1, count + 1))
    if name.endswith("ProtoBuf"):
        arguments = [SimpleNamespace(reqId=7)]
    elif name == "smartComponents":
        arguments[-1] = []
    getattr(wrapper, name)(*arguments)
    assert [call[0] for call in said(wrapper)] == [
        {"item": "item", "list": "items", "end": "end"}[CALLBACKS[name].role]
    ]


def test_a_size_is_a_decimal_whatever_the_release_gives(wrapper: Wrapper) -> None:
    for size in (300, 300.0, Decimal(300)):
        wrapper.tickSize(5, 0, size)  # type: ignore[arg-type]
    sizes = [event.size for _, _, event in said(wrapper)]
    assert sizes == [Decimal(300)] * 3
    assert {type(size) for size in sizes} == {Decimal}


def test_unset_is_none(wrapper: Wrapper) -> None:
    wrapper.tickOptionComputation(5, 13, UNSET_INTEGER, UNSET_DOUBLE, 0.5, *([UNSET_DOUBLE] * 6))
    wrapper.pnlSingle(6, Decimal(2**127 - 1), 1.5, UNSET_DOUBLE, 0.0, UNSET_DOUBLE)
    assert said(wrapper) == [
        ("item", 5, events.TickOptionComputation(13, None, None, 0.5, None, None, None, None, None, None)),
        ("item", 6, events.PnlSingle(None, 1.5, None, 0.0, None)),
    ]


def test_keys(wrapper: Wrapper) -> None:
    wrapper.marketRule(26, [])
    wrapper.receiveFA(1, "<xml/>")
    wrapper.currentTime(1_700_000_000)
    wrapper.openOrderEnd()
    wrapper.historicalDataEnd(4, "a", "b")
    wrapper.historicalNewsEnd(3, True)
    wrapper.historicalTicks(2, [], True)
    wrapper.accountDownloadEnd("DU1")
    assert said(wrapper) == [
        ("item", ("marketRule", 26), []),
        ("item", ("receiveFA", 1), "<xml/>"),
        ("item", "currentTime", 1_700_000_000),
        ("end", "openOrderEnd", None),
        ("end", 4, events.HistoricalDataEnd("a", "b")),
        ("end", 3, True),
        ("items", 2, [], True),
        ("end", "accountDownloadEnd", None),
    ]


def test_smart_components_are_a_dict_on_both_wires(wrapper: Wrapper) -> None:
    component = SmartComponent()
    component.bitNumber, component.exchange, component.exchangeLetter = 9, "ARCA", "P"
    wrapper.smartComponents(1, [component])
    wrapper.smartComponents(1, {9: ("ARCA", "P")})
    assert said(wrapper) == [("item", 1, {9: ("ARCA", "P")})] * 2


class TickReqParams:
    """The protobuf message, as far as it is looked at."""

    def __init__(self, **fields: str) -> None:
        self.__dict__.update(fields)

    def __getattr__(self, name: str) -> str:
        return ""  # protobuf's answer for what is not set

    def HasField(self, name: str) -> bool:
        return name in self.__dict__


def test_values_that_only_the_protobuf_twin_has(wrapper: Wrapper) -> None:
    wrapper.tickReqParamsProtoBuf(TickReqParams(lastPricePrecision="0.01"))
    wrapper.tickReqParams(9, 0.01, "9c0001", 3)
    wrapper.tickReqParams(10, 0.01, "9c0001", UNSET_INTEGER)
    assert said(wrapper) == [
        ("item", 9, events.TickReqParams(0.01, "9c0001", 3, "0.01", None)),
        ("item", 10, events.TickReqParams(0.01, "9c0001", None, None, None)),
    ]
