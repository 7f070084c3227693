"""The server: answers every client alike, faster than any of them reads, from a process of its own.

``python -m benchmarks.feeder`` prints ``{"text": port, "protobuf": port}`` and serves until its standard input ends.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
import time
from functools import lru_cache

from . import wire

_DIFFERENT = 2000
"""So many different messages are made, and sent again and again."""


class Line:
    """One connection."""

    def __init__(self, connection: socket.socket, version: int) -> None:
        self._connection = connection
        self._version = version
        self._reader = connection.makefile("rb")
        self._open: list[tuple[int, int]] = []

    def serve(self) -> None:
        try:
            self._greet()
            while body := self._next():
                self._answer(*wire.parse(body, self._version))
        except OSError:
            return  # the client is done, and says so by closing
        finally:
            self._reader.close()
            self._connection.close()

    def _next(self) -> bytes:
        header = self._reader.read(4)
        return self._reader.read(int.from_bytes(header, "big")) if len(header) == 4 else b""

    def _greet(self) -> None:
        self._reader.read(4)
        offered = int(self._next().rpartition(b"..")[2].split()[0])
        self._version = min(self._version, offered)
        self._connection.sendall(wire.hello(self._version))

    def _answer(self, message_id: int, request_id: int, command: str, number: int, count: int) -> None:
        if message_id == wire.START_API:
            self._connection.sendall(wire.start(self._version))
        elif message_id == wire.CURRENT_TIME:  # the probe of a client to whom nothing came for a while
            self._connection.sendall(wire.current_time(self._version))
        elif message_id == wire.POSITIONS:
            self._connection.sendall(wire.positions_end())
        elif message_id == wire.HEAD_TIMESTAMP:
            self._connection.sendall(wire.head_timestamp(self._version, request_id))
        elif command == "BARS":
            self._connection.sendall(_bars(self._version, number).replace(*_id_of_bars(self._version, request_id)))
        elif command:
            self._stream(message_id, request_id, command, number, count)

    def _stream(self, message_id: int, request_id: int, command: str, number: int, count: int) -> None:
        self._open.append((message_id, request_id))
        if command == "FLOOD":
            self._flood(message_id, request_id, number)
        elif command == "RATE":
            self._pace(message_id, request_id, number, count)
        elif command == "SPREAD":
            self._spread(number, count)

    def _flood(self, message_id: int, request_id: int, count: int) -> None:
        parts = wire.messages(wire.maker(message_id, self._version), request_id, min(count, _DIFFERENT))
        whole, rest = divmod(count, len(parts))
        blob = b"".join(parts)
        for _ in range(whole):
            self._connection.sendall(blob)
        self._connection.sendall(b"".join(parts[:rest]))

    def _pace(self, message_id: int, request_id: int, rate: int, count: int) -> None:
        """Send *count* messages, each with the time at which it is sent for its price."""
        make = wire.maker(message_id, self._version)
        began = time.monotonic()
        for number in range(count):
            wait = began + number / rate - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._connection.sendall(make(request_id, number, time.monotonic()))

    def _spread(self, turn: int, count: int) -> None:
        make = {message_id: wire.maker(message_id, self._version) for message_id, _ in self._open}
        left = count
        while left > 0:
            for message_id, request_id in self._open:
                now = min(turn, left)
                left -= now
                self._connection.sendall(make[message_id](request_id, left, 100.25) * now)
                if not left:
                    return


_STAND_IN = 1_987_654_321


@lru_cache
def _bars(version: int, count: int) -> bytes:
    return wire.bars(version, _STAND_IN, count)


def _id_of_bars(version: int, request_id: int) -> tuple[bytes, bytes]:
    """Return the stand-in for the request id in an answer that is kept, and what takes its place."""
    if version < wire.PROTOBUF:
        return b"%d" % _STAND_IN, b"%010d" % request_id
    return _varint(_STAND_IN), _varint(request_id)


def _varint(value: int) -> bytes:
    """Return *value* in five bytes, whatever its size."""
    return bytes(value >> shift & 0x7F | (0x80 if shift < 28 else 0) for shift in range(0, 35, 7))


def _accept(server: socket.socket, version: int) -> None:
    while True:
        connection, _ = server.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Line(connection, version).serve, daemon=True).start()


def main() -> None:
    ports = {}
    for name, version in (("text", wire.TEXT), ("protobuf", wire.PROTOBUF)):
        server = socket.create_server(("127.0.0.1", 0), backlog=64)
        ports[name] = server.getsockname()[1]
        threading.Thread(target=_accept, args=(server, version), daemon=True).start()
    print(json.dumps(ports), flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
