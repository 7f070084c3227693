"""The headline: a burst of exactly 4096 bytes of fills, then silence. Stock ibapi delivers none of them.

``ibapi.connection.Connection.recvMsg`` reads in pieces of 4096 bytes until one is shorter. When the last one is not,
it waits for more, and when its one-second timeout strikes first, what it has read is gone: no error, still connected.
"""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
from ibapi.client import EClient
from ibapi.wrapper import EWrapper

from tests.peer import connected, text
from trio_ibtws import ExecDetails
from trio_ibtws._runtime._framing import FrameBuffer, frame

FILLS = 60
BURST = 4096


def fills() -> bytes:
    """Return 60 executions of server version 157 in exactly 4096 bytes; the last one's texts are longer."""

    def fill(number: int, order_ref: str = "") -> bytes:
        contract = (1, "X", "STK", "", 0, "", "", "N", "USD", "", "")
        execution = (f"e{number:02}", "t", "", "", "BOT", 1, 1, 9, 0, 0, 1, 1, order_ref, "", "", "", 1)
        return text(11, -1, 7, *contract, *execution)

    burst = b"".join(fill(number) for number in range(FILLS - 1))
    missing = BURST - len(burst) - len(fill(FILLS - 1))
    assert missing > 0
    return burst + fill(FILLS - 1, "r" * missing)


def test_the_burst_is_what_it_says() -> None:
    frames = FrameBuffer()
    frames.receive_data(fills())
    assert len(fills()) == BURST
    assert sum(1 for _ in iter(frames.next_frame, None)) == FILLS


@pytest.mark.anyio
async def test_all_fills_of_the_burst_arrive() -> None:
    async with connected() as (client, peer), client.order_events() as events:
        await peer.stream.send(fills())
        got = [await events.receive() for _ in range(FILLS)]
    assert [event.execution.execId for event in got if isinstance(event, ExecDetails)] == [
        f"e{n:02}" for n in range(FILLS)
    ]


class StockClient(EWrapper):
    """What a program on stock ibapi hears."""

    def __init__(self) -> None:
        super().__init__()
        self.fills: list[str] = []
        self.errors: list[Any] = []
        self.started = threading.Event()

    def execDetails(self, reqId: int, contract: Any, execution: Any) -> None:
        self.fills.append(execution.execId)

    def error(self, *arguments: Any) -> None:
        self.errors.append(arguments)

    def nextValidId(self, orderId: int) -> None:
        self.started.set()


def test_stock_ibapi_delivers_none_of_them() -> None:
    """The same bytes to ``EClient.run()``, over a real socket, with the second of silence that its timeout takes."""
    wrapper = StockClient()
    eclient = EClient(wrapper)
    silence_over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        serving = threading.Thread(target=serve_burst, args=(server, wrapper.started, silence_over))
        serving.start()
        eclient.connect("127.0.0.1", server.getsockname()[1], 1)
        running = threading.Thread(target=eclient.run)
        running.start()
        silence_over.wait(10)
        try:
            assert (wrapper.fills, wrapper.errors, eclient.isConnected()) == ([], [], True)
        finally:
            eclient.disconnect()
            running.join(10)
            serving.join(10)


def serve_burst(server: socket.socket, started: threading.Event, silence_over: threading.Event) -> None:
    """Shake hands at version 157, send the burst once the client runs, and then nothing for longer than a second."""
    connection, _ = server.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(frame(b"157\x0020231021 13:28:15 EST\x00"))
        connection.recv(4096)
        connection.sendall(text(15, 1, "DU1") + text(9, 1, 1))
        started.wait(10)
        connection.sendall(fills())
        connection.settimeout(1.6)
        try:
            connection.recv(1)  # the client sends nothing: this is the silence
        except TimeoutError:
            silence_over.set()
            connection.settimeout(10)
            connection.recv(1)
