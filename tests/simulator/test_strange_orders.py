"""Orders that nobody can mean are refused, and what is kept of the others every client can be told, on any wire."""

from __future__ import annotations

import math
from decimal import Decimal
from typing import Any

import pytest

from tests.simulator.stock import PROTOBUF_VERSIONS, SPOKEN_TEXT_VERSIONS, StockClient, contract, order
from trio_ibtws.simulator import Simulator

pytestmark = pytest.mark.anyio

TEXT = SPOKEN_TEXT_VERSIONS[0]
OTHER = [*PROTOBUF_VERSIONS, TEXT][0]


async def codes_of(sim: Simulator, version: int, **attributes: Any) -> list[int]:
    """Return the errors that an order gets, after another client has been told of all orders."""
    client = await StockClient.start(sim, version, client_id=1)
    other = await StockClient.start(sim, OTHER, client_id=2)
    asked: dict[str, Any] = {"kind": "LMT", "lmtPrice": 1.0} | attributes
    client.placeOrder(1, contract(), order("BUY", 1, **asked))
    got = await client.sync()
    other.reqAllOpenOrders()
    other.reqCompletedOrders(False)
    await other.sync()
    return [each.errorCode for each in got if each.name == "error"]


@pytest.mark.parametrize("name", ["ocaType", "parentId", "triggerMethod", "minQty", "origin", "exemptCode"])
@pytest.mark.parametrize("number", [2**31, -(2**31) - 1, 2**70])
async def test_integers_have_32_bits(sim: Simulator, name: str, number: int) -> None:
    assert await codes_of(sim, TEXT, **{name: number}) == [320]


@pytest.mark.parametrize("size", ["1e-400", "1e40", "NaN", "-Infinity", "12345678901234567"])
async def test_sizes_that_no_account_has(sim: Simulator, size: str) -> None:
    assert await codes_of(sim, TEXT, totalQuantity=size) == [320]


@pytest.mark.parametrize("size", ["1e-400", "1e40", "NaN", "-Infinity"])
@pytest.mark.speaks(213)
async def test_sizes_that_no_account_has_in_protobuf(sim: Simulator, size: str) -> None:
    assert await codes_of(sim, OTHER, totalQuantity=Decimal(size)) == [320]


@pytest.mark.parametrize("version", [*PROTOBUF_VERSIONS[:1], TEXT])
@pytest.mark.parametrize(
    ("attributes", "code"),
    [
        ({"lmtPrice": 1e300}, 321),
        ({"lmtPrice": math.nan}, 320),
        ({"kind": "TRAIL", "trailingPercent": 1e300}, 321),
        ({"kind": "TRAIL", "trailingPercent": -1.0}, 321),
        ({"kind": "TRAIL", "auxPrice": 1e300}, 321),
        ({"goodAfterTime": "99991231 23:59:59"}, 391),
        ({"goodAfterTime": "tomorrow"}, 391),
        ({"kind": "PEG MID"}, 387),
        ({"kind": "BEST EFFORT"}, 321),
    ],
)
async def test_what_makes_no_sense(sim: Simulator, version: int, attributes: dict[str, Any], code: int) -> None:
    assert await codes_of(sim, version, **attributes) == [code]


@pytest.mark.parametrize("value", [1e308, 0.5, -(2.0**31) - 1])
async def test_volumes_are_whole_numbers(sim: Simulator, value: float) -> None:
    from ibapi.order_condition import Create, OrderCondition

    condition = Create(OrderCondition.Volume)
    condition.isConjunctionConnection, condition.isMore = True, True
    condition.conId, condition.exchange, condition.volume = 265598, "SMART", value
    assert await codes_of(sim, TEXT, conditions=[condition]) == [321]
