"""Text that TWS does not take is refused, wherever in the arguments it stands, and the error says where."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.contract import ComboLeg, Contract
from ibapi.order import Order
from ibapi.order_condition import PriceCondition
from ibapi.tag_value import TagValue

from trio_ibtws import InvalidRequest
from trio_ibtws._runtime._argument_checks import check_kinds
from trio_ibtws._runtime._checks import check_texts

bad_text = st.text(min_size=1).filter(
    lambda text: any(not (" " <= character <= "~" or character in "\t\n\r") for character in text)
)
good_text = st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.sampled_from("\t\n\r"))

TEXT_ATTRIBUTES = [
    (kind, name) for kind in (Contract, Order) for name, value in vars(kind()).items() if isinstance(value, str)
]


def with_leg(text: str) -> Contract:
    leg = ComboLeg()
    leg.exchange = text
    contract = Contract()
    contract.comboLegs = [ComboLeg(), leg]
    return contract


def with_condition(text: str) -> Order:
    order = Order()
    order.conditions = [PriceCondition(0, 1, text)]
    return order


PLACES: list[tuple[str, Any]] = [
    ("text", lambda text: text),
    ("texts[1]", lambda text: ["good", text]),
    ("options[0].tag", lambda text: [TagValue(text, "1")]),
    ("options[0].value", lambda text: [TagValue("a", text)]),
    ("contract.comboLegs[1].exchange", with_leg),
    ("order.conditions[0].exchange", with_condition),
]


@settings(deadline=None, max_examples=30)
@given(bad_text)
@pytest.mark.parametrize(("place", "make"), PLACES)
def test_bad_text_is_refused_by_the_name_of_its_place(place: str, make: Any, text: str) -> None:
    argument = place.partition("[")[0].partition(".")[0]
    with pytest.raises(InvalidRequest) as caught:
        check_texts({"first": 1, argument: make(text)})
    assert caught.value.field == place
    assert "Nothing was sent" in str(caught.value)


@pytest.mark.parametrize("character", ["\0", "é", "\u202e", "\x7f", "\x1b", "€", "\ud800"])
@pytest.mark.parametrize(("kind", "name"), TEXT_ATTRIBUTES)
def test_every_text_of_a_contract_and_an_order_is_looked_at(kind: type, name: str, character: str) -> None:
    noun = kind()
    setattr(noun, name, f"A{character}B")
    with pytest.raises(InvalidRequest) as caught:
        check_texts({"noun": noun})
    assert caught.value.field == f"noun.{name}"


@settings(deadline=None, max_examples=50)
@given(good_text)
def test_good_text_passes_everywhere(text: str) -> None:
    for _, make in PLACES:
        check_texts({"argument": make(text)})


def test_what_is_no_text_passes() -> None:
    check_texts({"a": 1, "b": None, "c": 1.5, "d": True, "e": [], "f": (1, None), "g": Order(), "h": Contract()})


def test_a_subclass_of_str_is_text() -> None:
    class Symbol(str):
        __slots__ = ()

    contract = Contract()
    contract.symbol = Symbol("Ä")
    with pytest.raises(InvalidRequest, match=r"contract\.symbol"):
        check_texts({"contract": contract})


@pytest.mark.speaks(221)
@pytest.mark.parametrize("bad", ["caf\u00e9", "A\0B"])
def test_text_inside_a_protobuf_message_is_looked_at(bad: str) -> None:
    kind = import_module("ibapi.protobuf.UpdateConfigRequest_pb2").UpdateConfigRequest
    message = kind()
    message.lockAndExit.autoLogoffTime = "10:00"
    message.messages.add(title="good").message = "good"
    check_texts({"config": message})
    for field, damage in (
        ("config.lockAndExit.autoLogoffTime", lambda copy: setattr(copy.lockAndExit, "autoLogoffTime", bad)),
        ("config.messages[0].message", lambda copy: setattr(copy.messages[0], "message", bad)),
    ):
        copy = kind()
        copy.CopyFrom(message)
        damage(copy)
        with pytest.raises(InvalidRequest) as caught:
            check_texts({"config": copy})
        assert caught.value.field == field


@pytest.mark.speaks(213)
def test_text_inside_the_map_of_a_protobuf_message_is_looked_at() -> None:
    order = import_module("ibapi.protobuf.Order_pb2").Order()
    order.smartComboRoutingParams["Non\u00e9"] = "1"
    with pytest.raises(InvalidRequest, match="smartComboRoutingParams"):
        check_texts({"order": order})
    order.smartComboRoutingParams.clear()
    order.smartComboRoutingParams["NonGuaranteed"] = "\0"
    with pytest.raises(InvalidRequest, match="NonGuaranteed"):
        check_texts({"order": order})


@pytest.mark.parametrize("value", ["AAPL", None, 265598, {"symbol": "AAPL"}])
def test_a_contract_that_is_none_is_refused_with_the_way_to_make_one(value: object) -> None:
    with pytest.raises(InvalidRequest, match=r"is no ibapi Contract; trio_ibtws\.contracts makes one") as caught:
        check_kinds("reqContractDetails", {"contract": value})
    assert caught.value.field == "contract"
