"""The only place that touches a socket: a TCP connection, and a way to write to it from plain code."""

from __future__ import annotations

import socket

import anyio
from anyio.abc import SocketAttribute, SocketStream

from ..errors import ConnectRefused, ConnectTimeout

__all__ = ["Shortcut", "open_stream", "shortcut_to", "timed_out"]


class Shortcut:
    """Writes to a TCP connection as much as the kernel takes at once.

    Only for a connection to which nobody is writing by its stream: whoever writes there has to be done first.
    """

    def __init__(self, same: socket.socket) -> None:
        self._socket = same

    def send(self, data: bytes) -> int:
        """Return how many bytes of *data* the kernel took; who writes the others meets the error, if there is one."""
        try:
            return self._socket.send(data)
        except OSError:
            return 0

    def close(self) -> None:
        """Give the socket's other number back; the connection ends with its stream."""
        self._socket.close()


def shortcut_to(stream: SocketStream) -> Shortcut | None:
    """Return a shortcut to *stream*; none where the process may not have another file, and the writer writes it all."""
    connected = stream.extra(SocketAttribute.raw_socket)
    try:  # asyncio's and uvloop's stand-ins for a socket cannot send: this is the same socket under another number
        same = socket.fromfd(connected.fileno(), connected.family, connected.type)
    except OSError:
        return None
    same.setblocking(False)
    return Shortcut(same)


async def open_stream(host: str, port: int) -> SocketStream:
    """Return a TCP connection; raises ``ConnectRefused`` with what to look at when nothing listens there."""
    try:
        return await anyio.connect_tcp(host, port)
    except (socket.gaierror, UnicodeError) as exc:  # what is no name at all fails before anybody is asked
        raise ConnectRefused(
            f"the host {host!r} is not known ({exc}). Give the name or address of the computer that TWS or IB Gateway "
            "runs on: 127.0.0.1 is this one"
        ) from exc
    except OSError as exc:
        refused = ConnectRefused(
            f"nothing answers at {host}:{port} ({exc.__cause__ or exc}). Start TWS or IB Gateway, switch on 'Enable "
            "ActiveX and Socket Clients' in its API settings, and compare the port: TWS has 7496 (live) and 7497 "
            "(paper), IB Gateway 4001 and 4002"
        )
        raise refused from exc


def timed_out(phase: str, seconds: float) -> ConnectTimeout:
    """Return the error of a start that took too long."""
    what = {
        "connect": "the address took no connection",
        "handshake": "the peer did not answer as TWS does; is it one, and does a dialog there wait for a click?",
        "start-up": "TWS shook hands but did not name its accounts and the next order id; is it logged in?",
    }[phase]
    return ConnectTimeout(f"no session within {seconds:g} s, in the phase {phase!r}: {what}", phase=phase)
