"""What is wrong about a table is an error that names the row; what is right is none."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from generator.check import check
from generator.model import Callback, Method, Release, Row, Table, TableError
from generator.resolve import resolve
from generator.spec import TABLE as REAL_TABLE
from tests.generator.made_up_api import (
    CLOCK,
    GROUP,
    LEVEL,
    MOVE,
    PAST_TICKS,
    PLACE,
    RELEASES,
    ROWS,
    RULE,
    STOP,
    TABLE,
    THINGS,
    TICKS,
    NewWrapper,
    OldClient,
    OldWrapper,
    changed,
    release,
    with_rows,
)


def test_the_made_up_table_is_right() -> None:
    assert check(TABLE, RELEASES) == []


def test_no_release() -> None:
    assert check(TABLE, []) == ["no release is recorded: run `python -m generator --record` under one"]


def test_resolve_raises_all_problems_at_once() -> None:
    table = with_rows([*ROWS, Row("reqA", "send", "A."), Row("reqB", "send", "B.")])
    with pytest.raises(TableError) as caught:
        resolve(table, RELEASES)
    assert caught.value.problems == [
        "row a (reqA): no recorded release has EClient.reqA",
        "row b (reqB): no recorded release has EClient.reqB",
    ]
    assert str(caught.value) == "\n".join(caught.value.problems)


WRONG_ROWS: list[tuple[Row, dict[str, Any], str]] = [
    (CLOCK, {"items": ("clocks",)}, "row clock (reqClock): no recorded release has EWrapper.clocks"),
    (CLOCK, {"items": ()}, "row clock (reqClock): pattern 'one' needs item callbacks"),
    (LEVEL, {"items": ("clock",)}, "row set_level (setLevel): pattern 'send' has no answer"),
    (THINGS, {"end": "finished"}, "row things (reqThings): no recorded release has EWrapper.finished"),
    (
        THINGS,
        {"end": None},
        "row things (reqThings): pattern 'list' needs an end callback, or the parameter that says 'done'",
    ),
    (
        THINGS,
        {"cancel": "cancelEverything"},
        "row things (reqThings): no recorded release has the cancel method EClient.cancelEverything",
    ),
    (
        THINGS,
        {"cancel_parameters": ("thing",)},
        "row things (reqThings): EClient.cancelThings takes [], the row gives ['thing']",
    ),
    (
        CLOCK,
        {"cancel": "cancelTicks"},
        "row clock (reqClock): EClient.cancelTicks takes a request id",
    ),
    (
        RULE,
        {"cancel_constants": {"on": False}},
        "row rule (reqRule): has arguments for a cancel method, but no cancel method",
    ),
    (
        TICKS,
        {"constants": {"alive": True}},
        "row ticks (reqTicks): constant 'alive' is no parameter of EClient.reqTicks",
    ),
    (TICKS, {"defaults": {"alive": 1}}, "row ticks (reqTicks): default 'alive' is no parameter of EClient.reqTicks"),
    (TICKS, {"types": {"alive": "bool"}}, "row ticks (reqTicks): type 'alive' is no parameter of EClient.reqTicks"),
    (RULE, {"echo": "id"}, "row rule (reqRule): echo 'id' is no parameter of EClient.reqRule"),
    (CLOCK, {"key": "watch"}, "row clock (reqClock): key 'watch' is neither a parameter nor a callback"),
    (PAST_TICKS, {"done": "over"}, "row past_ticks (reqPastTicks): EWrapper.pastTicks has no parameter 'over'"),
    (THINGS, {"omitted": ("sort",)}, "row things (reqThings): omitted parameter 'sort' is in no release"),
    (
        PLACE,
        {"yields": ""},
        "row place_thing (placeThing): is answered by hand-written callbacks: say what it yields",
    ),
    (MOVE, {"method": "setLevel"}, "row set_level (setLevel): a part needs a request id to belong to"),
    (GROUP, {"update": ""}, "row move_group (moveGroup): no stream says that this is its update"),
    (TICKS, {"update": "setTicks"}, "row ticks (reqTicks): there is no part row for setTicks"),
    (
        THINGS,
        {"since": "1.5"},
        "row things (reqThings): since '1.5' does not lie between the releases without and with it",
    ),
    (
        THINGS,
        {"until": "2.0"},
        "row things (reqThings): until '2.0' does not lie between the releases with and without it",
    ),
    (STOP, {"name": "clock"}, "row clock (stopThing): there are two functions of that name"),
]


@pytest.mark.parametrize(("row", "fields", "problem"), WRONG_ROWS)
def test_a_wrong_row(row: Row, fields: dict[str, Any], problem: str) -> None:
    assert problem in check(changed(row, **fields), RELEASES)


_WITHOUT_CLOCK = {"connect": "ours", "reqClock": "dull"}

WRONG_TABLES: list[tuple[Table, str]] = [
    (
        with_rows(row for row in ROWS if row is not LEVEL),
        "EClient.setLevel (ibapi 2.0.1): no row mentions it, and it is not ignored with a reason",
    ),
    (
        with_rows((row for row in ROWS if row is not CLOCK), replace(TABLE, ignored_methods=_WITHOUT_CLOCK)),
        "EWrapper.clock (ibapi 2.0.1): no row mentions it, and it is not ignored with a reason",
    ),
    (
        replace(TABLE, ignored_methods={"connect": "ours", "setLevel": "dull"}),
        "ignored EClient.setLevel: a row or a rule covers it already",
    ),
    (
        replace(TABLE, ignored_methods={"connect": "ours", "reqClockProtoBuf": "a twin"}),
        "ignored EClient.reqClockProtoBuf: a row or a rule covers it already",
    ),
    (
        replace(TABLE, ignored_methods={"connect": "ours", "reqMoon": "dull"}),
        "ignored EClient.reqMoon: no recorded release has it",
    ),
    (replace(TABLE, ignored_methods={"connect": ""}), "ignored EClient.connect: say why"),
    (
        replace(TABLE, ignored_callbacks={"clock": "dull"}),
        "ignored EWrapper.clock: a row or a rule covers it already",
    ),
    (
        replace(TABLE, hand_written={**TABLE.hand_written, "moon": "dull"}),
        "hand-written callback moon: no recorded release has it",
    ),
    (
        replace(TABLE, callbacks={**TABLE.callbacks, "connected": Callback("On.")}),
        "callback connected: no row is answered by it, or it is hand-written",
    ),
    (
        replace(TABLE, callbacks={**TABLE.callbacks, "thing": Callback(types={"size": "int"})}),
        "callback thing: EWrapper.thing has no parameter 'size'",
    ),
    (
        replace(TABLE, callbacks={**TABLE.callbacks, "thing": Callback(twin={"size": "int"})}),
        "callback thing: no recorded release has the twin EWrapper.thingProtoBuf",
    ),
    (replace(TABLE, defaults={**TABLE.defaults, "moon": 1}), "default of 'moon': no row has a parameter of that name"),
    (replace(TABLE, types={**TABLE.types, "moon": "int"}), "type of 'moon': no row has a parameter of that name"),
]


@pytest.mark.parametrize(("table", "problem"), WRONG_TABLES)
def test_a_wrong_table(table: Table, problem: str) -> None:
    assert check(table, RELEASES) == [problem]


class _Reordered(OldClient):
    def reqTicks(self, thing: Any, reqId: int, live: bool, tickOptions: Any) -> None: ...  # type: ignore[override]


class _Wider(NewWrapper):
    def tickText(self, reqId: int, text: str, colour: str) -> None: ...  # type: ignore[override]


def test_a_release_that_has_other_parameters() -> None:
    older = release("1.0.0", _Reordered, OldWrapper)
    expected = (
        "row ticks (reqTicks): ibapi 1.0.0 has the parameters (thing, reqId, live, tickOptions), "
        "the newest (reqId, thing, live, tickOptions)"
    )
    assert check(TABLE, [older, *RELEASES]) == [expected]


def test_a_callback_whose_parameters_differ() -> None:
    newer = replace(RELEASES[1], wrapper=release("3.0.0", OldClient, _Wider).wrapper)
    expected = (
        "callback tickText: tickText(reqId: int, text: str) in ibapi 1.2.3, "
        "tickText(reqId: int, text: str, colour: str) in the newest: write it by hand"
    )
    assert check(TABLE, [RELEASES[0], newer]) == [expected]


def test_a_parameter_that_only_an_old_release_has_can_be_omitted() -> None:
    class Odd(OldClient):
        def reqThings(self, reqId: int, thing: Any, bogus: Any = None) -> None: ...

    releases: Sequence[Release] = [release("1.2.3", Odd, OldWrapper), RELEASES[1]]
    assert "has the parameters (reqId, thing, bogus)" in check(TABLE, releases)[0]
    assert check(changed(THINGS, omitted=("bogus",)), releases) == []


def test_a_new_request_of_the_next_release_is_found() -> None:
    """The real table against a release that nobody has seen yet."""
    from generator.releases import load

    releases = load()
    newest = releases[-1]
    nobody = replace(newest, version="99.1.1", client={**newest.client, "reqWeather": Method("reqWeather", ())})
    assert check(REAL_TABLE, [*releases, nobody]) == [
        "EClient.reqWeather (ibapi 99.1.1): no row mentions it, and it is not ignored with a reason"
    ]


def test_a_callback_in_two_lanes() -> None:
    again = replace(CLOCK, name="clock_list", pattern="list", end="connected")
    table = replace(with_rows([*ROWS, again]), hand_written={"thingEvent": "several requests share it"})
    assert check(table, RELEASES) == [
        "callback clock: its rows have several lanes (clock, connected), and it says no request id"
    ]
