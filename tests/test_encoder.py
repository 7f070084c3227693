"""ibapi's EClient as an encoder: the same bytes as ever, and nothing in the log."""

from __future__ import annotations

import logging
from decimal import Decimal
from types import FunctionType
from typing import Any

import ibapi.client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ibapi import comm
from ibapi.client import EClient

from tests.script import limit_order, open_peer, stock
from trio_ibtws import open_client
from trio_ibtws._runtime import _encoder

ENCODER = _encoder.encoder_class()
SCOPE = ENCODER.reqIds.__globals__

VALUES = st.one_of(
    st.text(),
    st.text(st.characters(max_codepoint=127)),
    st.integers(),
    st.sampled_from([2**31 - 1, -(2**31), 2**63 - 1, 1.7976931348623157e308, float("inf"), -float("inf")]),
    st.floats(),
    st.booleans(),
    st.none(),
    st.decimals(),
    st.lists(st.integers(), max_size=2),
)


def outcome(make: Any, value: Any) -> Any:
    try:
        return make(value)
    except Exception as exc:
        return type(exc)


@pytest.mark.parametrize("name", ["make_field", "make_field_handle_empty"])
@given(value=VALUES)
def test_a_field_is_what_ibapi_makes_of_it(name: str, value: Any) -> None:
    assert SCOPE[name] is not getattr(comm, name)
    assert outcome(SCOPE[name], value) == outcome(getattr(comm, name), value)


class Word(str):
    """No plain text to ibapi, which then does not look at its characters."""


@pytest.mark.parametrize("value", [Word("caf\u00e9"), Word("a"), Decimal("1.50"), True, b"x"])
def test_what_is_rare_is_left_to_ibapi(value: Any) -> None:
    assert outcome(SCOPE["make_field"], value) == outcome(comm.make_field, value)


def test_a_release_whose_fields_are_made_otherwise_makes_them_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    stock_field = comm.make_field

    def other(val: Any) -> str:
        return "1e-07\0" if val == 1e-7 else str(stock_field(val)).upper()

    monkeypatch.setattr(comm, "make_field", other)
    made = _encoder.encoder_class.__wrapped__()
    assert made.reqIds.__globals__["make_field"] is vars(ibapi.client)["make_field"]


def test_nothing_of_ibapi_is_changed() -> None:
    assert EClient.reqIds.__globals__["make_field"] is comm.make_field
    own = {name for name, each in vars(EClient).items() if isinstance(each, FunctionType)}
    assert own <= set(vars(ENCODER))
    assert all(getattr(EClient, name).__code__ is getattr(ENCODER, name).__code__ for name in ("placeOrder", "reqIds"))


@pytest.mark.anyio
async def test_no_order_and_no_account_is_written_to_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """ibapi logs every request and every frame at INFO: orders and account numbers, in any program that logs."""
    caplog.set_level(logging.INFO)
    order = limit_order()
    order.account = "DU7654321"
    async with open_peer() as (ours, peer):
        await peer.send(peer.hello(), peer.accounts("DU7654321"), peer.next_valid_id(1))
        async with open_client(stream=ours, max_server_version=peer.version, trading=True) as client:
            async with client.place_order(stock("SECRET"), order), client.account_updates_stream("DU7654321"):
                pass
    assert "DU7654321" not in caplog.text
    assert "SECRET" not in caplog.text
