"""Every row's answer, through a real client: what the peer sends is what the call returns, of the type it promises.

The frames are the sample frames of the callbacks that the table names for a row, with the request's own id put in;
what must come out is what stock ibapi's callbacks get of the very same frames.
"""

from __future__ import annotations

import inspect
import re
from decimal import Decimal
from typing import Any

import anyio
import pytest

from tests.answers import (
    NO_PROTOBUF,
    PLACES,
    QUERIES,
    SENDS,
    STREAMS,
    VERSIONS,
    call_arguments,
    row_of,
    script,
    shape,
    supported,
)
from tests.peer import Peer, connected, protobuf, text
from tests.read_back import table
from tests.stock import Ours, same, shown
from tests.test_round_trip import arguments
from trio_ibtws import Client, OrderStatus
from trio_ibtws._gen import events
from trio_ibtws._runtime import _events
from trio_ibtws._runtime._orders import join_commissions, join_open_orders

JOINS = {"open_orders": join_open_orders, "all_open_orders": join_open_orders, "executions": join_commissions}


def promised(constant: str) -> str:
    """Return the types that a function's annotation names, unions spelled out."""
    annotation = str(inspect.signature(getattr(Client, constant.lower())).return_annotation)
    for word in re.findall(r"\w+Event\b", annotation):
        alias = getattr(events, word, None) or getattr(_events, word)
        annotation += str(alias)
    return annotation


def keeps_promise(constant: str, values: list[Any]) -> bool:
    names = set(re.findall(r"\w+", promised(constant))) | {"EndOfSnapshot"}
    return all({kind.__name__ for kind in type(value).__mro__} & names or "Message" in names for value in values)


async def answer(peer: Peer, frames: list[bytes]) -> None:
    """Take the request, and send the answer."""
    await peer.receive_frame()
    await peer.send(*frames)


CASES = [(name, version) for name in QUERIES for version in VERSIONS if supported(name, version)]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "version"), CASES)
async def test_a_query_returns_what_was_sent(name: str, version: int) -> None:
    told = script(name, version)
    assert set(told.missing) <= (NO_PROTOBUF if version >= 213 else set()), f"no frame for {told.missing}"
    async with (
        connected(version, trading=True) as (client, peer),
        anyio.create_task_group() as tasks,
    ):
        tasks.start_soon(answer, peer, told.frames)
        with anyio.fail_after(60):
            got = await getattr(client, name.lower())(*call_arguments(name, told.told))
    if shape(name) == "one":
        assert same(got, told.items[0]), (shown(got), shown(told.items[0]))
        assert keeps_promise(name, [got])
        return
    wanted = JOINS.get(name.lower(), list)(told.items)
    assert same(list(got), wanted), (shown(list(got)), shown(wanted))
    assert same(getattr(got, "end", None), told.end)
    assert wanted
    assert keeps_promise(name, list(got))


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("name", "version"), [(name, version) for name in STREAMS for version in VERSIONS if supported(name, version)]
)
async def test_a_stream_yields_what_was_sent(name: str, version: int) -> None:
    told, row = script(name, version), row_of(name)
    assert set(told.missing) <= (NO_PROTOBUF if version >= 213 else set()), f"no frame for {told.missing}"
    wanted = [told.items] if row.batches else told.streamed
    async with connected(version, trading=True) as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(answer, peer, told.frames)
        async with getattr(client, name.lower())(*call_arguments(name, told.told)) as stream:
            with anyio.fail_after(60):
                got = [await stream.receive() for _ in wanted]
    assert same(got, wanted), (shown(got), shown(wanted))
    assert wanted
    assert keeps_promise(name, got[0] if row.batches else got)


@pytest.mark.anyio
@pytest.mark.parametrize("name", SENDS)
async def test_a_request_without_an_answer_is_sent(name: str) -> None:
    version = VERSIONS[-1]
    request = table()[name]
    given = arguments(request)
    async with connected(version, trading=True) as (client, peer):
        getattr(client, name.lower())(*call_arguments(name, []))
        with anyio.fail_after(60):
            assert await peer.receive_frame() == Ours(version).bridge.encode(request, given)[4:]


@pytest.mark.anyio
@pytest.mark.parametrize(("name", "version"), [(name, version) for name in PLACES for version in VERSIONS])
async def test_an_order_hears_its_status(name: str, version: int) -> None:
    if version >= 213:
        amounts = {"filled": "2", "remaining": "0", "avgFillPrice": 1.5}
        sent = protobuf(3, "OrderStatus", orderId=1, clientId=0, status="Filled", **amounts)
    else:
        sent = text(3, 1, "Filled", 2, 0, 1.5, 0, 0, 0, 0, "", 0)
    async with connected(version, trading=True) as (client, peer), anyio.create_task_group() as tasks:
        tasks.start_soon(answer, peer, [sent])
        async with getattr(client, name.lower())(*call_arguments(name, [])) as stream:
            with anyio.fail_after(60):
                event = await stream.receive()
    assert isinstance(event, OrderStatus)
    assert (event.order_id, event.status, event.avg_fill_price) == (1, "Filled", 1.5)
    assert event.filled == Decimal(2)


def test_every_row_is_tried() -> None:
    rest = set(table()) - set(QUERIES) - set(STREAMS) - set(SENDS) - set(PLACES)
    assert rest == {"UPDATE_DISPLAY_GROUP"}  # a method of subscribe_to_group_events' stream
