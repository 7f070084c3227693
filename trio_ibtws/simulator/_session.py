"""One client's session: from its ``startApi`` to its end, and from a decoded request to its handler.

The handlers are in the ``_serve_…`` modules; ``_serve`` has the table of them.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from ._accounts import Holding
from ._codec import FieldError, Message, UnknownMessage, decode_request, encode_answer, parts_of
from ._connection import Connection
from ._limits import RateGate
from ._link import LOCAL_REQUESTS, MARKET_DATA, ORDER_NEWS, farm_of

if TYPE_CHECKING:
    from ._gateway import Gateway

__all__ = ["COMPETING", "NO_ID", "Handler", "Received", "Session"]

NO_ID = -1
"""The request id of messages that belong to no request."""
COMPETING = (10197, "No market data during competing live session")
_CLIENT_ID_IN_USE = "Unable to connect as the client id is already in use. Retry with a unique client id."
_CLOSE_AFTER_326 = 0.7  # seconds, as measured at gateways
_FIELD_NAMES = {"reqId": "Client Req Id", "orderId": "Order Id"}
_MARKET_DATA_REQUESTS = ("reqMktData", "reqMktDepth", "reqTickByTickData", "reqRealTimeBars", "reqHistoricalData")


class Received(msgspec.Struct, frozen=True):
    """A request as a client sent it.

    Attributes:
      client_id: the client's id.
      name: the ``EClient`` method that makes such a request.
      values: its arguments by IB's names, contracts and orders as nested dicts.
      time: the simulated instant, in seconds since 1970.
    """

    client_id: int
    name: str
    values: dict[str, Any]
    time: float


Handler = Callable[["Session", dict[str, Any]], None]
"""Does what a request asks for, given its values."""


class Session:
    """The state of one client that has, or will have, a client id."""

    def __init__(
        self,
        world: Gateway,
        connection: Connection,
        version: int,
        handlers: Mapping[str, Handler],
        greet: Callable[[Session], None],
        log: Callable[[Received], None],
        *,
        paced: bool = False,
    ) -> None:
        self.world = world
        self.connection = connection
        self.version = version
        self.client_id: int = NO_ID
        self.market_data_type = 1
        self.last_current_time: float = float("-inf")
        self.lines: dict[tuple[str, Hashable], Callable[[], None]] = {}
        """What is running for this client, by kind and request id: how to stop each."""
        self.opened: dict[str, set[tuple[str, Hashable]]] = {}
        """Which lines requests of a name have opened, where that is limited."""
        self.account_updates: Callable[[list[Holding]], None] | None = None
        """Tells this client about changed positions, while it follows the account."""
        self.busy_until: float = 0.0
        """When the last of the messages that are read later will have been."""
        self._contracts: dict[Hashable, dict[str, Any]] = {}
        self._paced = paced
        self._rate = RateGate(world.scenario.limits.messages_per_second)
        self._handlers = handlers
        self._greet = greet
        self._log = log

    # --- what the client gets ------------------------------------------------------------------------------------

    def send(self, name: str, /, **values: Any) -> None:
        """Send one message, unless what connects the gateway to IB is down: then it is lost, or comes later."""
        link = self.world.link
        if name in MARKET_DATA and not self._arrives(values):
            return
        if name in ORDER_NEWS and not link.up:
            link.wait(partial(self.send, name, **values))
            return
        if name == "error":
            values.setdefault("errorTime", int(self.world.clock.now() * 1000))
        for part in parts_of(Message(name, values), self.version):
            self.world.faults.outgoing(self, part.name, part.values, encode_answer(part, self.version))

    def _arrives(self, values: dict[str, Any]) -> bool:
        link = self.world.link
        if link.up and link.all_farms_up:
            return not self.world.competing
        return not self.world.competing and link.shows(farm_of(self._contracts.get(values.get("reqId"), {})))

    def error(self, request: int, code: int, text: str, advanced_reject: str = "") -> None:
        """Send an error, or a notice when *request* is -1."""
        self.send("error", reqId=request, errorCode=code, errorString=text, advancedOrderRejectJson=advanced_reject)

    # --- its lines -----------------------------------------------------------------------------------------------

    def open_line(self, kind: str, key: Hashable, stop: Callable[[], None]) -> None:
        """Remember how to stop something that runs until it is cancelled, in place of an older one of the same key."""
        self.close_line(kind, key)
        self.lines[kind, key] = stop

    def has_line(self, kind: str, key: Hashable) -> bool:
        """Return whether such a line runs."""
        return (kind, key) in self.lines

    def close_line(self, kind: str, key: Hashable) -> bool:
        """Stop a line; return whether there was one."""
        stop = self.lines.pop((kind, key), None)
        if stop is not None:
            stop()
        return stop is not None

    def lose_market_data(self) -> None:
        """Tell of everything that shows prices that it is shown to somebody else now."""
        for _, key in list(self.lines):
            if key in self._contracts and isinstance(key, int):
                self.error(key, *COMPETING)

    def drop_market_data(self) -> None:
        """Stop everything that shows prices, without a word."""
        for kind, key in list(self.lines):
            if key in self._contracts:
                self.close_line(kind, key)
        self._contracts.clear()

    def end(self) -> None:
        """Stop everything: the client is gone. Its id may stay taken for a while."""
        for kind, key in list(self.lines):
            self.close_line(kind, key)
        if self.world.sessions.get(self.client_id) is self:
            del self.world.sessions[self.client_id]
            held = self.world.scenario.client_id_held
            if held > 0:
                self.world.hold_id(self.client_id, held)

    # --- what the client asks ------------------------------------------------------------------------------------

    def receive(self, body: bytes) -> None:
        """Do what one frame asks for: now, or later when the client wants to be slowed down, or not at all."""
        clock = self.world.clock
        if self._paced:
            self.busy_until = self._rate.slot(clock.now())
            if self.busy_until > clock.now():
                clock.call_at(self.busy_until, partial(self._read, body))
                return
        elif not self._rate.admit(clock.now()):
            self._too_fast()
            return
        elif warning := self._rate.warning(clock.now()):
            self.error(NO_ID, 0, warning)
        self._read(body)

    def _too_fast(self) -> None:
        self.error(NO_ID, 100, self._rate.refusal(self.world.clock.now()))
        most = self.world.scenario.limits.rate_violations
        if most is not None and self._rate.refused >= most:
            self.connection.close()

    def _read(self, body: bytes) -> None:
        if self.connection.closed:
            return
        try:
            request = decode_request(body, self.version)
        except UnknownMessage as unknown:
            self.error(NO_ID, 320, f"Error reading request. Unknown message id: {str(unknown)[:20]}")
            return
        except FieldError as problem:
            self._refuse_field(problem)
            return
        self.world.faults.incoming(self, request.name, request.values, partial(self._handle, request))

    def _handle(self, request: Message) -> None:
        if self.client_id == NO_ID:
            self._start(request)
            return
        self._log(Received(self.client_id, request.name, request.values, self.world.clock.now()))
        if self.world.link.up or request.name.startswith(LOCAL_REQUESTS):
            self._serve(request)
        else:
            self.world.link.wait(partial(self._serve, request))

    def _serve(self, request: Message) -> None:
        if self.connection.closed:
            return
        if request.name in _MARKET_DATA_REQUESTS:
            self._contracts[request.values["reqId"]] = request.values["contract"]
        self._handlers[request.name](self, request.values)

    def _refuse_field(self, problem: FieldError) -> None:
        read = problem.values
        request = read["reqId"] if "reqId" in read else read.get("orderId", NO_ID)
        name = _FIELD_NAMES.get(problem.name, problem.name)
        text = f"Error reading request. Unable to parse field: '{name}' for input string: '{problem.text}'"
        self.error(request, 320, text)

    def _start(self, request: Message) -> None:
        if request.name != "startApi":
            self.connection.close()  # a gateway is wedged by it; hanging up is kinder
            return
        client_id = request.values["clientId"]
        self._log(Received(client_id, request.name, request.values, self.world.clock.now()))
        if client_id in self.world.sessions or client_id in self.world.held_ids:
            self.error(NO_ID, 326, _CLIENT_ID_IN_USE)
            self.world.clock.call_later(_CLOSE_AFTER_326, self.connection.close)
            return
        self.client_id = client_id
        self.world.sessions[client_id] = self
        self.world.arm()
        self._greet(self)
