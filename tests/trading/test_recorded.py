"""Sessions of real gateways, played to the library frame by frame: every order ends as it ended there.

The recordings are not part of the project: ``TRIO_IBTWS_WIRE_CORPUS`` names the folder that has them.
"""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.peer import NEWEST, protobuf
from tests.sessions import Clock, feed, sent
from trio_ibtws._gen.wrapper import Wrapper
from trio_ibtws._runtime._framing import frame
from trio_ibtws._runtime._session import Session, Settings
from trio_ibtws._trading._desk import Desk
from trio_ibtws._trading._preview import Preview
from trio_ibtws._trading._trade import Trade

CORPUS = os.environ.get("TRIO_IBTWS_WIRE_CORPUS")
pytestmark = [
    pytest.mark.recorded,
    pytest.mark.speaks(225),  # the version of the recordings
]

CLIENT_ID = 1


class NoWaiting:
    """The desk of a trade on which nobody waits."""

    answer_within = drain_within = 0.0


def frames_of(name: str) -> list[bytes]:
    """Return what the gateway sent in a recorded session, the handshake left out."""
    rows = json.loads((Path(CORPUS or "") / "sessions" / f"{name}.json").read_text())["frames"]
    return [frame(bytes.fromhex(row["hex"])) for row in rows if row["direction"] == "in"]


def connected(version: int = 225) -> Session:
    settings = Settings(client_id=CLIENT_ID, maximum=min(NEWEST, version), codes={}, trading=True)
    session = Session(settings, Wrapper, now=Clock(), wake_writer=lambda: None, wake_clock=lambda: None)
    feed(session, frame(b"%d\0" % min(NEWEST, version) + b"20260824 22:43:07 CET\0"))
    sent(session)
    return session


def played(name: str, desk: Desk | None = None) -> Desk:
    """Play a session to a desk that has every order in its scope."""
    desk = desk or Desk(CLIENT_ID, "mine", None)
    desk.trade_desk = NoWaiting()  # type: ignore[assignment]
    session = connected()
    session.orders.add_listener(desk)
    feed(session, *frames_of(name))
    assert session.decode_errors == 0
    return desk


def trades(desk: Desk) -> dict[int, Trade]:
    return {trade.order_id: trade for trade in desk.index}


def test_fill() -> None:
    by_id = trades(played("api_order_fill_aapl"))
    assert {order_id: trade.state for order_id, trade in by_id.items()} == {600: "Filled", 601: "Filled"}
    for trade in by_id.values():
        [fill] = trade.fills
        assert fill.quantity == Decimal(1)
        assert fill.commission is not None
        assert trade.record.drained
    assert by_id[600].average_price == 309.16
    assert by_id[601].fills[0].commission.commission_and_fees == 1.006566  # type: ignore[union-attr]


def test_every_message_twice_is_the_same() -> None:
    once, twice = played("api_order_fill_aapl"), Desk(CLIENT_ID, "mine", None)
    twice.trade_desk = NoWaiting()  # type: ignore[assignment]
    session = connected()
    session.orders.add_listener(twice)
    feed(session, *[each for each in frames_of("api_order_fill_aapl") for _ in range(2)])
    assert [(trade.state, trade.filled_quantity) for trade in once.index] == [
        (trade.state, trade.filled_quantity) for trade in twice.index
    ]


def test_bracket() -> None:
    desk = _played_knowing("api_bracket_trigger_aapl", Desk(CLIENT_ID, "mine", None), [477, 478, 479])
    by_id = trades(desk)
    assert sorted(by_id) == [477, 478, 479]
    assert {(trade.state, trade.status) for trade in by_id.values()} == {("Working", "PreSubmitted")}
    assert [notice.code for notice in by_id[478].notices] == [399]
    assert by_id[478].order.parentId == 477


def test_what_if() -> None:
    desk = Desk(CLIENT_ID, "mine", None)
    previews = {order_id: Preview() for order_id in (558, 559, 560)}
    desk.previews.update(previews)
    desk = _played_knowing("api_whatif_margin_aapl", desk, list(previews))
    assert {getattr(previews[order_id].error, "code", None) for order_id in (558, 559)} == {200, 10255}
    answer = previews[560].answer
    assert previews[560].complete
    assert answer is not None
    assert answer.commission == 1.0003
    assert answer.init_margin_after is not None
    assert list(desk.index) == []  # nothing that only asks is an order


def _played_knowing(name: str, desk: Desk, order_ids: list[int]) -> Desk:
    desk.trade_desk = NoWaiting()  # type: ignore[assignment]
    session = connected()
    session.orders.add_listener(desk)
    for order_id in order_ids:
        session.orders.use(order_id)
    feed(session, *frames_of(name))
    return desk


def test_reconnect_with_a_working_order() -> None:
    frames = frames_of("api_reconnect_active_order_aapl")
    accounts = protobuf(15, "ManagedAccounts", accountsList="DU9000001")
    starts = [at for at, each in enumerate(frames) if each[4:8] == accounts[4:8]]
    assert len(starts) == 2
    second = next(at for at, each in enumerate(frames) if at > starts[0] + 1 and at < starts[1] and _ends(each))
    desk = Desk(CLIENT_ID, "mine", None)
    desk.trade_desk = NoWaiting()  # type: ignore[assignment]
    states: list[Any] = []
    for part in (frames[: second - 2], frames[second - 2 :]):
        session = connected()
        session.orders.add_listener(desk)
        feed(session, *part)
        states.append({trade.order_id: trade.state for trade in desk.index})
        session.orders.remove_listener(desk)
    assert states == [{546: "Working"}, {546: "Cancelled"}]  # one order, known again by its permanent id
    assert len(desk.index) == 1


def _ends(data: bytes) -> bool:
    """Whether a frame is an openOrderEnd: the gateway sends one by itself after a reconnect."""
    return int.from_bytes(data[4:8], "big") == 253
