"""The bridge: ibapi's own encoder and decoder, driven without a socket, a thread or a queue.

An ``EClient`` whose ``conn`` is this module's ``_Capture`` turns a request into one whole frame, or reports an error
synchronously and gives none. A ``Decoder`` turns one frame into callbacks of an ``EWrapper``. Both are ibapi's, as
installed and unpatched; what they do wrong is caught here:

- an error that a request method reports through its wrapper belongs to the call in progress, whatever id it names;
- the decoder passes over a message whose field count differs from its callback's, logs it and goes on: the field
  count is checked before;
- on protobuf it passes over an order or execution without its parts: a known message that called nothing is a fault;
- whatever it raises, for whatever bytes, comes out as ``DecodeError``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ibapi import comm
from ibapi.client import EClient
from ibapi.decoder import Decoder
from ibapi.wrapper import EWrapper

from ..errors import (
    DecodeError,
    InternalError,
    InvalidRequest,
    LocalError,
    NotTWS,
    UnsupportedRequest,
    UnsupportedServer,
)
from . import _compat, _fast
from ._argument_checks import check_kinds
from ._checks import check_texts
from ._encoder import encoder_class
from ._fast_protobuf import ProtobufHandler, fast_protobuf_handlers
from ._fast_protobuf_ticks import protobuf_ticks
from ._fast_ticks import no_tick, text_ticks
from ._request import Request

__all__ = ["Bridge"]

_takes_id = _compat.interpret_takes_id
_RAW_ID_SERVER_VERSION = _compat.RAW_ID_SERVER_VERSION
_PROTOBUF_ID = _compat.PROTOBUF_ID

_UPDATE_TWS = 503
_INVALID_SYMBOL = 579

_QUIET_MESSAGES = frozenset({17, 65, 66, 69, 70})
"""Messages that may call nothing: historical data without bars (from server version 196 on), and the extra
authentication of third parties' software, which this library does not take part in."""

_LONGEST_VERSION = 100
"""Digits. Versions have three, and Python reads no number of thousands."""

_NEWEST_MESSAGE = 111
"""The highest message id that the request table knows; a callback of a later one is not ours to expect."""


class _Capture:
    """Stands in for ``ibapi.connection.Connection``: what is sent stays here."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, msg: bytes) -> int:
        self.sent.append(msg)
        return len(msg)


class _LocalErrors(EWrapper):
    """The wrapper that request methods report to while they encode."""

    def __init__(self) -> None:
        super().__init__()
        self.reported: list[tuple[int, str]] = []

    def error(self, *arguments: Any) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        _, code, message, _, _ = _compat.error_arguments(arguments)
        self.reported.append((code, message))


class _StrictDecoder(Decoder):
    """ibapi's decoder, but a message with too few or too many fields is an error."""

    def discoverParams(self) -> None:
        """Read the signatures of all callbacks, four milliseconds long, once: they are kept with ibapi's class."""
        if any(info.wrapperMeth and info.wrapperParams is None for info in self.msgId2handleInfo.values()):
            super().discoverParams()

    def interpretWithSignature(self, fields: Any, handleInfo: Any) -> None:
        expected = len(handleInfo.wrapperParams) - 1
        got = len(fields) - (1 if _compat.interpret_takes_id else 2)
        if got != expected:
            raise ValueError(f"{handleInfo.wrapperMeth.__name__} takes {expected} fields, {got} came")
        super().interpretWithSignature(fields, handleInfo)


class Bridge:
    """Requests to frames, frames to callbacks; one a connection."""

    def __init__(
        self,
        wrapper: EWrapper,
        *,
        tick_wrapper: EWrapper,
        client_id: int,
        maximum: int,
        called: Callable[[], int],
    ) -> None:
        """Prepare a connection as *client_id* that offers versions up to *maximum*.

        *wrapper* gets the callbacks of ``decode``, and *called* says how many it has had since the frame began.
        *tick_wrapper* gets those of ``tick``.
        """
        self.server_version = 0
        self.connection_time = ""
        self._maximum = maximum
        self._called = called
        self._errors = _LocalErrors()
        self._capture = _Capture()
        self._eclient = encoder_class()(self._errors)
        self._eclient.conn = self._capture  # pyright: ignore[reportAttributeAccessIssue]
        self._eclient.clientId = client_id
        self._decoder = _StrictDecoder(wrapper, None)
        self._fast = _fast.choose()
        self._fast_protobuf: Mapping[int, ProtobufHandler] = {}
        self._tick_wrapper = tick_wrapper
        self.tick: Callable[[bytes], bool] = no_tick
        if self._fast:
            _fast.silence_twins(wrapper)

    # --- the handshake

    def hello(self) -> bytes:
        """Return the client's first bytes."""
        return _compat.version_frame(self._maximum)

    def shake_hands(self, frame: bytes) -> None:
        """Take the server's first frame, its version and its clock.

        Raises:
          NotTWS: the frame is not that.
          UnsupportedServer: the version is outside what was offered, or older than this library takes.
        """
        fields = comm.read_fields(frame)
        if len(fields) != 2 or not fields[0].isdigit() or len(fields[0]) > _LONGEST_VERSION:
            raise NotTWS(f"the peer's first frame is {frame[:60]!r}, TWS sends its version and its time")
        version = int(fields[0])
        if not _compat.MIN_SERVER_VERSION <= version <= self._maximum:
            raise UnsupportedServer(
                f"the server chose version {version}; this client speaks {_compat.MIN_SERVER_VERSION} to "
                f"{self._maximum} with ibapi {_compat.ibapi_release()}. Update TWS or IB Gateway, or ibapi"
            )
        self.server_version = version
        self.connection_time = fields[1].decode("ascii", "backslashreplace")
        self._eclient.serverVersion_ = self._decoder.serverVersion = version
        self._eclient.connTime = self.connection_time
        self._eclient.setConnState(EClient.CONNECTED)
        if self._fast:
            _fast.silence_twins(self._tick_wrapper)
            if version < _RAW_ID_SERVER_VERSION:
                self.tick = text_ticks(self._tick_wrapper)
            else:
                self._fast_protobuf = fast_protobuf_handlers()
                self.tick = protobuf_ticks(self._tick_wrapper)

    # --- encoding

    def encode(self, request: Request[Any], arguments: Mapping[str, Any], request_id: int | None = None) -> bytes:
        """Return the frame of *request*, length included, under *request_id* if it has one.

        Raises:
          UnsupportedRequest: the installed ibapi or the connected server does not know it.
          InvalidRequest: a text in *arguments* cannot be sent.
          LocalError: ibapi would not encode it for another reason.
        """
        _compat.require_method(request.method, since=request.since, until=request.until)
        if request.needs is not None:
            _compat.require_callback(request.method, request.needs)
        if request_id is not None:
            arguments = _with_id(request, arguments, request_id)
        return self._encode(request.method, arguments, request.since, request.until)

    def encode_method(self, method: str, arguments: Mapping[str, Any]) -> bytes:
        """Return the frame of an EClient method that is no row of the table; raises as ``encode``."""
        return self._encode(method, arguments, "", None)

    def _encode(self, method: str, arguments: Mapping[str, Any], since: str, until: str | None) -> bytes:
        values = _compat.positional(method, arguments, since=since, until=until)
        check_kinds(method, arguments)
        check_texts(arguments)
        self._capture.sent.clear()
        self._errors.reported.clear()
        try:
            getattr(self._eclient, method)(*values)
        except Exception as exc:  # ibapi raises whatever its formatting happens to raise
            raise LocalError(f"{method}: ibapi could not encode the arguments: {exc!r}. Nothing was sent") from exc
        if self._errors.reported:
            raise self._local_error(method, *self._errors.reported[0])
        if not self._capture.sent:
            raise LocalError(f"{method}: ibapi encoded nothing and gave no reason. Nothing was sent")
        if len(self._capture.sent) > 1:
            raise InternalError(f"{method} made {len(self._capture.sent)} frames; one call is one frame")
        return self._capture.sent[0]

    def _local_error(self, method: str, code: int, message: str) -> LocalError:
        text = message.strip()
        if code == _UPDATE_TWS:
            return UnsupportedRequest(
                f"{method} needs a newer TWS or IB Gateway than server version {self.server_version} (ibapi "
                f"{_compat.ibapi_release()}, code {code}: {text})"
            )
        if code == _INVALID_SYMBOL:
            return InvalidRequest(method, f"ibapi refuses a text (code {code}: {text}). Nothing was sent")
        return LocalError(f"{method}: ibapi refuses it with code {code}: {text}. Nothing was sent")

    # --- decoding

    # ``tick(frame)`` decodes a tick or a row of a book, if that is what the frame is, calls ``tick_wrapper`` and
    # returns True. What it returns False for, and has called nothing for, goes to ``decode``.

    def decode(self, frame: bytes) -> int | None:
        """Hand one frame to ibapi's decoder, which calls the wrapper.

        Returns:
          ``None``, or the message's id when neither ibapi nor the table knows it and it was passed over.

        Raises:
          DecodeError: the frame is damaged, or ibapi passed over a message that it should know.
        """
        try:
            message_id, known = self._interpret_fast(frame) if self._fast else self._interpret(frame)
        except Exception as exc:  # any bytes may come, and the decoder lets through what they happen to raise
            raise DecodeError(f"ibapi could not decode {_shown(frame)}: {exc!r}", frame=frame) from exc
        if not known:
            return message_id
        if not self._called() and message_id not in _QUIET_MESSAGES:
            if message_id > _NEWEST_MESSAGE:
                return message_id
            raise DecodeError(f"ibapi passed over {_shown(frame)} without a word", frame=frame)
        return None

    def _interpret_fast(self, frame: bytes) -> tuple[int, bool]:
        """Do what ``_interpret`` does, with the functions of ``_fast`` and few calls."""
        if self.server_version >= _RAW_ID_SERVER_VERSION:
            message_id = int.from_bytes(frame[:4], "big") - _PROTOBUF_ID
            decode = self._fast_protobuf.get(message_id)
            if decode is None or len(frame) < 4:
                return self._interpret(frame)
            decode(self._decoder, frame[4:])
            return message_id, True
        fields = frame.split(b"\0")
        del fields[-1]  # what stands behind the last end of a field is none
        message_id = int(fields[0])
        handle = self._fast.get(message_id)
        if handle is None:
            return message_id, False
        if _takes_id:
            del fields[0]
        handle(self._decoder, iter(fields))
        return message_id, True

    def _interpret(self, frame: bytes) -> tuple[int, bool]:
        """Decode a frame with ibapi's own functions; return the message's id, and whether its kind is known."""
        message_id, protobuf, body = self._split(frame)
        return message_id, (
            self._interpret_protobuf(message_id, body) if protobuf else self._interpret_text(message_id, body)
        )

    def _split(self, frame: bytes) -> tuple[int, bool, bytes]:
        """Return the message id, whether the body is protobuf, and the body."""
        if self.server_version < _compat.RAW_ID_SERVER_VERSION:
            end = frame.index(b"\0")
            return int(frame[:end]), False, frame[end + 1 :]
        if len(frame) < 4:
            raise ValueError("the frame is too short for a message id")
        message_id = int.from_bytes(frame[:4], "big")
        protobuf = message_id > _compat.PROTOBUF_ID
        return message_id - (_compat.PROTOBUF_ID if protobuf else 0), protobuf, frame[4:]

    def _interpret_text(self, message_id: int, body: bytes) -> bool:
        """Call the decoder; return whether it knows this kind of message."""
        if message_id not in self._decoder.msgId2handleInfo:
            return False
        fields = comm.read_fields(body)
        if _compat.interpret_takes_id:
            self._decoder.interpret(fields, message_id)
        else:
            self._decoder.interpret((b"%d" % message_id, *fields))  # type: ignore[call-arg]
        return True

    def _interpret_protobuf(self, message_id: int, body: bytes) -> bool:
        """Call the decoder; return whether it knows this kind of message."""
        if message_id not in self._decoder.msgId2handleInfoProtoBuf:
            return False
        self._decoder.processProtoBuf(body, message_id)
        return True

    def ids_in(self, frame: bytes) -> list[int]:
        """Return the numbers in *frame* that stand where messages have their request or order id."""
        if (
            self.server_version >= _compat.RAW_ID_SERVER_VERSION
            and int.from_bytes(frame[:4], "big") > _compat.PROTOBUF_ID
        ):
            return _first_varint(frame[4:16])
        body = frame[4:] if self.server_version >= _compat.RAW_ID_SERVER_VERSION else frame
        return [int(field) for field in body[:80].split(b"\0")[:4] if field.isdigit()]


def _with_id(request: Request[Any], arguments: Mapping[str, Any], request_id: int) -> dict[str, Any]:
    if request.message is None:
        return {**arguments, str(request.key): request_id}
    parameter = request.parameters[0]
    given = arguments[parameter]
    return {parameter: _compat.protobuf_message(request.message, request_id, given, parameter=parameter)}


def _first_varint(body: bytes) -> list[int]:
    """Return the value of protobuf field 1 when *body* starts with it as a varint."""
    value = shift = 0
    for byte in body[1:] if body[:1] == b"\x08" else b"":
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return [value]
        shift += 7
    return []


def _shown(frame: bytes) -> str:
    return f"a frame of {len(frame)} bytes, {frame[:48]!r}{'…' if len(frame) > 48 else ''}"
