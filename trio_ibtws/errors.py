"""Every exception of the library, named by whose fault it is.

``LocalError`` is the caller's: the request was not sent. ``RequestError`` is TWS's answer to one request.
``ConnectError`` and ``ConnectionLost`` are the world's. ``SlowConsumer`` is the reader of a stream that did not keep
up. ``ProtocolError`` is bytes that make no sense. ``InternalError`` is a bug of ours.
"""

from __future__ import annotations

__all__ = [
    "ClientClosed",
    "ClientIdInUse",
    "CompetingSession",
    "ConnectError",
    "ConnectRefused",
    "ConnectTimeout",
    "ConnectionLost",
    "DecodeError",
    "FrameTooLarge",
    "IBError",
    "InternalError",
    "InvalidRequest",
    "JournalError",
    "LimitReached",
    "LocalError",
    "NoData",
    "NoPermission",
    "NoSuchContract",
    "NotTWS",
    "OrderLimitExceeded",
    "OrderRejected",
    "PacingViolation",
    "ProtocolError",
    "ReadOnlySession",
    "RequestError",
    "SlowConsumer",
    "TradingDisabled",
    "TradingHalted",
    "UnsupportedRequest",
    "UnsupportedServer",
]


class IBError(Exception):
    """The base of all exceptions that this package raises on purpose."""


# --- no session -------------------------------------------------------------------------------------------------


class ConnectError(IBError):
    """No session with TWS came about."""


class ConnectRefused(ConnectError):
    """Nothing listens at that address, or it hung up before the handshake was done."""


class ConnectTimeout(ConnectError):
    """The deadline passed before the session was ready.

    Attributes:
      phase: what was being waited for: ``"connect"``, ``"handshake"`` or ``"start-up"``.
    """

    def __init__(self, message: str, *, phase: str) -> None:
        super().__init__(message)
        self.phase = phase


class NotTWS(ConnectError):
    """The peer answered, but not as TWS or IB Gateway does."""


class ClientIdInUse(ConnectError):
    """TWS code 326: another connection has this client id."""


class UnsupportedServer(ConnectError):
    """The server speaks a version that this library or the installed ibapi does not."""


# --- the end of a session ---------------------------------------------------------------------------------------


class ConnectionLost(IBError):
    """The session ended without being asked to; the reason is its ``__cause__`` and in its text."""


class ClientClosed(IBError):
    """The client was used after its ``async with`` block had ended."""


# --- the caller's ------------------------------------------------------------------------------------------------


class LocalError(IBError):
    """The request was refused on this side. Nothing was sent."""


class UnsupportedRequest(LocalError):
    """The installed ibapi, or the connected server, does not know this request."""


class InvalidRequest(LocalError):
    """An argument cannot be sent.

    Attributes:
      field: the argument, and the attribute of it: ``"contract.symbol"``, ``"order_id"``.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class TradingDisabled(LocalError):
    """The request can spend money or change orders, and the client was opened without ``trading=True``."""


class TradingHalted(LocalError):
    """The kill switch of an order book is on: no order is sent until ``resume()``."""


class OrderLimitExceeded(InvalidRequest):
    """An order is beyond a limit of its order book.

    Attributes:
      field: the argument, and the attribute of it: ``"order.totalQuantity"``.
      limit: the name of the limit in ``OrderLimits``: ``"max_quantity"``.
    """

    def __init__(self, field: str, limit: str, message: str) -> None:
        super().__init__(field, f"{message} (limit {limit}). Nothing was sent")
        self.limit = limit


class JournalError(LocalError):
    """The journal of an order book could not be read or written. An order that is not in it is not sent."""


# --- TWS's -------------------------------------------------------------------------------------------------------


class RequestError(IBError):
    """TWS answered a request with an error.

    Attributes:
      code: the TWS message code.
      message: TWS's text.
      request: what was asked, by its EClient method.
      advanced_reject: the JSON text that some order rejections carry, or an empty string.
      advice: what to do about it, where TWS's text does not say so, or an empty string.
    """

    def __init__(
        self, code: int, message: str, *, request: str = "", advanced_reject: str = "", advice: str = ""
    ) -> None:
        super().__init__(f"{request}: TWS code {code}: {message}" if request else f"TWS code {code}: {message}")
        self.code = code
        self.message = message
        self.request = request
        self.advanced_reject = advanced_reject
        self.advice = advice

    def __str__(self) -> str:
        text = super().__str__()
        return f"{text.rstrip('.')}; {self.advice}" if self.advice else text


class NoSuchContract(RequestError):
    """No security fits the description (200)."""


class NoPermission(RequestError):
    """The account has no subscription or permission for this data (354, 10089, 10168 and others)."""


class PacingViolation(RequestError):
    """Too many requests in too short a time (100, 162 by its text, 420)."""


class LimitReached(RequestError):
    """As many subscriptions of this kind are open as the account may have (101, 309, 10190, 322 by its text): end one
    before the next.
    """


class NoData(RequestError):
    """The request was right, and there is nothing to answer (162 by its text)."""


class OrderRejected(RequestError):
    """TWS or the exchange refused an order or the change of one (201 and others)."""


class ReadOnlySession(RequestError):
    """TWS has its API in read-only mode (321 by its text)."""


class CompetingSession(RequestError):
    """The user is logged in elsewhere, and market data goes there (10197)."""


# --- the reader of a stream --------------------------------------------------------------------------------------


class SlowConsumer(IBError):
    """A stream with ``overflow="raise"`` held as many events as its buffer takes when one more came.

    What was buffered has been delivered before this is raised.
    """


# --- bytes -------------------------------------------------------------------------------------------------------


class ProtocolError(IBError):
    """What arrived is not what the TWS protocol allows."""


class DecodeError(ProtocolError):
    """ibapi could not decode a frame, or dropped it without a word.

    Attributes:
      frame: the frame's bytes, without the length.
    """

    def __init__(self, message: str, *, frame: bytes = b"") -> None:
        super().__init__(message)
        self.frame = frame


class FrameTooLarge(ProtocolError):
    """A length prefix announces a frame above the limit; none of its body was read."""

    def __init__(self, length: int, limit: int) -> None:
        super().__init__(f"a frame of {length} bytes was announced, the limit is {limit}: the peer is not in step")
        self.length = length
        self.limit = limit


class InternalError(IBError):
    """A bug in trio_ibtws; please report it with the traceback."""


def interruption(group: BaseExceptionGroup[BaseException]) -> BaseException | None:
    """Return the KeyboardInterrupt or SystemExit in *group*: Ctrl-C strikes whichever task is running."""
    found: BaseException | None = group.subgroup((KeyboardInterrupt, SystemExit))
    while isinstance(found, BaseExceptionGroup):
        found = found.exceptions[0]
    return found
