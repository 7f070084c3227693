"""The generated functions: each passes its row and every argument that the row leaves open, in EClient's order."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any, cast

import anyio.lowlevel
import pytest
from ibapi.client import EClient
from ibapi.wrapper import EWrapper

from generator.naming import snake
from generator.record import version
from generator.releases import load
from generator.resolve import resolve
from generator.spec import TABLE
from trio_ibtws._gen.requests import Requests
from trio_ibtws._runtime._calls import Calls
from trio_ibtws._runtime._request import Request

pytestmark = pytest.mark.anyio

MODEL = resolve(TABLE, load())
REQUESTS = {request.name: request for request in MODEL.requests}
FUNCTIONS = sorted(name for name, request in REQUESTS.items() if request.row.pattern != "part")
ROWS: dict[str, Request[Any]] = {
    request.name: getattr(importlib.import_module(f"trio_ibtws._gen.requests_{family.name}"), request.constant)
    for family, requests in MODEL.families
    for request in requests
}


class Recorder:
    """Takes the place of ``Calls``: remembers what it was asked."""

    def __init__(self) -> None:
        self.method = ""
        self.row: Request[Any] | None = None
        self.arguments: tuple[Any, ...] = ()
        self.options: dict[str, Any] = {}

    def _keep(self, method: str, row: Request[Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.method, self.row, self.arguments, self.options = method, row, arguments, options

    async def one(self, row: Request[Any], *arguments: Any) -> None:
        await anyio.lowlevel.checkpoint()
        self._keep("one", row, arguments, {})

    async def collect(self, row: Request[Any], *arguments: Any) -> list[Any]:
        await anyio.lowlevel.checkpoint()
        self._keep("list", row, arguments, {})
        return []

    def subscribe(self, row: Request[Any], *arguments: Any, **options: Any) -> None:
        self._keep("stream", row, arguments, options)

    def subscribe_group(self, row: Request[Any], part: Request[Any], *arguments: Any, **options: Any) -> None:
        assert part is ROWS["update_display_group"]
        self._keep("stream", row, arguments, options)

    def send(self, row: Request[Any], *arguments: Any) -> None:
        self._keep("send", row, arguments, {})

    def place(self, row: Request[Any], *arguments: Any) -> None:
        self._keep("place", row, arguments, {})

    def cancel_order(self, row: Request[Any], *arguments: Any) -> None:
        self._keep("cancel_order", row, arguments, {})


def open_parameters(name: str) -> list[str]:
    """Return the parameters of the row that the caller has to fill."""
    row = ROWS[name]
    return [parameter for parameter in row.parameters if parameter != row.key and parameter not in row.constants]


async def call(name: str, *arguments: Any, **keywords: Any) -> Recorder:
    requests, recorder = Requests(), Recorder()
    requests._calls = cast("Calls", recorder)
    answer = getattr(requests, name)(*arguments, **keywords)
    if inspect.isawaitable(answer):
        await answer
    return recorder


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_by_position(name: str) -> None:
    wanted = open_parameters(name)
    recorder = await call(name, *wanted)
    assert recorder.row is ROWS[name]
    assert recorder.arguments == tuple(wanted)
    assert recorder.method == REQUESTS[name].row.pattern


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_by_keyword(name: str) -> None:
    wanted = open_parameters(name)
    recorder = await call(name, **{snake(parameter): parameter for parameter in wanted})
    assert recorder.arguments == tuple(wanted)


@pytest.mark.parametrize("name", FUNCTIONS)
async def test_stream_options_and_defaults(name: str) -> None:
    signature = inspect.signature(getattr(Requests, name))
    keyword_only = {p.name: p.default for p in signature.parameters.values() if p.kind is p.KEYWORD_ONLY}
    wanted = {"buffer": 1000, "overflow": "raise", "share": False} if REQUESTS[name].row.pattern == "stream" else {}
    assert keyword_only == wanted
    assert (await call(name, *open_parameters(name))).options == wanted


@pytest.mark.parametrize(("name", "row"), sorted(ROWS.items()))
def test_since_and_until_are_right_about_the_installed_ibapi(name: str, row: Request[Any]) -> None:
    installed = tuple(int(part) for part in version().split("."))[:2]
    since = tuple(int(part) for part in row.since.split("."))
    until = (9999,) if row.until is None else tuple(int(part) for part in row.until.split("."))
    there = hasattr(EClient, row.method) and (row.needs is None or hasattr(EWrapper, row.needs))
    assert there == (since <= installed <= until)


@pytest.mark.parametrize(("name", "row"), sorted(ROWS.items()))
def test_the_row_fits_the_installed_method(name: str, row: Request[Any]) -> None:
    """Whatever the installed method takes, the row has, less what ``_compat`` translates."""
    method = getattr(EClient, row.method, None)
    if method is None:
        assert row.since != "9.81" or row.until is not None
        return
    theirs = list(inspect.signature(method).parameters)[1:]
    omitted = REQUESTS[name].row.omitted
    assert [parameter for parameter in row.parameters if parameter in theirs] == [
        parameter for parameter in theirs if parameter not in omitted
    ]


def test_the_frozen_signatures() -> None:
    """The defaults that the surface promises."""
    shown = {name: _positional(getattr(Requests, name)) for name in FUNCTIONS}
    assert shown["tick_by_tick_data"] == "contract, tick_type, number_of_ticks=0, ignore_size=False"
    assert shown["historical_data"] == (
        "contract, end_date_time, duration_str, bar_size_setting, what_to_show, use_rth=True, format_date=1, "
        "chart_options=None"
    )
    assert shown["historical_data_stream"] == (
        "contract, duration_str, bar_size_setting, what_to_show, use_rth=True, format_date=1, chart_options=None"
    )
    assert shown["historical_ticks"] == (
        "contract, start_date_time, end_date_time, number_of_ticks, what_to_show, use_rth, ignore_size, "
        "misc_options=None"
    )
    assert shown["mkt_data"] == shown["mkt_data_snapshot"] == "contract, generic_tick_list='', mkt_data_options=None"
    assert shown["account_updates"] == shown["account_updates_stream"] == "acct_code=''"
    assert shown["executions"] == "exec_filter=None"
    assert shown["cancel_order"] == "order_id, order_cancel=None"
    assert shown["global_cancel"] == "order_cancel=None"
    assert shown["ids"] == "num_ids=1"
    assert shown["histogram_data"] == "contract, use_rth, time_period"
    assert shown["head_time_stamp"] == "contract, what_to_show, use_rth=True, format_date=1"
    assert shown["place_order"] == "contract, order"
    assert shown["config"] == ""


def _positional(function: Callable[..., Any]) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return ", ".join(
        parameter.name + ("" if parameter.default is parameter.empty else f"={parameter.default!r}")
        for parameter in parameters
        if parameter.kind is not parameter.KEYWORD_ONLY
    )


def test_effects() -> None:
    by_effect: dict[str, set[str]] = {}
    for name, row in ROWS.items():
        by_effect.setdefault(row.effect, set()).add(name)
    assert by_effect["spend"] == {"mkt_data_regulatory_snapshot"}
    assert by_effect["trade"] == {
        "cancel_order",
        "exercise_options",
        "global_cancel",
        "place_order",
        "replace_fa",
        "update_config",
    }
    assert by_effect["session"] == {
        "auto_open_orders",
        "market_data_type",
        "set_server_log_level",
        "update_display_group",
    }
