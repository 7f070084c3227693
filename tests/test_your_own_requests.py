"""The escape hatch: a request made at run time, for what the table does not know."""

from __future__ import annotations

from typing import Any

import anyio
import pytest
from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.wrapper import EWrapper

from tests.peer import connected, text
from tests.script import assert_usable
from trio_ibtws import LocalError, NoSuchContract, Request, UnsupportedRequest
from trio_ibtws._gen.wrapper import Wrapper

pytestmark = pytest.mark.anyio

FAMILY_CODES: Request[Any] = Request(method="reqFamilyCodes", key="familyCodes", single=True)


async def test_a_query_by_id() -> None:
    matching: Request[Any] = Request(
        method="reqMatchingSymbols", parameters=("reqId", "pattern"), key="reqId", items=("symbolSamples",), single=True
    )
    async with connected() as (client, peer), anyio.create_task_group() as tasks:

        async def answer() -> None:
            _, request_id, pattern = await peer.receive()
            assert pattern == "AA"
            await peer.send(text(79, request_id, 0))

        tasks.start_soon(answer)
        assert await client.call(matching, "AA") == []


async def test_a_query_without_an_id() -> None:
    async with connected() as (client, peer), anyio.create_task_group() as tasks:

        async def answer() -> None:
            assert await peer.receive() == ["80"]
            await peer.send(text(78, 1, "*", "x"))

        tasks.start_soon(answer)
        [code] = await client.call(FAMILY_CODES)
        assert (code.accountID, code.familyCodeStr) == ("*", "x")


async def test_errors_of_tws_are_exceptions() -> None:
    details: Request[Any] = Request(
        method="reqContractDetails",
        parameters=("reqId", "contract"),
        key="reqId",
        items=("contractDetails",),
        end="contractDetailsEnd",
    )
    async with connected() as (client, peer), anyio.create_task_group() as tasks:

        async def refuse() -> None:
            _, _, request_id, *_ = await peer.receive()
            await peer.send(peer.error(int(request_id), 200, "No security definition has been found"))

        tasks.start_soon(refuse)
        with pytest.raises(NoSuchContract):
            await client.call(details, Contract())


class TestCallbackThatTheTableLacks:
    """``verifyMessageAPI`` stands in for a callback of a release to come: the generated wrapper does not hear it."""

    @pytest.fixture(autouse=True)
    def not_in_the_table(self) -> None:
        assert Wrapper.verifyMessageAPI is EWrapper.verifyMessageAPI

    async def test_is_heard(self) -> None:
        """A request under an id-less key, answered by it."""
        request: Request[Any] = Request(
            method="reqFamilyCodes", key="verifyMessageAPI", items=("verifyMessageAPI",), single=True
        )
        async with connected() as (client, peer), anyio.create_task_group() as tasks:

            async def answer() -> None:
                await peer.receive()
                await peer.send(text(65, 1, "challenge"))

            tasks.start_soon(answer)
            assert await client.call(request) == "challenge"

    async def test_with_several_values_it_is_an_event(self) -> None:
        request: Request[Any] = Request(
            method="reqFamilyCodes", key="verifyCompleted", items=("verifyCompleted",), single=True
        )
        async with connected() as (client, peer), anyio.create_task_group() as tasks:

            async def answer() -> None:
                await peer.receive()
                await peer.send(text(66, 1, "true", "well done"))

            tasks.start_soon(answer)
            event = await client.call(request)
            assert (event.is_successful, event.error_text) == ("true", "well done")  # as ibapi gives it


async def test_a_subscription_is_cancelled() -> None:
    pnl: Request[Any] = Request(
        method="reqPnL", parameters=("reqId", "account", "modelCode"), key="reqId", cancel="cancelPnL", items=("pnl",)
    )
    async with connected() as (client, peer):
        async with client.subscribe(pnl, "DU1", "") as profits:
            _, request_id, account, _ = await peer.receive()
            assert account == "DU1"
            await peer.send(text(94, request_id, 1.5, 2.5, 3.5))
            assert (await profits.receive()).daily_pnl == 1.5
        assert await peer.receive() == ["93", request_id]


async def test_what_ibapi_lacks_is_said() -> None:
    async with connected() as (client, _):
        with pytest.raises(UnsupportedRequest, match="reqMoonPhase"):
            await client.call(Request(method="reqMoonPhase", key="moonPhase", single=True))
        with pytest.raises(UnsupportedRequest, match="moonPhase"):
            await client.call(Request(method="reqFamilyCodes", key="moonPhase", items=("moonPhase",), single=True))
        assert not hasattr(EClient, "reqMoonPhase")
        assert client.stats().unsent_frames == client.stats().open_requests == 0


@pytest.mark.parametrize("key", [None, "curentTime"])
async def test_a_request_that_no_answer_would_ever_end_is_refused(key: str | None) -> None:
    """It would wait for ever, and every id-less request behind it."""
    async with connected() as (client, peer):
        with pytest.raises(LocalError, match="reqCurrentTime"):
            await client.call(Request(method="reqCurrentTime", key=key, single=True))
        with pytest.raises(LocalError, match="reqCurrentTime"):
            async with client.subscribe(Request(method="reqCurrentTime", key=key)):
                raise AssertionError(key)
        await assert_usable(client, peer)


async def test_what_is_no_request_is_refused() -> None:
    async with connected() as (client, _):
        for wrong in ("reqCurrentTime", None, Request):
            with pytest.raises(TypeError, match="is no Request"):
                await client.call(wrong)  # type: ignore[arg-type]
            with pytest.raises(TypeError, match="is no Request"):
                client.subscribe(wrong)  # type: ignore[arg-type]
