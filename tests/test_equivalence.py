"""Every value is what stock ibapi's callbacks got: the same frames to both, compared event by event."""

from __future__ import annotations

import random

import pytest

from tests.samples import SAMPLES, protobuf_frame, protobuf_ids, protobuf_samples, text_ids, text_samples
from tests.stock import CALLBACKS, VERIFICATION, Call, Ours, difference, expected, stock_calls
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION
from trio_ibtws.errors import DecodeError

TEXT_VERSIONS = sorted({157, min(176, MAX_CLIENT_VERSION), min(200, MAX_CLIENT_VERSION)})
"""157 is what the oldest server speaks, 176 one with sizes in Decimal, 200 the last that is all text."""

PROTOBUF_VERSIONS = [MAX_CLIENT_VERSION] if MAX_CLIENT_VERSION >= 213 else []

SILENT = {17, 65, 66, 69, 70}
"""Messages that may end in silence: historical data without bars, and verification, which is no event of ours."""

NOT_REACHED = {
    "connectAck": "EClient.connect calls it, no message does",
    "connectionClosed": "EClient.disconnect calls it, no message does",
    "logAnswer": "EWrapper's own methods call it, up to 10.19",
    "winError": "ibapi's socket on Windows calls it",
}
"""Callbacks that no message reaches, and why."""

KINDS = [("text", version, message_id) for version in TEXT_VERSIONS for message_id in text_ids()]
KINDS += [("protobuf", version, message_id) for version in PROTOBUF_VERSIONS for message_id in protobuf_ids()]


def samples_of(wire: str, version: int, message_id: int) -> list[tuple[bytes, list[Call]]]:
    return (text_samples if wire == "text" else protobuf_samples)(message_id, version)


def check(version: int, message_id: int, samples: list[tuple[bytes, list[Call]]]) -> None:
    """Compare what ours and stock ibapi make of the same frames.

    Where stock ibapi passes over a message in silence (a tick of a kind it does not know, a protobuf order without
    its parts), ours must not: a frame is delivered, or it is a ``DecodeError``.
    """
    for body, calls in samples:
        told = expected(calls)
        ours = Ours(version)
        if told or message_id in SILENT:
            assert difference(ours.decode(body), told) == "", body
        else:
            with pytest.raises(DecodeError):
                ours.decode(body)


@pytest.mark.parametrize(("wire", "version", "message_id"), KINDS)
def test_a_message_gives_what_stock_ibapi_gives(wire: str, version: int, message_id: int) -> None:
    samples = samples_of(wire, version, message_id)
    assert len(samples) == SAMPLES
    assert any(calls for _, calls in samples)
    check(version, message_id, samples)


def test_every_callback_is_reached() -> None:
    reached = {name for kind in KINDS for _, calls in samples_of(*kind) for name, _ in calls}
    missing = set(CALLBACKS) - reached - set(NOT_REACHED)
    assert not missing, f"no frame reaches {sorted(missing)}"


def test_every_callback_is_told_or_named() -> None:
    """No callback of the installed release ends in silence but those that are named."""
    calls = [call for kind in KINDS for _, calls in samples_of(*kind) for call in calls]
    told = {call[0] for call in calls if expected([call])}
    assert set(CALLBACKS) - told == (set(NOT_REACHED) | set(VERIFICATION)) & set(CALLBACKS)


def test_an_empty_protobuf_message_of_each_kind() -> None:
    """proto3 leaves out what is zero: a message without any field is legitimate, and stock ibapi's values hold."""
    for wire, version, message_id in KINDS:
        if wire == "protobuf":
            body = (message_id + 200).to_bytes(4, "big")
            check(version, message_id, [(body, stock_calls(body, version))])


def test_the_same_frames_in_one_session() -> None:
    """Nothing is left over from one message to the next: tickReqParams keeps a twin's values for a moment."""
    sessions = {version: Ours(version) for version in (*TEXT_VERSIONS, *PROTOBUF_VERSIONS)}
    for wire, version, message_id in KINDS:
        for body, calls in samples_of(wire, version, message_id):
            if told := expected(calls):
                assert difference(sessions[version].decode(body), told) == "", body


def test_samples_are_the_same_every_time() -> None:
    """They come from seeds: a failure can be looked at again."""
    if PROTOBUF_VERSIONS:
        assert protobuf_frame(1, random.Random(1)) == protobuf_frame(1, random.Random(1))
    first = text_samples(1, 157)
    text_samples.cache_clear()
    assert [body for body, _ in text_samples(1, 157)] == [body for body, _ in first]
