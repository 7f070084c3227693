"""One connection, from its first byte to its last: handshake, frames, session."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from .._runtime._framing import FrameBuffer
from ..errors import FrameTooLarge
from ._connection import Connection
from ._gateway import Gateway
from ._handshake import PREFIX, choose_version, greeting
from ._serve import HANDLERS, greet
from ._session import Received, Session

__all__ = ["Peer"]

_PACED = b"+PACEAPI"  # a connect option: slow me down rather than refuse what is too fast
_MOST_LATE = 10.0  # seconds of messages that wait to be read later; more are left in the socket


class Peer:
    """What is at the other end of a connection."""

    def __init__(
        self, gateway: Gateway, connection: Connection, version: int | None, log: Callable[[Received], None]
    ) -> None:
        self._gateway = gateway
        self._version = version
        self._log = log
        self._frames = FrameBuffer()
        self._prefix = b""
        self.connection = connection
        self.session: Session | None = None

    def receive_data(self, data: bytes, done: Callable[[], None]) -> None:
        """Do what *data* asks for, and call *done* when more may be read."""
        if not self.connection.deaf:
            self._receive(data)
        clock = self._gateway.clock
        late = 0.0 if self.session is None else self.session.busy_until - clock.now()
        if late > _MOST_LATE:
            clock.call_later(late, done)
        else:
            done()

    def _receive(self, data: bytes) -> None:
        data = self._skip_prefix(data)
        self._frames.receive_data(data)
        try:
            while not self.connection.closed and (body := self._frames.next_frame()) is not None:
                self._receive_frame(body)
        except FrameTooLarge:
            self.connection.close()

    def _skip_prefix(self, data: bytes) -> bytes:
        missing = len(PREFIX) - len(self._prefix)
        self._prefix += data[:missing]
        if not PREFIX.startswith(self._prefix):
            self.connection.close()
        return data[missing:]

    def _receive_frame(self, body: bytes) -> None:
        if self.session is not None:
            self.session.receive(body)
        elif self._gateway.answers:
            self._shake_hands(body)
        else:
            self._gateway.unanswered.append(partial(self._receive_late, body))

    def _receive_late(self, body: bytes) -> None:
        if not self.connection.closed:
            self._receive_frame(body)

    def _shake_hands(self, offer: bytes) -> None:
        gateway = self._gateway
        version = choose_version(offer, self._version)
        if version is None:
            self.connection.close()
            return
        self.connection.send(greeting(version, gateway.clock.now()))
        self.session = Session(gateway, self.connection, version, HANDLERS, greet, self._log, paced=_PACED in offer)

    def end(self) -> None:
        """The client is gone."""
        if self.session is not None:
            self.session.end()
