"""``Session``: one connection as a protocol object, bytes in, events and bytes out, without a socket.

It owns the framing, the bridge to ibapi, the router and the outbox, and is the only place where they meet. Nothing
here waits: what a user's call does before it waits for an answer, and what the reader task does with bytes, are
plain calls, so that no cancellation can come between.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any, Protocol

import msgspec

from ..codes import CodeRule
from ..errors import (
    ClientClosed,
    ConnectionLost,
    DecodeError,
    FrameTooLarge,
    IBError,
    InternalError,
    InvalidRequest,
    NotTWS,
    TradingDisabled,
    TradingHalted,
    UnsupportedRequest,
)
from ._bridge import Bridge
from ._checks import check_elsewhere
from ._compat import has_method, parameters, require_callback
from ._fast import why_stock
from ._framing import FrameBuffer
from ._lanes import Lanes, Ticket
from ._order_checks import check_order
from ._order_losses import check_nothing_is_lost
from ._orders import Orders
from ._outbox import Entry, Outbox
from ._request import Request
from ._router import Line, Router
from ._sinks import Buffer, Sink
from ._wrapper import SessionWrapper

__all__ = ["Session", "Settings", "Stats"]

Asked = Line | Ticket

LOOK_EVERY = 4096
"""After so many bytes of frames whoever delivers them looks at the clock: some fifty ticks, or one answer."""

_PLACING = frozenset({"placeOrder", "exerciseOptions"})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """How a session is opened."""

    client_id: int
    maximum: int
    codes: Mapping[int, CodeRule]
    trading: bool


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Counters of a connection since it was opened, and what is open now.

    Attributes:
      frames_in: frames that came, damaged ones included.
      frames_out: frames that were handed to the network.
      bytes_in: bytes that came.
      bytes_out: bytes that were handed to the network.
      decode_errors: frames that could not be decoded.
      notices: messages of TWS that ended nothing.
      late_frames: events and errors for requests that were over.
      events_dropped: events that a full buffer did not take.
      open_requests: requests and subscriptions that are open.
      unsent_frames: frames that wait for the pacer or the network.
    """

    frames_in: int
    frames_out: int
    bytes_in: int
    bytes_out: int
    decode_errors: int
    notices: int
    late_frames: int
    events_dropped: int
    open_requests: int
    unsent_frames: int


class WrapperClass(Protocol):
    """The generated wrapper's constructor."""

    def __call__(self, router: Router) -> Any: ...  # a SessionWrapper, whose base class is ibapi's and untyped


class Session:
    """The state of one connection."""

    def __init__(
        self,
        settings: Settings,
        wrapper: WrapperClass,
        *,
        now: Callable[[], float],
        wake_writer: Callable[[], None],
        wake_clock: Callable[[], None],
    ) -> None:
        self.settings = settings
        self.outbox: Outbox = Outbox(wake_writer)
        self.orders: Orders = Orders(settings.client_id)
        self.lanes: Lanes = Lanes(self.outbox, now, wake_clock)
        self.router: Router = Router(settings.codes, self.lanes, self.orders)
        self._wrapper: SessionWrapper = wrapper(self.router)
        self._recorder = self._wrapper.router
        self._tick_wrapper: SessionWrapper = wrapper(self.router)
        self._tick_wrapper.deliver_at_once()
        self._bridge = Bridge(
            self._wrapper,
            tick_wrapper=self._tick_wrapper,
            client_id=settings.client_id,
            maximum=settings.maximum,
            called=self._recorder.calls.__len__,
        )
        if reason := why_stock():
            self.router.remark(f"messages are decoded by ibapi's own functions, at a third of the speed: {reason}")
        self._frames = FrameBuffer()
        self._order_frames: list[tuple[int, Entry]] = []
        self.halted: str | None = None
        self.crowded: Buffer | None = None
        self.ended: IBError | None = None
        self.frames_in: int = 0
        self.frames_out: int = 0
        self.bytes_in: int = 0
        self.bytes_out: int = 0
        self.decode_errors: int = 0
        self.events_dropped: int = 0
        self.outbox.append(self._bridge.hello())

    # --- facts

    @property
    def server_version(self) -> int:
        """The negotiated version, 0 before the handshake is done."""
        return self._bridge.server_version

    @property
    def connection_time(self) -> str:
        """TWS's clock when the connection was made, as TWS writes it."""
        return self._bridge.connection_time

    @property
    def ready(self) -> bool:
        """Whether TWS has said all that it says at the start."""
        return self.orders.next_order_id is not None and self.router.accounts is not None

    @property
    def unread_bytes(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._frames)

    def stats(self) -> Stats:
        """Return the counters."""
        return Stats(
            frames_in=self.frames_in,
            frames_out=self.frames_out,
            bytes_in=self.bytes_in,
            bytes_out=self.bytes_out,
            decode_errors=self.decode_errors,
            notices=self.router.notices_seen,
            late_frames=self.router.late_frames,
            events_dropped=self.events_dropped,
            open_requests=len(self.router),
            unsent_frames=len(self.outbox),
        )

    # --- bytes in

    def deliver(self, seconds: float) -> bool:
        """Deliver whole frames for so long, or until a reader falls behind; return whether there may be more.

        Raises as ``next_frame``.
        """
        until = perf_counter() + seconds
        self.crowd(None)
        while self.ended is None and (whole := self._whole_frames()):
            self._deliver(whole, LOOK_EVERY)
            if self.crowded is not None or perf_counter() >= until:
                return self.ended is None
        return False

    def _deliver(self, whole: list[bytes], size: int) -> None:
        """Deliver frames of *size* bytes in all, or until a reader falls behind."""
        tick, left = self._bridge.tick, len(whole)
        try:
            while whole:
                frame = whole.pop()
                if not tick(frame):
                    self._take(frame)
                size -= len(frame)
                if size < 0 or self.crowded is not None:
                    return
        finally:
            self.frames_in += left - len(whole)

    def crowd(self, buffer: Buffer | None) -> None:
        """Note that *buffer* is half full: its reader is to run before more comes."""
        self.crowded = buffer

    def receive_data(self, data: bytes) -> None:
        """Add what the network gave."""
        self.bytes_in += len(data)
        self._frames.receive_data(data)

    def next_frame(self) -> bool:
        """Deliver the next whole frame; return whether there was one.

        Raises:
          NotTWS, UnsupportedServer: the handshake failed.
          DecodeError: a frame is damaged, and what it belongs to cannot be told.
          FrameTooLarge: the peer is out of step.
        """
        whole = self._whole_frames()
        if not whole:
            return False
        frame = whole.pop()
        self.frames_in += 1
        if not self._bridge.tick(frame):
            self._take(frame)
        return True

    def _whole_frames(self) -> list[bytes]:
        """Return the frames that are whole, the next one last, to be taken from there; raises as ``next_frame``."""
        try:
            return self._frames.whole()
        except FrameTooLarge as exc:
            if not self.server_version:
                raise NotTWS(f"the peer answered {self._frames.peek()[:60]!r}, which is not how TWS begins") from exc
            raise

    def _take(self, frame: bytes) -> None:
        bridge = self._bridge
        if not bridge.server_version:
            bridge.shake_hands(frame)
            self.outbox.append(bridge.encode_method("startApi", {}))
            return
        if not frame:
            return
        try:
            unknown = bridge.decode(frame)
        except DecodeError as exc:
            self._recorder.calls.clear()
            self.decode_errors += 1
            damage = exc  # whose name ends with this block
            if not self.router.fail_owner(bridge.ids_in(frame), lambda: _once_more(damage)):
                raise
            return
        self._recorder.replay()
        if unknown is not None:
            self.router.unknown_message(unknown)

    # --- requests

    def check(self, request: Request[Any] | None = None) -> None:
        """Raise what keeps *request*, or any, from being sent.

        Raises:
          ConnectionLost, ClientClosed: the session has ended.
          TradingDisabled: it needs ``trading=True``.
          TradingHalted: it would place an order, and the kill switch is on.
        """
        if self.ended is not None:
            raise self.ended_error()
        if self.halted is not None and request is not None and request.method in _PLACING:
            raise self.halted_error()
        if request is not None and request.effect in ("spend", "trade") and not self.settings.trading:
            raise TradingDisabled(
                f"{request.method} can {'spend money' if request.effect == 'spend' else 'change orders or the account'}"
                "; open the client with open_client(..., trading=True). Nothing was sent"
            )

    def ask(
        self, request: Request[Any], arguments: Mapping[str, Any], sink: Sink, *, single: bool, share: bool = False
    ) -> Asked:
        """Send a request whose answer goes to *sink*, and return what ``leave`` takes.

        Raises:
          LocalError: it cannot be sent, and nothing was.
          ConnectionLost, ClientClosed: the session has ended.
          LaneBusy: TWS has one such line a connection, and it is in use with other arguments.
        """
        self.check(request)
        check_elsewhere(request, arguments)
        self._wrapper.listen(request)
        self._tick_wrapper.listen(request)
        if request.by_request_id:
            return self._ask_by_id(request, arguments, sink, share)
        if request.key is None:
            raise InvalidRequest("key", f"{request.method} has none, so that no answer would ever be taken for its own")
        frame = self._bridge.encode(request, arguments)
        require_callback(request.method, request.key)
        cancel = self._cancel_frame(request, arguments) if request.lasting or request.endless else None
        return self.lanes.join(Ticket(request, request.lane(arguments), frame, cancel, single=single), sink)

    def probe(self, request: Request[Any]) -> None:
        """Ask TWS for its clock, though nobody waits for the answer; raises as ``ask``."""
        self.check(request)
        self.lanes.probe(Ticket(request, request.lane({}), self._bridge.encode(request, {}), None, single=True))

    def _ask_by_id(self, request: Request[Any], arguments: Mapping[str, Any], sink: Sink, share: bool) -> Line:
        shared_as = self._bridge.encode(request, arguments, 0) if share or request.lasting else None
        if shared_as is not None:
            joined = self.router.join(shared_as, sink)
            if joined is not None:
                return joined
        request_id = self.router.new_request_id()
        first = self._bridge.encode(request, arguments, request_id)

        def send(line: Line) -> Entry:
            anew = line.request_id != request_id
            frame = self._bridge.encode(request, arguments, line.request_id) if anew else first
            return self.outbox.append(frame, orders=request.orders)

        def cancel(line: Line) -> None:
            if line.entry is not None and not self.outbox.remove(line.entry):
                cancelling = self._cancel_frame(request, arguments, line.request_id)
                if cancelling is not None:
                    self.outbox.append(cancelling)

        line = Line(request, request_id, send, cancel)
        self.router.open(line, sink, shared_as=shared_as)
        return line

    def leave(self, asked: Asked, sink: Sink) -> None:
        """Stop listening, and end at TWS what nobody else uses; idempotent."""
        if isinstance(asked, Ticket):
            self.lanes.leave(asked, sink)
        else:
            self.router.leave(asked, sink)

    def _cancel_frame(
        self, request: Request[Any], arguments: Mapping[str, Any], request_id: int | None = None
    ) -> bytes | None:
        """Return the message that ends *request* at TWS, ``None`` where there is none for this release and server."""
        if request.cancel is None or not has_method(request.cancel):
            return None
        given = {name: arguments[name] for name in request.cancel_parameters} | dict(request.cancel_constants)
        if request_id is not None:
            given[parameters(request.cancel)[0]] = request_id
        try:
            return self._bridge.encode_method(request.cancel, given)
        except UnsupportedRequest:  # the server is older than the cancel message
            return None

    def send(self, request: Request[Any], arguments: Mapping[str, Any]) -> None:
        """Send a request that has no answer; raises as ``ask``."""
        self.check(request)
        if request.method == "reqAutoOpenOrders" and self.settings.client_id != 0:
            raise InvalidRequest(
                "client_id", f"it is {self.settings.client_id}, and TWS binds its own orders to client 0 only"
            )
        self.outbox.append(self._bridge.encode(request, arguments), orders=request.orders)
        if request.method == "cancelOrder":
            self.orders.sent(arguments["orderId"], "cancel")
        if request.method == "reqMarketDataType":
            self.router.market_data_type = arguments["marketDataType"]

    def send_on(self, asked: Asked, request: Request[Any], arguments: Mapping[str, Any]) -> None:
        """Send *request* under the id of an open line; raises as ``ask``."""
        self.check(request)
        request_id = asked.request_id if isinstance(asked, Line) else None
        self.outbox.append(self._bridge.encode(request, arguments, request_id))

    # --- orders

    def place(self, request: Request[Any], arguments: Mapping[str, Any], buffer: Buffer) -> int:
        """Send an order, whose events go to *buffer* as well, and return its id; raises as ``ask``.

        The id is taken in the same step in which the frame is queued: an order that cannot be encoded uses none up.
        """
        [order_id] = self.place_all(request, [arguments])
        self.orders.attach(order_id, buffer)
        return order_id

    def place_all(self, request: Request[Any], family: Sequence[Mapping[str, Any]]) -> list[int]:
        """Send several orders with nothing in between, or none of them, and return their ids; raises as ``ask``."""
        self.check(request)
        order_ids = self._order_ids(request, family)
        frames = [self._order_frame(request, *each) for each in zip(family, order_ids, strict=True)]
        self._order_frames = [each for each in self._order_frames if not each[1].written]
        for order_id, frame in zip(order_ids, frames, strict=True):
            self.orders.sent(order_id, "change" if self.orders.known(order_id) else "order")
            self.orders.use(order_id)
            self._order_frames.append((order_id, self.outbox.append(frame, orders=True)))
        return order_ids

    def _order_frame(self, request: Request[Any], arguments: Mapping[str, Any], order_id: int) -> bytes:
        """Encode an order, and see that all of it is there."""

        def encode(order: Any) -> bytes:
            return self._bridge.encode(request, {**arguments, "order": order}, order_id)

        if request.method != "placeOrder":
            return self._bridge.encode(request, arguments, order_id)
        frame = encode(arguments["order"])
        check_nothing_is_lost(arguments["order"], self.server_version, encode, frame)
        return frame

    def _order_ids(self, request: Request[Any], family: Sequence[Mapping[str, Any]]) -> list[int]:
        """Return the id of each order: its own, or the next free one."""
        order_ids: list[int] = []
        used = 0
        for arguments in family:
            if request.method == "placeOrder":
                check_order(arguments)
            order_id = getattr(arguments.get("order"), "orderId", 0)
            if order_id == 0:
                order_id = self.orders.next_free(used)
                used += 1
            elif not self.orders.known(order_id):
                raise InvalidRequest(
                    "order_id",
                    f"order.orderId is {order_id}, which is no order of this client: 0 places a new order, the id of "
                    "an order that this client placed changes it. Nothing was sent",
                )
            order_ids.append(order_id)
        return order_ids

    def ask_what_if(self, request: Request[Any], arguments: Mapping[str, Any]) -> int:
        """Send an order that says of itself that it only asks, and return its id; raises as ``ask``.

        It is encoded a second time without saying so: were the two frames the same, it would be an order.
        """
        self.check(request)
        [order_id] = self._order_ids(request, [arguments])
        trading = copy.copy(arguments["order"])
        trading.whatIf = False
        frame = self._order_frame(request, arguments, order_id)
        if frame == self._bridge.encode(request, {**arguments, "order": trading}, order_id):
            raise InternalError("the encoded what-if order does not say that it is one. Nothing was sent")
        self.orders.sent(order_id, "what-if")
        self.orders.use(order_id)
        self.outbox.append(frame, orders=True)
        return order_id

    def halt(self, reason: str) -> list[int]:
        """Refuse orders from now on, take back those that are still unwritten, and return their ids."""
        self.halted = reason
        taken_back = [order_id for order_id, entry in self._order_frames if self.outbox.remove(entry)]
        self._order_frames.clear()
        for order_id in taken_back:
            self.orders.taken_back(order_id, self.halted_error())
        return taken_back

    def halted_error(self) -> TradingHalted:
        """Return a new exception that says why no order is sent."""
        return TradingHalted(f"trading was halted: {self.halted}. Nothing was sent; resume() ends the halt")

    # --- the end

    def end(self, error: IBError) -> None:
        """Fail everything that is open; the first reason stays."""
        if self.ended is None:
            self.ended = error
            self.router.fail_all(self.ended_error)

    def ended_error(self) -> IBError:
        """Return a new exception that says why the session ended."""
        assert self.ended is not None
        error = type(self.ended)(*self.ended.args)
        error.__cause__ = self.ended.__cause__
        return error

    def lose(self, reason: str, cause: BaseException | None = None) -> None:
        """The connection is gone."""
        error = ConnectionLost(f"the connection to TWS was lost: {reason}")
        error.__cause__ = cause
        self.end(error)

    def close(self) -> None:
        """The user is done."""
        self.end(ClientClosed("the client was closed: its 'async with' block has ended"))


def _once_more(damage: DecodeError) -> DecodeError:
    """Return the same error for another task: one object raised in two would have the traceback of both."""
    error = DecodeError(*damage.args, frame=damage.frame)
    error.__cause__ = damage.__cause__
    return error
