"""Decoder faults: whatever the bytes, a frame is delivered, a ``Notice``, a ``DecodeError`` or ``FrameTooLarge``.

And what stock ibapi makes of what is missing or is no number comes out by the rules of ``docs/errors.md``. The fuzzing
itself is in ``fuzz/``; a short slice of it runs here.
"""

from __future__ import annotations

from decimal import Decimal
from random import Random
from typing import Any

import pytest

from fuzz.mutations import seeds
from fuzz.outcomes import fuzz
from tests.peer import NEWEST, protobuf, text
from tests.sessions import CLIENT_ID, VERSIONS, arguments, feed, ready_session, requests, sent
from trio_ibtws import OrderStatus
from trio_ibtws._gen.events import TickPrice
from trio_ibtws._runtime._session import Session
from trio_ibtws._runtime._sinks import Buffer
from trio_ibtws.errors import DecodeError

TABLE = dict(requests())
needs_protobuf = pytest.mark.speaks(213)


def quotes(version: int) -> tuple[Session, int, Buffer]:
    session = ready_session(version)
    buffer = Buffer(100)
    line: Any = session.ask(TABLE["MKT_DATA"], arguments(TABLE["MKT_DATA"]), buffer, single=False)
    sent(session)
    return session, line.request_id, buffer


def flags(tick: TickPrice) -> tuple[bool, ...]:
    return tuple(bool(flag) for flag in vars(tick.attrib).values())


# --- any bytes ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
def test_a_short_slice_of_the_fuzzing(version: int) -> None:
    outcomes = fuzz(version, seeds(version, every=9), 1500, Random(version))
    assert outcomes.total() == 1501
    assert set(outcomes) <= {
        "delivered",
        "Notice",
        "DecodeError of a request",
        "DecodeError that ends the connection",
        "FrameTooLarge",
    }
    assert min(outcomes["delivered"], outcomes["Notice"], outcomes["DecodeError of a request"]) > 10


# --- what is missing ---------------------------------------------------------------------------------------------


@needs_protobuf
def test_a_price_without_a_mask_claims_no_flags_and_a_missing_price_is_none() -> None:
    session, number, buffer = quotes(NEWEST)
    feed(session, protobuf(1, "TickPrice", reqId=number, tickType=1, size="5"))
    tick = buffer.pop()
    assert (tick.price, flags(tick)) == (None, (False, False, False))
    feed(session, protobuf(1, "TickPrice", reqId=number, tickType=1, price=1.5, size="5", attrMask=5))
    buffer.pop()
    assert flags(buffer.pop()) == (True, False, True)


@needs_protobuf
def test_ids_of_an_order_that_are_missing_are_zero() -> None:
    session = ready_session(NEWEST)
    reader = session.orders.start_reading()
    assert reader is not None
    feed(session, protobuf(3, "OrderStatus", orderId=5, status="Submitted", clientId=CLIENT_ID))
    status = reader.pop()
    assert isinstance(status, OrderStatus)
    assert (status.order_id, status.perm_id, status.parent_id, status.client_id) == (5, 0, 0, CLIENT_ID)
    assert (status.filled, status.avg_fill_price, status.mkt_cap_price) == (None, None, None)
    feed(session, protobuf(100, "OrderBound", orderId=6))
    bound = reader.pop()
    assert (bound.perm_id, bound.client_id, bound.order_id) == (0, 0, 6)


# --- what is no number -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "price"),
    [
        ("1.5", 1.5),
        ("", 0.0),
        ("nan", None),
        ("-inf", None),
        ("1e400", None),
        ("1.7976931348623157E308", None),
        ("1_000", 1000.0),
        ("abc", DecodeError),
        ("1.5\x01", DecodeError),
        ("9" * 4301, None),  # as a float it is infinite
    ],
)
def test_a_price(field: str, price: Any) -> None:
    session, number, buffer = quotes(157)
    feed(session, text(1, 6, number, 1, field, "5", 0))
    if price is DecodeError:
        assert isinstance(buffer.error, DecodeError)
        assert session.stats().decode_errors == 1
    else:
        assert buffer.pop().price == price


@pytest.mark.speaks(163)  # sizes are whole numbers before
@pytest.mark.parametrize(
    ("field", "size"),
    [
        ("12.50", Decimal("12.50")),
        ("", None),
        ("NaN", None),
        ("sNaN", None),
        ("-Infinity", None),
        ("9223372036854775807", None),
        ("2147483647", None),
        ("1_000", Decimal(1000)),
        ("1E+3", Decimal("1E+3")),
        ("x", DecodeError),
        ("0x10", DecodeError),
    ],
)
def test_a_size(field: str, size: Any) -> None:
    session, number, buffer = quotes(176)
    feed(session, text(2, 6, number, 0, field, version=176))
    if size is DecodeError:
        assert isinstance(buffer.error, DecodeError)
    else:
        assert buffer.pop().size == size


@pytest.mark.parametrize(
    ("field", "outcome"), [("9" * 4301, DecodeError), ("1.5", DecodeError), ("nan", DecodeError), ("1_0", 10)]
)
def test_a_whole_number(field: str, outcome: Any) -> None:
    session, number, buffer = quotes(157)
    feed(session, text(46, 6, number, field, "x"))
    if outcome is DecodeError:
        assert isinstance(buffer.error, DecodeError)
    else:
        assert buffer.pop().tick_type == outcome
