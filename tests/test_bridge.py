"""The bridge: one frame a request or none, one frame in or a DecodeError, whatever the arguments and the bytes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.peer import NEWEST, PROTOBUF
from tests.sessions import (
    CLIENT_ID,
    TEXTS,
    VERSIONS,
    arguments,
    contract,
    feed,
    new_session,
    order,
    ready_session,
    requests,
    sent,
)
from trio_ibtws import (
    InternalError,
    InvalidRequest,
    LocalError,
    NotTWS,
    Request,
    UnsupportedRequest,
    UnsupportedServer,
)
from trio_ibtws._runtime import _compat
from trio_ibtws._runtime._bridge import Bridge
from trio_ibtws._runtime._encoder import encoder_class
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._session import Session

REQUEST_ID = 1_500_000_123
TABLE = dict(requests())
CURRENT_TIME = TABLE["CURRENT_TIME"]

by_version = pytest.mark.parametrize("version", VERSIONS)


def bridge_of(session: Session) -> Bridge:
    return session._bridge


def encode(bridge: Bridge, request: Request[Any], given: dict[str, Any]) -> bytes:
    has_id = request.message is not None or request.key in request.parameters
    return bridge.encode(request, given, REQUEST_ID if has_id else None)


# --- encoding ----------------------------------------------------------------------------------------------------


def test_the_table_has_every_pattern() -> None:
    assert len(TABLE) > 60


@by_version
@pytest.mark.parametrize("name", TABLE)
def test_a_request_is_one_whole_frame_or_unsupported(name: str, version: int) -> None:
    request = TABLE[name]
    try:
        data = encode(bridge_of(ready_session(version)), request, arguments(request))
    except UnsupportedRequest:
        # the newest release and server have every request that IB has not dropped
        if version == NEWEST and PROTOBUF and request.until is None:
            raise
        return
    assert int.from_bytes(data[:4], "big") == len(data) - 4 > 0
    if request.by_request_id and version <= 200:
        assert b"\0%d\0" % REQUEST_ID in data


@by_version
@pytest.mark.parametrize("name", [name for name, request in TABLE.items() if request.cancel])
def test_leaving_a_request_that_was_sent_gives_one_whole_cancel_frame(name: str, version: int) -> None:
    request = TABLE[name]
    session = ready_session(version)
    if not _compat.has_method(request.method) and not _compat.has_method(str(request.cancel)):
        assert session._cancel_frame(request, {}, REQUEST_ID) is None
        return
    data = session._cancel_frame(request, arguments(request), REQUEST_ID if request.by_request_id else None)
    assert data is None or int.from_bytes(data[:4], "big") == len(data) - 4
    if version == NEWEST:
        assert (data is not None) == _compat.has_method(str(request.cancel))


BAD_CHARACTERS = ["\0", "é", "€", "\u202e"]


def with_text(request: Request[Any], parameter: str, text: str) -> tuple[str, dict[str, Any]] | None:
    """Return arguments with *text* in one of them, and where; ``None`` where that one takes no text."""
    given = arguments(request)
    if parameter in TEXTS:
        return parameter, given | {parameter: text}
    if hasattr(given.get(parameter), "symbol"):
        given[parameter].symbol = text
        return f"{parameter}.symbol", given
    return None


@by_version
@pytest.mark.parametrize("name", TABLE)
def test_bad_text_in_any_argument_is_refused_by_its_name(name: str, version: int) -> None:
    request = TABLE[name]
    session = ready_session(version)
    for parameter, character in product(_compat.parameters(request.method), BAD_CHARACTERS):
        changed = with_text(request, parameter, f"A{character}")
        if changed is None or parameter in request.constants:
            continue
        place, given = changed
        with pytest.raises(LocalError) as caught:
            encode(bridge_of(session), request, given)
        if not isinstance(caught.value, UnsupportedRequest):  # that it lacks the answer's callback is said first
            assert isinstance(caught.value, InvalidRequest)
            assert caught.value.field == place
    assert sent(session) == []


Method = Callable[..., None]


def reports(code: int, *, sends: bool = False) -> Method:
    """Return an EClient method that reports a local error, for the id -1 as many of ibapi do."""

    def method(self: Any) -> None:
        values = {"reqId": -1, "errorTime": 1, "errorCode": code, "errorString": "Why. ", "advancedOrderRejectJson": ""}
        self.wrapper.error(*(values[name] for name in _compat.callback_parameters("error")))
        if sends:
            self.conn.sendMsg(b"\0\0\0\x01x")

    return method


def raises(self: Any) -> None:
    raise ValueError("an integer that does not fit")


def does_nothing(self: Any) -> None:
    """Encode nothing, say nothing."""


def sends_twice(self: Any) -> None:
    self.conn.sendMsg(b"\0\0\0\x01x")
    self.conn.sendMsg(b"\0\0\0\x01y")


def sends_half_and_raises(self: Any) -> None:
    self.conn.sendMsg(b"\0\0\0\x01x")
    raise OverflowError


@pytest.mark.parametrize(
    ("method", "expected", "said"),
    [
        (reports(503), UnsupportedRequest, "server version 157.*code 503: Why."),
        (reports(579), InvalidRequest, "code 579: Why.*Nothing was sent"),
        (reports(512), LocalError, "code 512: Why.*Nothing was sent"),
        (reports(512, sends=True), LocalError, "code 512"),
        (raises, LocalError, "does not fit.*Nothing was sent"),
        (sends_half_and_raises, LocalError, "OverflowError"),
        (does_nothing, LocalError, "encoded nothing"),
        (sends_twice, InternalError, "2 frames"),
    ],
)
def test_every_local_failure_is_an_error_of_the_call_in_progress(
    monkeypatch: pytest.MonkeyPatch, method: Method, expected: type[Exception], said: str
) -> None:
    session = ready_session()
    bridge = bridge_of(session)
    whole = encode(bridge, CURRENT_TIME, {})
    with monkeypatch.context() as patch:
        patch.setattr(encoder_class(), "reqCurrentTime", method)
        with pytest.raises(expected, match=said) as caught:
            encode(bridge, CURRENT_TIME, {})
        assert type(caught.value) is expected
    assert sent(session) == []
    assert encode(bridge, CURRENT_TIME, {}) == whole  # and leaves nothing behind for the next


@by_version
@pytest.mark.parametrize("value", [None, "x", 2**40, float("nan"), object()])
def test_an_argument_of_the_wrong_kind_is_one_frame_or_a_local_error(version: int, value: object) -> None:
    session = ready_session(version)
    for name in ("CONTRACT_DETAILS", "MARKET_RULE", "PNL_SINGLE", "HISTORICAL_DATA", "PLACE_ORDER"):
        request = TABLE[name]
        for parameter in arguments(request):
            try:
                data = encode(bridge_of(session), request, arguments(request) | {parameter: value})
            except LocalError:
                continue
            assert int.from_bytes(data[:4], "big") == len(data) - 4


def test_a_request_for_a_newer_server_names_both() -> None:
    if _compat.has_method("reqUserInfo"):
        with pytest.raises(UnsupportedRequest, match=r"reqUserInfo needs a newer TWS .* than server version 157"):
            encode(bridge_of(ready_session(157)), TABLE["USER_INFO"], {})
    else:
        with pytest.raises(UnsupportedRequest, match=r"reqUserInfo does not exist .* needs ibapi 10\.19 or newer"):
            encode(bridge_of(ready_session(157)), TABLE["USER_INFO"], {})


if PROTOBUF:

    def test_a_protobuf_message_of_the_wrong_type_is_refused() -> None:
        bridge = bridge_of(ready_session(NEWEST))
        with pytest.raises(InvalidRequest) as caught:
            bridge.encode(TABLE["CONFIG"], {"configRequestProto": "text"}, REQUEST_ID)
        assert caught.value.field == "configRequestProto"


@by_version
def test_an_order_under_its_id(version: int) -> None:
    session = ready_session(version, order_id=40)
    request = TABLE["PLACE_ORDER"]
    data = bridge_of(session).encode(request, {"contract": contract(), "order": order()}, 40)
    if version <= 200:
        assert (
            data[4:].removeprefix(b"\0\0\0\x03").removeprefix(b"3\0").split(b"\0")[0 if version >= 145 else 1] == b"40"
        )
    else:
        assert data[8:].startswith(b"\x08\x28")


# --- the handshake -----------------------------------------------------------------------------------------------

BAD_GREETINGS = [
    b"",
    b"\0",
    b"157\0",
    b"x\0y\0",
    b"157\0time\0more\0",
    b"-1\0time\0",
    b" \0\0",
    b"\xff\xfe\0\0",
    b"15.7\0t\0",
]


@pytest.mark.parametrize("body", BAD_GREETINGS)
def test_a_first_frame_that_is_not_tws(body: bytes) -> None:
    with pytest.raises(NotTWS, match="first frame"):
        feed(new_session(), frame(body))


@settings(deadline=None)
@given(st.binary(max_size=60))
def test_any_first_frame_is_a_greeting_or_not_tws(body: bytes) -> None:
    session = new_session()
    try:
        feed(session, frame(body))
    except (NotTWS, UnsupportedServer):
        assert session.server_version == 0
    else:
        assert session.server_version == 157


@pytest.mark.parametrize("data", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.6\r\n", b"\xff" * 8])
def test_a_peer_that_speaks_something_else(data: bytes) -> None:
    with pytest.raises(NotTWS, match="not how TWS begins"):
        feed(new_session(), data)


@pytest.mark.parametrize("version", [0, 100, 156, 158, 300, 10**30])
def test_a_version_outside_what_was_offered(version: int) -> None:
    session = new_session(157)
    with pytest.raises(UnsupportedServer, match=f"chose version {version}"):
        feed(session, frame(b"%d\0time\0" % version))
    assert session.server_version == 0


@by_version
def test_a_greeting_is_followed_by_the_start_of_the_api(version: int) -> None:
    session = new_session(version)
    assert sent(session)[0].endswith(b"v100..%d" % version)
    feed(session, frame(b"%d\0" % version + b"20231021 13:28:15 \xe9\0"))
    assert session.server_version == version
    assert session.connection_time == r"20231021 13:28:15 \xe9"
    (start,) = sent(session)
    if version <= 200:
        assert start == b"71\x002\x007\x00\x00"
    assert CLIENT_ID == 7
