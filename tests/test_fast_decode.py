"""The fast decoder gives what ibapi's own gives: for every type, every shape of value and every message; else it is
not used, and that is said."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import ibapi.common
import ibapi.decoder
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi import comm, utils
from ibapi.decoder import Decoder

from tests.peer import connected
from tests.samples import protobuf_ids, protobuf_samples, text_ids, text_samples
from tests.stock import Ours, difference, recorder
from trio_ibtws import InvalidRequest
from trio_ibtws._runtime import _fast, _fast_protobuf
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION, RAW_ID_SERVER_VERSION, interpret_takes_id

stock_decode = utils.decode
HAS_SIZES = hasattr(utils, "UNSET_DECIMAL")
VERSIONS = sorted({157, min(176, MAX_CLIENT_VERSION), min(200, MAX_CLIENT_VERSION)})
KINDS = [int, float, str, bool, Decimal]

limits = st.sampled_from(
    ["2147483647", "9223372036854775807", "-9223372036854775808", "1.7976931348623157E308", "Infinity", "-Infinity"]
)
numbers = st.one_of(
    st.integers().map(str),
    st.floats().map(repr),
    st.decimals().map(str),
    limits,
    st.sampled_from(["", " 1", "1_000", "+5", "1e5", "١٢", "0x10", "NaN", "True"]),
)
fields = st.one_of(numbers.map(str.encode), st.text().map(lambda text: text.encode("utf-8", "replace")), st.binary())


@pytest.fixture
def forget() -> Iterator[None]:
    """Let the decoder be chosen anew, before and after."""
    for cached in (_fast.why_stock, _fast.fast_handlers):
        cached.cache_clear()
    yield
    for cached in (_fast.why_stock, _fast.fast_handlers):
        cached.cache_clear()


def outcome(decode: Any, kind: type, given_fields: list[bytes], *flags: bool) -> tuple[str, str]:
    """Return the type and text of what comes out, or that it is an error; a BadMessage is one that has its own name."""
    try:
        value = decode(kind, iter(given_fields), *flags)
    except utils.BadMessage:
        return "BadMessage", ""
    except Exception:
        return "an error", ""
    return type(value).__name__, repr(value)


# --- one field ---------------------------------------------------------------------------------------------------


@settings(deadline=None, max_examples=600)
@given(st.sampled_from(KINDS), fields, st.booleans(), st.booleans())
def test_a_field_decodes_as_ibapi_decodes_it(kind: type, field: bytes, show_unset: bool, use_unicode: bool) -> None:
    flags = (show_unset, use_unicode) if HAS_SIZES else (show_unset,)
    fast = _fast._decode_like(utils.decode)
    expected = outcome(utils.decode, kind, [field], *flags)
    assert outcome(fast, kind, [field], *flags) == expected
    assert outcome(fast, kind, [field], *flags) == expected  # a size that is known by now


@pytest.mark.parametrize("kind", KINDS)
def test_no_more_fields_is_what_it_is_to_ibapi(kind: type) -> None:
    assert outcome(_fast._decode_like(utils.decode), kind, []) == ("BadMessage", "")


def test_no_more_sizes_are_kept_than_are_usual() -> None:
    sizes = _fast._Sizes(utils.decode)
    for number in range(_fast._SIZES_KEPT + 10):
        assert sizes[b"%d" % number] == number
    assert len(sizes) == _fast._SIZES_KEPT


# --- whole messages ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("message_id", text_ids())
def test_a_message_makes_the_calls_that_it_makes_in_ibapi(message_id: int, version: int) -> None:
    handle = _fast.fast_handlers()[message_id]
    for body, expected in text_samples(message_id, version):
        calls: list[Any] = []
        values = iter(comm.read_fields(body))
        if interpret_takes_id:
            next(values)
        handle(Decoder(recorder(calls), version), values)
        assert not difference(calls, expected)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from(text_ids()), st.lists(fields, max_size=12), st.sampled_from(VERSIONS))
def test_any_fields_end_alike_with_both_decoders(message_id: int, values: list[bytes], version: int) -> None:
    body = b"".join(value + b"\0" for value in (b"%d" % message_id, *values))
    assert alike(ending(body, version, fast=True), ending(body, version, fast=False))


@pytest.mark.parametrize("body", [b"", b"\0", b"1", b"x\0", b"-1\0", b"99999\0a\0", b"4\0"])
def test_bytes_that_are_no_message_end_alike(body: bytes) -> None:
    for version in VERSIONS:
        assert alike(ending(body, version, fast=True), ending(body, version, fast=False))


def ending(body: bytes, version: int, *, fast: bool) -> tuple[Any, ...]:
    """Return what a session makes of a frame: what its router is told and counts, or the name of its error."""
    ours = Ours(version)
    if not fast:
        ours.bridge._fast = ours.bridge._fast_protobuf = {}
    try:
        told = ours.decode(body)
    except Exception as exc:
        return type(exc).__name__, ours.session.stats().decode_errors
    return told, ours.session.stats()


def alike(one: tuple[Any, ...], other: tuple[Any, ...]) -> bool:
    """Whether two endings are the same, objects of ibapi by their attributes."""
    if isinstance(one[0], list) and isinstance(other[0], list):
        return not difference(one[0], other[0]) and one[1] == other[1]
    return one == other


def test_protobuf_is_told_the_router_alike() -> None:
    samples = [body for message_id in protobuf_ids() for body, _ in protobuf_samples(message_id, MAX_CLIENT_VERSION)]
    assert len(samples) >= len(protobuf_ids())
    for body in samples:
        assert alike(ending(body, MAX_CLIENT_VERSION, fast=True), ending(body, MAX_CLIENT_VERSION, fast=False))


def test_every_helper_of_the_protobuf_decoder_stands_in_for_ibapis() -> None:
    helpers = [name for name in _fast_protobuf._HELPERS if hasattr(ibapi.decoder, name)]
    assert [name for name in _fast_protobuf._HELPERS if _fast_protobuf._same(name)] == helpers
    assert sorted(_fast_protobuf.fast_protobuf_handlers()) == protobuf_ids()


def test_a_helper_that_makes_something_else_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    def always_one(message: Any) -> Any:
        made = ibapi.common.BarData()
        made.open = 1.0
        return made

    monkeypatch.setitem(_fast_protobuf._HELPERS, "decodeHistoricalDataBar", (always_one, "HistoricalDataBarProto"))
    assert not _fast_protobuf._same("decodeHistoricalDataBar")


# --- which of the two --------------------------------------------------------------------------------------------


def test_the_installed_ibapi_is_one_that_can_be_fast() -> None:
    assert _fast.why_stock() == ""
    assert sorted(_fast.choose()) in (text_ids(), [])  # none when the suite runs with ibapi's own


def test_nothing_of_ibapi_is_changed() -> None:
    _fast.fast_handlers()
    assert ibapi.decoder.decode is utils.decode
    assert all(
        info.processMeth is None or info.processMeth.__globals__ is vars(ibapi.decoder)
        for info in Decoder.msgId2handleInfo.values()
    )


def test_the_environment_chooses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(_fast.VARIABLE, "stock")
    assert not _fast.choose()
    monkeypatch.setenv(_fast.VARIABLE, "fast")
    assert _fast.choose()
    monkeypatch.setenv(_fast.VARIABLE, "quick")
    with pytest.raises(InvalidRequest, match="quick"):
        _fast.choose()


def other_decode(kind: Any, fields: Any, show_unset: bool = False, use_unicode: bool = False) -> Any:
    field = next(fields)
    return 0 if field == b"+7" else stock_decode(kind, iter([field]), show_unset)


def test_an_ibapi_whose_decode_gives_something_else_is_decoded_by_its_own(
    monkeypatch: pytest.MonkeyPatch, forget: None
) -> None:
    monkeypatch.setattr(utils, "decode", other_decode)
    monkeypatch.setattr(ibapi.decoder, "decode", other_decode)
    assert "its decode() makes" in _fast.why_stock()
    assert not _fast.choose()


@pytest.mark.parametrize("missing", ["OrderDecoder", "decode", "MIN_SERVER_VER_ENCODE_MSG_ASCII7"])
def test_an_ibapi_whose_decoder_lacks_something(monkeypatch: pytest.MonkeyPatch, forget: None, missing: str) -> None:
    monkeypatch.delattr(ibapi.decoder, missing)
    assert _fast.why_stock()
    assert not _fast.choose()


def test_an_ibapi_whose_handlers_take_something_else(monkeypatch: pytest.MonkeyPatch, forget: None) -> None:
    tick_price: Any = next(iter(Decoder.msgId2handleInfo.values()))
    monkeypatch.setattr(tick_price, "processMeth", lambda decoder, fields, more: None)
    assert "is no function of a decoder and fields" in _fast.why_stock()


def test_an_ibapi_whose_signature_decoding_is_another(monkeypatch: pytest.MonkeyPatch, forget: None) -> None:
    monkeypatch.setattr(Decoder, "interpretWithSignature", lambda self, fields, info: None)
    assert "is called with" in _fast.why_stock()


@pytest.mark.anyio
async def test_that_ibapi_is_decoded_by_its_own_is_a_notice_to_whoever_asks(
    monkeypatch: pytest.MonkeyPatch, forget: None
) -> None:
    monkeypatch.delattr(ibapi.decoder, "OrderDecoder")
    async with connected(VERSIONS[-1]) as (client, _), client.notices() as notices:
        notice = await notices.receive()
    assert (notice.id, notice.code) == (-1, 0)
    assert "OrderDecoder" in notice.message
    assert VERSIONS[-1] < RAW_ID_SERVER_VERSION
