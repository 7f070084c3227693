"""``StockClient``: ibapi's own encoder and decoder on a connection in memory, without ibapi's threads.

What it asks is what ibapi writes, and what it got is what ibapi's callbacks were called with: nothing of the
simulator's own tables is believed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, TypeVar

import anyio
import ibapi.server_versions as ibapi_server_versions
from anyio import EndOfStream
from anyio.abc import ByteStream
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.order import Order
from ibapi.server_versions import MIN_CLIENT_VER
from ibapi.wrapper import EWrapper

from tests.stock import StockDecoder
from trio_ibtws._runtime._compat import PROTOBUF_ID, RAW_ID_SERVER_VERSION
from trio_ibtws._runtime._framing import FrameBuffer, frame
from trio_ibtws.simulator import Simulator
from trio_ibtws.simulator._handshake import SERVER_VERSIONS, TEXT_VERSIONS

T = TypeVar("T")

_Client: Any = EClient
_Wrapper: Any = EWrapper
MAX_CLIENT_VER: int = vars(ibapi_server_versions)["MAX_CLIENT_VER"]

_NOT_CALLBACKS = {"logAnswer", "winError"}
_NEW_NAMES = {"commissionAndFeesReport": "commissionReport"}


def _is_double(name: str) -> bool:
    """Return whether a callback is the protobuf twin of one that is called as well."""
    return name.endswith("ProtoBuf") and name not in {"configResponseProtoBuf", "updateConfigResponseProtoBuf"}


class Got(SimpleNamespace):
    """One call of a callback: its name, and its arguments by their names."""

    name: str


def _recorder(name: str, callback: Callable[..., Any]) -> Callable[..., None]:
    signature = inspect.signature(callback)

    def record(self: StockClient, *arguments: Any) -> None:
        bound = dict(signature.bind(self, *arguments).arguments)
        bound.pop("self")
        self.got.append(Got(name=_NEW_NAMES.get(name, name), **bound))

    return record


class _Outbox:
    def __init__(self) -> None:
        self.data = bytearray()

    def isConnected(self) -> bool:
        return True

    def sendMsg(self, data: bytes) -> int:
        self.data += data
        return len(data)


class _Recording(_Wrapper):  # type: ignore[misc]
    """An EWrapper whose every callback is written down."""

    got: list[Got]


for _name, _callback in inspect.getmembers(EWrapper, inspect.isfunction):
    if not _name.startswith("_") and _name not in _NOT_CALLBACKS and not _is_double(_name):
        setattr(_Recording, _name, _recorder(_name, _callback))


class StockClient(_Recording, _Client):  # type: ignore[misc]
    """A client made of ibapi, driven by hand."""

    newest_version = MAX_CLIENT_VER

    def __init__(self, stream: ByteStream | None, version: int) -> None:
        _Client.__init__(self, self)
        self.got: list[Got] = []
        self.frames: list[bytes] = []
        self.stream = stream
        self.conn = self.outbox = _Outbox()
        self.connState = EClient.CONNECTED
        self.serverVersion_ = version
        self.decoder: Any = StockDecoder(self, version)
        self._frames = FrameBuffer()

    @classmethod
    async def start(cls, sim: Simulator, version: int, client_id: int) -> StockClient:
        """Shake hands and start."""
        client = cls(await sim.connect(), version)
        greeting = await client.shake_hands(f"v{MIN_CLIENT_VER}..{version}")
        assert greeting.split(b"\0")[0] == str(version).encode()
        client.clientId = client_id
        client.startApi()
        await client.until("error", errorCode=2158)
        return client

    async def shake_hands(self, offer: str) -> bytes:
        assert self.stream is not None
        await self.stream.send(b"API\0" + frame(offer.encode()))
        return await self._frame()

    async def flush(self) -> None:
        """Send what ibapi has written."""
        assert self.stream is not None
        data = bytes(self.outbox.data)
        self.outbox.data.clear()
        await self.stream.send(data)

    async def next_frame(self) -> bytes:
        """Return the next frame, not decoded."""
        return await self._frame()

    async def _frame(self) -> bytes:
        assert self.stream is not None
        while (body := self._frames.next_frame()) is None:
            self._frames.receive_data(await self.stream.receive())
        return body

    def interpret(self, body: bytes) -> None:
        """Have ibapi decode one frame, as its ``run`` does."""
        self.frames.append(body)
        if self.serverVersion() >= RAW_ID_SERVER_VERSION:
            self._interpret_raw(int.from_bytes(body[:4], "big"), body[4:])
            return
        *fields, _ = body.split(b"\0")
        if "msgId" in inspect.signature(self.decoder.interpret).parameters:
            self.decoder.interpret(tuple(fields[1:]), int(fields[0]))
        else:
            self.decoder.interpret(tuple(fields))

    def _interpret_raw(self, number: int, body: bytes) -> None:
        if number > PROTOBUF_ID:
            self.decoder.processProtoBuf(body, number - PROTOBUF_ID)
        else:
            self.decoder.interpret(tuple(body.split(b"\0")[:-1]), number)

    async def until(self, name: str, **arguments: Any) -> list[Got]:
        """Send what was asked; return what came since the last call, up to a call of *name* with these arguments."""
        if self.outbox.data:
            await self.flush()
        while not (self.got and _is(self.got[-1], name, arguments)):
            self.interpret(await self._frame())
        got, self.got = self.got, []
        return got

    async def end(self) -> list[Got]:
        """Return what came since the last call, up to the end of the connection."""
        try:
            while True:
                self.interpret(await self._frame())
        except EndOfStream:
            got, self.got = self.got, []
            return got

    async def sync(self) -> list[Got]:
        """Return everything that has come by the time that the server answers something else."""
        self.reqMarketRule(26)
        return (await self.until("marketRule"))[:-1]

    async def sync_locally(self) -> list[Got]:
        """Do so by a question that TWS answers though it has no connection to IB."""
        self.reqIds(1)
        return (await self.until("nextValidId"))[:-1]


def _is(got: Got, name: str, arguments: dict[str, Any]) -> bool:
    return got.name == name and all(getattr(got, key) == value for key, value in arguments.items())


PROTOBUF_VERSIONS = [version for version in SERVER_VERSIONS if version not in TEXT_VERSIONS]
"""The server versions that are all protobuf, and that the installed ibapi speaks, the newest first."""

SPOKEN_TEXT_VERSIONS = [version for version in TEXT_VERSIONS if version <= MAX_CLIENT_VER]
"""The server versions that are all text, and that the installed ibapi speaks."""

VERSIONS = [*PROTOBUF_VERSIONS[:1], *SPOKEN_TEXT_VERSIONS]
"""The server versions that most tests run at: one of each kind of those that the installed ibapi speaks."""


def contract(symbol: str = "AAPL", sec_type: str = "STK", exchange: str = "SMART", currency: str = "USD") -> Contract:
    made = Contract()
    made.symbol, made.secType, made.exchange, made.currency = symbol, sec_type, exchange, currency
    return made


def order(action: str, quantity: int, kind: str = "MKT", **attributes: Any) -> Order:
    made = Order()
    made.action, made.totalQuantity, made.orderType = action, Decimal(quantity), kind
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def cancel(client: StockClient, order_id: int) -> None:
    """Call cancelOrder, whose second argument depends on the release."""
    client.cancelOrder(order_id, *_cancel_argument())


def cancel_all(client: StockClient) -> None:
    client.reqGlobalCancel(*(_cancel_argument() if "orderCancel" in _parameters(client.reqGlobalCancel) else ()))


def _parameters(method: Callable[..., Any]) -> Any:
    return inspect.signature(method).parameters


def _cancel_argument() -> tuple[Any, ...]:
    wanted = list(_parameters(EClient.cancelOrder))[2:]
    if not wanted:
        return ()
    if wanted == ["manualCancelOrderTime"]:
        return ("",)
    from ibapi.order_cancel import OrderCancel

    return (OrderCancel(),)


async def comes_true(condition: Callable[[], object]) -> None:
    """Wait until something that nobody announces has happened."""
    while not condition():  # noqa: ASYNC110 (nobody announces it)
        await anyio.sleep(0.001)


async def at_one_instant(sim: Simulator, look: Callable[[], T]) -> T:
    """Return what *look* finds while no simulated time passes; else prices may change from one look to the next."""
    found: list[T] = []
    looked = anyio.Event()

    def do() -> None:
        found.append(look())
        looked.set()

    sim._gateway.clock.call_soon(do)
    await looked.wait()
    return found[0]


def names(got: list[Got]) -> list[str]:
    return [each.name for each in got]
