"""The bridge, decoding: a frame is delivered, a notice or a DecodeError, whatever its bytes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.decoder import Decoder

from tests.peer import NEWEST, PROTOBUF, protobuf, text
from tests.sessions import (
    CLIENT_ID,
    VERSIONS,
    feed,
    ready_session,
    shaken_session,
)
from trio_ibtws import (
    DecodeError,
)
from trio_ibtws._runtime._bridge import Bridge
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._session import Session

REQUEST_ID = 1_500_000_123
TEXT_VERSIONS = [version for version in VERSIONS if version <= 200]

by_version = pytest.mark.parametrize("version", VERSIONS)


def bridge_of(session: Session) -> Bridge:
    return session._bridge


def signature_messages() -> dict[int, int]:
    """Return how many fields each text message has that ibapi decodes by its callback's signature alone."""
    found = {}
    for message_id, info in Decoder(bridge_of(ready_session())._errors, 157).msgId2handleInfo.items():
        if info.processMeth is None and info.wrapperParams is not None:
            found[int(message_id)] = len(info.wrapperParams) - 1
    return found


def message(version: int, message_id: int, fields: list[str]) -> bytes:
    """Return a text message whose second field is the version that old messages have."""
    return text(message_id, 1, *fields, version=version)[4:]


@pytest.mark.parametrize("version", TEXT_VERSIONS)
@pytest.mark.parametrize("message_id", signature_messages())
def test_a_field_too_many_or_too_few_is_a_fault(version: int, message_id: int) -> None:
    count = signature_messages()[message_id]
    for wrong in {count + 1, count + 2, max(count - 1, 0)} - {count}:
        session = ready_session(version)
        with pytest.raises(DecodeError) as caught:
            bridge_of(session).decode(message(version, message_id, ["1"] * wrong))
        assert caught.value.frame == message(version, message_id, ["1"] * wrong)


@pytest.mark.parametrize("version", TEXT_VERSIONS)
def test_next_valid_id_with_one_field_too_many_does_not_vanish(version: int) -> None:
    session = ready_session(version)
    feed(session, text(9, 1, 77, version=version))
    assert session.orders.next_order_id == 77
    with pytest.raises(DecodeError, match="nextValidId takes 1 fields, 2 came"):
        feed(session, text(9, 1, 99, 1, version=version))
    assert session.orders.next_order_id == 77
    assert session.decode_errors == 1


@by_version
@pytest.mark.parametrize("message_id", [199, 150])
def test_an_unknown_message_is_a_notice(version: int, message_id: int) -> None:
    session = ready_session(version)
    data = text(message_id, 1, 2, version=version)
    assert bridge_of(session).decode(data[4:]) == message_id
    feed(session, data)
    assert session.stats().notices == 1


@by_version
def test_historical_data_without_bars_is_quiet_and_no_fault(version: int) -> None:
    if version >= 213:
        data = protobuf(17, "HistoricalData", reqId=REQUEST_ID)
    else:
        old = () if version >= 196 else ("20240101", "20240102")
        data = text(17, REQUEST_ID, *old, 0, version=version)
    assert bridge_of(ready_session(version)).decode(data[4:]) is None


def corpus(version: int) -> list[bytes]:
    """Well-formed messages, without their lengths."""
    if version >= 213:
        return [
            protobuf(1, "TickPrice", reqId=REQUEST_ID, tickType=1, price=1.5, size="100")[4:],
            protobuf(3, "OrderStatus", orderId=1, status="Filled", filled="1", remaining="0")[4:],
            protobuf(4, "ErrorMessage", id=REQUEST_ID, errorCode=200, errorMsg="No")[4:],
            protobuf(5, "OpenOrder", orderId=1, **{"contract.conId": 1, "order.clientId": 1, "orderState.status": "x"})[
                4:
            ],
            protobuf(11, "ExecutionDetails", reqId=-1, **{"contract.conId": 1, "execution.execId": "e1"})[4:],
            protobuf(9, "NextValidId", orderId=9)[4:],
        ]
    sizes = [
        text(1, 6, REQUEST_ID, 1, "1.5", "100", 0, version=version),
        text(2, 6, REQUEST_ID, 5, "100", version=version),
        text(3, 1, "Filled", "1", "0", "1.5", 9, 0, "1.5", CLIENT_ID, "", "0", version=version),
        text(9, 1, 9, version=version),
        text(15, 1, "DU1,DU2", version=version),
        text(49, 1, 1700000000, version=version),
        text(52, 1, REQUEST_ID, version=version),
        text(61, 3, "DU1", 1, "A", "STK", "", 0, "", "", "N", "USD", "A", "N", "5", "1.5", version=version),
    ]
    return [data[4:] for data in sizes]


@by_version
def test_the_corpus_itself_is_delivered(version: int) -> None:
    for data in corpus(version):
        session = ready_session(version)
        assert bridge_of(session).decode(data) is None, data
        assert len(session._recorder) > 0


NASTY = [b"\0", b"nan", b"-", b"1e999", b"\xff\xff\xff\xff\x0f"]


OUTCOMES = {"delivered", "Notice", "DecodeError"}


def outcome(session: Session, body: bytes) -> str:
    """Deliver one frame; anything but the three outcomes escapes."""
    errors = session.decode_errors
    notices = session.router.notices_seen
    try:
        feed(session, frame(body))
    except DecodeError as exc:
        return "DecodeError" if exc.frame == body else "another frame's DecodeError"
    assert len(session._recorder) == 0
    if session.decode_errors > errors:
        return "DecodeError"
    return "Notice" if session.router.notices_seen > notices else "delivered"


@settings(deadline=None, max_examples=150)
@given(version=st.sampled_from(VERSIONS), body=st.binary(max_size=80))
def test_any_bytes_are_delivered_a_notice_or_a_fault(version: int, body: bytes) -> None:
    assert outcome(ready_session(version), body) in OUTCOMES


@settings(deadline=None, max_examples=150)
@given(version=st.sampled_from(VERSIONS), message_id=st.integers(0, 330), body=st.binary(max_size=60))
def test_any_body_of_any_message_is_delivered_a_notice_or_a_fault(version: int, message_id: int, body: bytes) -> None:
    head = message_id.to_bytes(4, "big") if version >= 201 else b"%d\0" % message_id
    assert outcome(ready_session(version), head + body) in OUTCOMES


@settings(deadline=None, max_examples=300)
@given(data=st.data(), version=st.sampled_from(VERSIONS))
def test_a_mutated_message_is_delivered_a_notice_or_a_fault(data: st.DataObject, version: int) -> None:
    session = ready_session(version)
    body = bytearray(data.draw(st.sampled_from(corpus(version))))
    for _ in range(data.draw(st.integers(1, 4))):
        position = data.draw(st.integers(0, len(body)))
        cut = data.draw(st.integers(0, 3))
        body[position : position + cut] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b"\0", b"nan", b"-", b"1e999"])
        )
    assert outcome(session, bytes(body)) in OUTCOMES


def test_a_fault_delivers_nothing_of_its_frame() -> None:
    """Bars come several in a frame: those before the damaged one must not be delivered without it."""
    session = ready_session(157)
    good = ("20240101", "1", "2", "0.5", "1.5", "100", "1.2", "7")
    bad = ("20240102", "x", "2", "0.5", "1.5", "100", "1.2", "7")
    with pytest.raises(DecodeError):
        feed(session, text(17, 42, "20240101", "20240103", 2, *good, *bad))
    assert len(session._recorder) == 0
    assert session.router.late_frames == 0


@by_version
def test_an_empty_frame_is_passed_over(version: int) -> None:
    session = ready_session(version)
    feed(session, frame(b""))
    assert session.decode_errors == 0


# --- whose a damaged frame is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", TEXT_VERSIONS)
def test_the_ids_of_a_text_frame(version: int) -> None:
    bridge = bridge_of(shaken_session(version))
    assert bridge.ids_in(text(1, 6, REQUEST_ID, 1, "x", version=version)[4:])[:3] == [1, 6, REQUEST_ID]
    assert bridge.ids_in(text(17, REQUEST_ID, "x", version=version)[4:]) == [17, REQUEST_ID]
    assert bridge.ids_in(b"") == []
    assert bridge.ids_in(b"\xff\xff\xff") == []


@settings(deadline=None, max_examples=100)
@given(version=st.sampled_from(VERSIONS), body=st.binary(max_size=100))
def test_the_hint_never_raises(version: int, body: bytes) -> None:
    assert all(number >= 0 for number in bridge_of(shaken_session(version)).ids_in(body))


if PROTOBUF:
    by_protobuf = pytest.mark.parametrize("version", [NEWEST])

    @by_protobuf
    @pytest.mark.parametrize(("message_id", "name"), [(5, "OpenOrder"), (11, "ExecutionDetails")])
    def test_an_order_or_a_fill_without_its_parts_is_a_fault(version: int, message_id: int, name: str) -> None:
        session = ready_session(version)
        with pytest.raises(DecodeError, match="without a word"):
            bridge_of(session).decode(protobuf(message_id, name)[4:])
        with pytest.raises(DecodeError, match="without a word"):
            bridge_of(session).decode(protobuf(message_id, name, **{"contract.conId": 1})[4:])

    @by_protobuf
    def test_an_unknown_protobuf_message_is_a_notice(version: int) -> None:
        session = ready_session(version)
        feed(session, frame((200 + 190).to_bytes(4, "big") + b"\x08\x01"))
        assert session.stats().notices == 1

    @by_protobuf
    def test_the_ids_of_newer_frames(version: int) -> None:
        bridge = bridge_of(shaken_session(version))
        assert bridge.ids_in(protobuf(1, "TickPrice", reqId=REQUEST_ID, price=1.0)[4:]) == [REQUEST_ID]
        assert bridge.ids_in(protobuf(1, "TickPrice", price=1.0)[4:]) == []
        assert bridge.ids_in(text(1, 6, REQUEST_ID, 1, version=version)[4:])[:2] == [6, REQUEST_ID]
        assert bridge.ids_in(b"\0\0\0\xff\x08\xff\xff\xff") == []
        assert bridge.ids_in(b"\0\0") == []
