"""However the network cuts a session's bytes, the events are the same.

One session, start to end, as a server sends it: the handshake, the start-up, a list answer, ticks, order events, a
notice, a message of an unknown type, a damaged one and errors. It is cut at every offset into two pieces, fed byte by
byte, and cut at random.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

import anyio
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ibapi.contract import Contract

from tests.peer import Peer, protobuf, text
from tests.samples import text_samples
from tests.stock import Ours, same, shown
from trio_ibtws import DecodeError, ExecDetails, OpenOrder, OrderStatus, open_client
from trio_ibtws._gen.requests_contracts import MATCHING_SYMBOLS, SEC_DEF_OPT_PARAMS
from trio_ibtws._gen.requests_market_data import MKT_DATA
from trio_ibtws._runtime._compat import MAX_CLIENT_VERSION
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._sinks import Answer, Buffer
from trio_ibtws.simulator._memory import memory_connection

VERSIONS = [version for version in (157, 176, 226) if version <= MAX_CLIENT_VERSION]
LIST, TICKS, DAMAGED = 1_500_000_000, 1_500_000_001, 1_500_000_002


# --- the session's bytes -----------------------------------------------------------------------------------------


def start(version: int) -> list[bytes]:
    peer = Peer(None, version)  # type: ignore[arg-type]  # it only makes frames here
    return [peer.hello(), peer.accounts("DU1,DU2"), peer.next_valid_id(7)]


def answers(version: int) -> list[bytes]:
    """Return what follows the requests, in a text or protobuf session."""
    peer = Peer(None, version)  # type: ignore[arg-type]
    errors = [
        peer.error(-1, 2104, "Market data farm connection is OK:usfarm"),
        peer.error(TICKS, 10167, "Displaying delayed market data"),
        peer.error(TICKS, 354, "Not subscribed"),
    ]
    body = protobuf_answers() if version >= 213 else text_answers(version)
    return [*body[:4], errors[0], *body[4:], *errors[1:]]


def text_answers(version: int) -> list[bytes]:
    contract = (265598, "AAPL", "STK", "", 0, "", "", "NASDAQ", "USD", "AAPL", "NMS")
    execution = ("e1", "20240119 16:00:00", "DU1", "NASDAQ", "BOT", 1, 1.5, 99, 0, 0, 1, 1.5, "ref", "", "", "", 1)
    return [
        text(75, LIST, "SMART", 1, "AAPL", 100, 2, "20240119", "20240216", 2, 100.5, 105),
        text(1, 6, TICKS, 1, 1.25, 300, 3),
        text(75, LIST, "CBOE", 1, "AAPL", 100, 1, "20240119", 0),
        text(46, 6, TICKS, 45, "1705683600"),
        text(76, LIST),
        frame(min((body for body, _ in text_samples(5, version)), key=len)),
        text(3, 7, "Filled", 1, 0, 1.5, 99, 0, 1.5, 0, "", 0),
        text(11, -1, 7, *contract, *execution),
        text(59, 1, "e1", 1.1, "USD", 1.7976931348623157e308, "", ""),
        text(250, 1, "of a type that nobody knows"),
        text(79, DAMAGED, 5),
    ]


def protobuf_answers() -> list[bytes]:
    order = {"order.action": "BUY", "order.totalQuantity": "1", "order.clientId": 0, "orderState.status": "Filled"}
    contract = {"contract.conId": 265598, "contract.symbol": "AAPL"}
    execution = {"execution.execId": "e1", "execution.orderId": 7, "execution.shares": "1", "execution.price": 1.5}
    return [
        protobuf(75, "SecDefOptParameter", reqId=LIST, exchange="SMART", underlyingConId=1, tradingClass="AAPL"),
        protobuf(1, "TickPrice", reqId=TICKS, tickType=1, price=1.25, size="300", attrMask=3),
        protobuf(75, "SecDefOptParameter", reqId=LIST, exchange="CBOE", underlyingConId=1, tradingClass="AAPL"),
        protobuf(46, "TickString", reqId=TICKS, tickType=45, value="1705683600"),
        protobuf(76, "SecDefOptParameterEnd", reqId=LIST),
        protobuf(5, "OpenOrder", orderId=7, **contract, **order),
        protobuf(3, "OrderStatus", orderId=7, status="Filled", filled="1", remaining="0"),
        protobuf(11, "ExecutionDetails", reqId=-1, **contract, **execution),
        protobuf(59, "CommissionAndFeesReport", execId="e1", commissionAndFees=1.1, currency="USD"),
        frame((200 + 150).to_bytes(4, "big") + b"\x08\x01"),
        frame((200 + 79).to_bytes(4, "big") + b"\x08\x82\xde\xa0\xcb\x05\xff"),
    ]


@cache
def stream(version: int) -> bytes:
    """Return all that the server sends."""
    return b"".join(start(version) + answers(version))


# --- what comes of it --------------------------------------------------------------------------------------------


class Listener:
    """A session that asks when it is ready, and all that it hears."""

    def __init__(self, version: int) -> None:
        self.ours = Ours.__new__(Ours)
        self.ours.open(version)
        self.session = self.ours.session
        self.notices = Buffer(1000)
        self.session.router.add_notices(self.notices)
        self.options = Answer(lambda: None, single=False)
        self.ticks = Buffer(1000)
        self.damaged = Answer(lambda: None, single=True)
        self.asked = False

    def feed(self, pieces: Iterable[bytes]) -> list[Any]:
        """Take the bytes as they come; return everything that was heard."""
        for piece in pieces:
            self.session.receive_data(piece)
            while self.session.next_frame():
                if self.session.ready and not self.asked:
                    self._ask()
        return self._heard()

    def _ask(self) -> None:
        self.asked = True
        session = self.session
        named = dict(zip(SEC_DEF_OPT_PARAMS.parameters[1:], ("AAPL", "", "STK", 1), strict=True))
        session.ask(SEC_DEF_OPT_PARAMS, named, self.options, single=False)
        session.ask(
            MKT_DATA,
            {"contract": Contract(), "genericTickList": "", "mktDataOptions": None} | dict(MKT_DATA.constants),
            self.ticks,
            single=False,
        )
        session.ask(MATCHING_SYMBOLS, {"pattern": "A"}, self.damaged, single=True)

    def _heard(self) -> list[Any]:
        session = self.session
        orders = session.orders.start_reading()
        assert orders is not None
        events = [[buffer.pop() for _ in range(len(buffer))] for buffer in (self.ticks, orders, self.notices)]
        failed = [_failure(self.damaged), repr(self.ticks.error)]
        return [*events, list(self.options.result()), failed, session.router.accounts, _counters(session.stats())]


def _failure(answer: Answer) -> str:
    with pytest.raises(DecodeError) as caught:
        answer.result()
    return type(caught.value).__name__


def _counters(stats: Any) -> list[int]:
    return [getattr(stats, name) for name in stats.__struct_fields__]


@cache
def whole(version: int) -> list[Any]:
    """Return what is heard when all comes in one piece."""
    return Listener(version).feed([stream(version)])


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_session_is_made_of(version: int) -> None:
    """Lest nothing be compared with nothing."""
    ticks, orders, notices, options, (damaged, ended), accounts, counters = whole(version)
    assert [type(event).__name__ for event in ticks][:1] == ["TickPrice"]
    assert "TickString" in [type(event).__name__ for event in ticks]
    assert [type(event).__name__ for event in orders] == [
        "OpenOrder",
        "OrderStatus",
        "ExecDetails",
        "CommissionAndFeesReport",
    ]
    assert {notice.code for notice in notices} == {2104, 0, 10167}
    assert [option.exchange for option in options] == ["SMART", "CBOE"]
    assert (damaged, accounts) == ("DecodeError", ("DU1", "DU2"))
    assert "354" in ended
    assert counters[0] == len(start(version) + answers(version))


@pytest.mark.parametrize("version", VERSIONS)
def test_two_pieces_cut_at_every_offset(version: int) -> None:
    data = stream(version)
    for offset in range(len(data) + 1):
        heard = Listener(version).feed([data[:offset], data[offset:]])
        assert same(heard, whole(version)), (offset, shown(heard))


@pytest.mark.parametrize("version", VERSIONS)
def test_byte_by_byte(version: int) -> None:
    data = stream(version)
    assert same(Listener(version).feed(data[place : place + 1] for place in range(len(data))), whole(version))


@settings(max_examples=60, deadline=None, derandomize=True)
@given(data=st.data())
def test_pieces_of_any_size(data: st.DataObject) -> None:
    version = data.draw(st.sampled_from(VERSIONS))
    sent = stream(version)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    pieces = [sent[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert same(Listener(version).feed(pieces), whole(version))


# --- through a client, on both backends --------------------------------------------------------------------------


async def heard_by_a_client(version: int, size: int) -> list[Any]:
    """Return the order events that a client hears when its stream comes in pieces of *size*."""
    ours, theirs = memory_connection()
    sent = b"".join(start(version)) + b"".join(answers(version)[5:9])

    async def serve() -> None:
        for place in range(0, len(sent), size):
            await theirs.send(sent[place : place + size])
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(serve)
        async with open_client(stream=ours, max_server_version=version) as client, client.order_events() as events:
            heard = [await events.receive() for _ in range(3)]
    await theirs.aclose()
    return heard


@pytest.mark.anyio
@pytest.mark.parametrize("version", VERSIONS)
async def test_a_client_hears_the_same_in_pieces(version: int) -> None:
    in_one = await heard_by_a_client(version, 1 << 20)
    assert [type(event) for event in in_one] == [OpenOrder, OrderStatus, ExecDetails]
    for size in (1, 3, 4096):
        assert same(await heard_by_a_client(version, size), in_one)
