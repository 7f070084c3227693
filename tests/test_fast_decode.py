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
from tests.stock import Ours, StockDecoder, difference, recorder
from trio_ibtws import InvalidRequest
from trio_ibtws._runtime import _fast, _fast_protobuf, _fast_protobuf_ticks, _fast_ticks, _pinned
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION, RAW_ID_SERVER_VERSION, interpret_takes_id
from trio_ibtws._runtime._fast_ticks import no_tick

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
    every = (_fast.why_stock, _fast.fast_handlers, _fast_ticks.fast_ticks, _fast_protobuf_ticks.fast_protobuf_ticks)
    for cached in every:
        cached.cache_clear()
    yield
    for cached in every:
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


def test_what_fields_were_converted_to_is_kept_and_forgotten_when_there_are_too_many() -> None:
    sizes = _fast.Sizes(utils.decode)
    for number in range(_pinned._MOST + 10):
        assert sizes[b"%d" % number] == number
    assert len(sizes) == 10
    kept = sizes[b"5000"]
    assert sizes[b"5000"] is kept


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
        handle(StockDecoder(recorder(calls), version), values)
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
        ours.bridge.tick = no_tick
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


# --- ticks -------------------------------------------------------------------------------------------------------

usual_integers = st.sampled_from([b"0", b"1", b"2", b"3", b"4", b"7", b"68", b"-1", b"1500000000", b"99999999999"])
usual_fields = st.one_of(usual_integers, numbers.map(str.encode), fields)


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([1, 2, 12, 13, 99]), st.lists(usual_fields, min_size=3, max_size=11), st.sampled_from(VERSIONS))
def test_a_text_tick_of_any_fields_ends_alike(message_id: int, values: list[bytes], version: int) -> None:
    body = b"".join(value + b"\0" for value in (b"%d" % message_id, *values))
    assert alike(ending(body, version, fast=True), ending(body, version, fast=False))


TICK_LENGTHS = {1: 6, 2: 4, 12: 7, 13: 9, 99: 8}


@settings(deadline=None, max_examples=300)
@given(st.sampled_from([1, 2, 12, 13, 99]), st.data(), st.sampled_from(VERSIONS))
def test_a_text_tick_of_the_usual_length_ends_alike(message_id: int, data: st.DataObject, version: int) -> None:
    length = TICK_LENGTHS[message_id]
    values = data.draw(st.lists(usual_integers, min_size=length, max_size=length))
    for place in data.draw(st.lists(st.integers(0, length - 1), max_size=2)):
        values[place] = data.draw(usual_fields)
    body = b"".join(value + b"\0" for value in (b"%d" % message_id, *values))
    assert alike(ending(body, version, fast=True), ending(body, version, fast=False))


MASKED = (
    "1 6 7 1 100.25 300 {mask}",
    "99 7 1 1704205800 1.5 300 {mask} NYSE T",
    "99 7 3 1704205800 1.5 1.75 2 3 {mask}",
)
"""Ticks whose flags are bits of one number."""


@pytest.mark.parametrize("mask", [*range(16), -1, 2**31 - 1])
def test_every_mask_of_flags_says_what_it_says_in_ibapi(mask: int) -> None:
    """Each bit alone, and each with each other: a flag must not show when another is set, nor only then."""
    for version in VERSIONS:
        for template in MASKED:
            body = template.format(mask=mask).replace(" ", "\0").encode() + b"\0"
            fast, stock = (ending(body, version, fast=fast) for fast in (True, False))
            assert isinstance(fast[0], list)
            assert alike(fast, stock), (template, mask)
    for message_id, message in ticks_of_protobuf()[:1]:
        body = (200 + message_id).to_bytes(4, "big")
        body += message(reqId=7, tickType=1, price=1.5, size="3", attrMask=mask).SerializeToString()
        assert alike(*(ending(body, MAX_CLIENT_VERSION, fast=fast) for fast in (True, False)))


def value_of(field: Any) -> st.SearchStrategy[Any]:
    """Return values for a field of a protobuf message, of a part for one that is another message."""
    if field.message_type is not None:
        return parts(field.message_type)
    if field.type == field.TYPE_STRING:
        return st.one_of(st.sampled_from(["", "0", "100", "12.50", "NaN", "x", "9223372036854775807"]), st.text())
    if field.type == field.TYPE_DOUBLE:
        return st.one_of(st.sampled_from([0.0, -0.0, 100.25, 1.7976931348623157e308]), st.floats())
    if field.type == field.TYPE_BOOL:
        return st.booleans()
    return st.one_of(st.integers(0, 5), st.sampled_from([45, 49, 68, 2**31 - 1, -1]))


def parts(descriptor: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return what a protobuf message can have, any of its fields left out."""
    return st.fixed_dictionaries({}, optional={field.name: value_of(field) for field in descriptor.fields})


def ticks_of_protobuf() -> list[tuple[int, Any]]:
    """Return the message ids of ticks and the classes of their messages, none where ibapi has ticks as text only."""
    table = _fast_protobuf_ticks._TICKS.items()
    messages = [(message_id, getattr(ibapi.decoder, name, None)) for message_id, (_, _, name, _) in table]
    return [(message_id, message) for message_id, message in messages if message is not None]


@settings(deadline=None, max_examples=150)
@given(st.data())
def test_a_protobuf_tick_with_any_of_its_fields_ends_alike(data: st.DataObject) -> None:
    for message_id, message in ticks_of_protobuf():
        made = message(**data.draw(parts(message.DESCRIPTOR)))
        body = (200 + message_id).to_bytes(4, "big") + made.SerializeToString()
        endings = [ending(body, MAX_CLIENT_VERSION, fast=fast) for fast in (True, False)]
        assert alike(*endings), made


ODD_TICKS: list[dict[str, Any]] = [
    {"tickType": 3, "historicalTickBidAsk": {"time": 1, "sizeBid": "x"}},
    {"tickType": 3, "historicalTickBidAsk": {"time": 1, "sizeAsk": "x"}},
    {"tickType": 4, "historicalTickMidPoint": {"price": 1.5}},
    {"tickType": 4, "historicalTickMidPoint": {"time": 1, "size": "x"}},
    {"tickType": 5, "historicalTickMidPoint": {"time": 1}},
]


def test_ticks_that_are_left_to_ibapi_end_alike() -> None:
    kinds: Any = ibapi.decoder.TickTypeEnum
    of_no_kind = f"2 6 7 {kinds.NOT_SET} 300 ".replace(" ", "\0").encode()
    bodies = [(of_no_kind, version) for version in VERSIONS]
    for message_id, message in ticks_of_protobuf():
        if message.DESCRIPTOR.name == "TickByTickData":
            made = [message(reqId=7, **parts).SerializeToString() for parts in ODD_TICKS]
            bodies += [((200 + message_id).to_bytes(4, "big") + body, MAX_CLIENT_VERSION) for body in made]
    for body, version in bodies:
        assert alike(*(ending(body, version, fast=fast) for fast in (True, False))), body


def test_damaged_protobuf_ticks_end_alike() -> None:
    for message_id, message in ticks_of_protobuf():
        whole = message(reqId=7).SerializeToString()
        for damaged in (b"\xff" + whole, whole[:-1], whole + b"\x0f", b""):
            body = (200 + message_id).to_bytes(4, "big") + damaged
            endings = [ending(body, MAX_CLIENT_VERSION, fast=fast) for fast in (True, False)]
            assert alike(*endings)


def test_ticks_are_decoded_by_ours_where_ibapis_functions_are_those_that_are_known() -> None:
    """A release that has others needs no change; a digest that is added says that somebody has compared the two."""
    known = [
        message_id
        for message_id, (name, digest, _) in _fast_ticks._TICKS.items()
        if _pinned.source_digest(vars(Decoder).get(name, outcome)) == digest
    ]
    assert sorted(_fast_ticks.fast_ticks()) == known
    assert known == ([1, 2, 12, 13, 99] if interpret_takes_id else [])
    protobuf = sorted(message_id for message_id, _ in ticks_of_protobuf())
    assert sorted(_fast_protobuf_ticks.fast_protobuf_ticks()) == protobuf


def test_ticks_whose_function_is_another_are_left_to_the_copy_of_it(
    monkeypatch: pytest.MonkeyPatch, forget: None
) -> None:
    def processTickSizeMsg(self: Any, fields: Any) -> None:
        """It has the name, and does something else."""

    monkeypatch.setattr(Decoder, "processTickSizeMsg", processTickSizeMsg, raising=False)
    assert 2 not in _fast_ticks.fast_ticks()


def test_ticks_that_come_out_otherwise_are_left_to_the_copy(monkeypatch: pytest.MonkeyPatch, forget: None) -> None:
    class Upside(ibapi.common.TickAttrib):
        def __init__(self) -> None:
            super().__init__()
            self.preOpen = True

    monkeypatch.setattr(ibapi.decoder, "TickAttrib", Upside)
    assert 1 not in _fast_ticks.fast_ticks()


def test_whoever_hears_the_protobuf_callback_of_a_tick_hears_it() -> None:
    """The plain callback comes as well, through the copy of ibapi's own function."""
    for message_id, message in ticks_of_protobuf():
        if message_id not in (2, 12, 13, 45, 46, 99):
            continue
        ours = Ours(MAX_CLIENT_VERSION)
        heard: list[Any] = []
        twin = TWINS[message_id]
        for wrapper in (ours.session._wrapper, ours.session._tick_wrapper):
            setattr(wrapper, twin, heard.append)
        ours.decode((200 + message_id).to_bytes(4, "big") + message(reqId=7, **SAMPLES[message_id]).SerializeToString())
        assert [type(each) for each in heard] == [message]


TWINS = {
    2: "tickSizeProtoBuf",
    12: "updateMarketDepthProtoBuf",
    13: "updateMarketDepthL2ProtoBuf",
    45: "tickGenericProtoBuf",
    46: "tickStringProtoBuf",
    99: "tickByTickDataProtoBuf",
}
SAMPLES = {message_id: samples[0] for message_id, samples in _fast_protobuf_ticks._SAMPLES.items()}


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
