"""A tiny EClient and EWrapper, in two releases, and a table that fits them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from typing import Any

from generator.model import Callback, Family, Release, Row, Table
from generator.record import methods
from generator.releases import parse


class Thing:
    """What requests and answers are made of."""


class TickProto:
    """A protobuf message."""


def signatures(cls: type) -> dict[str, str]:
    """Record a class whose annotations are text because of the ``__future__`` import."""
    return {name: text.replace("'", "") for name, text in methods(cls).items()}


class OldClient:
    def reqClock(self) -> None: ...
    def reqThings(self, reqId: int, thing: Thing) -> None: ...
    def reqTicks(self, reqId: int, thing: Thing, live: bool, tickOptions: list) -> None: ...  # type: ignore[type-arg]
    def cancelTicks(self, reqId: int) -> None: ...
    def reqRule(self, ruleId: int) -> None: ...
    def reqPastTicks(self, reqId: int, useRTH: int) -> None: ...
    def setLevel(self, level: int) -> None: ...
    def placeThing(self, orderId: int, thing: Thing) -> None: ...
    def stopThing(self, orderId: int) -> None: ...
    def reqGroup(self, reqId: int, group: str) -> None: ...
    def moveGroup(self, reqId: int, to: str) -> None: ...
    def leaveGroup(self, reqId: int) -> None: ...
    def connect(self, host: str) -> None: ...


class NewClient(OldClient):
    def reqThings(self, reqId: int, thing: Thing, thingOptions: list) -> None: ...  # type: ignore[override,type-arg]
    def cancelThings(self, reqId: int) -> None: ...
    def reqClockProtoBuf(self, clockProto: Any) -> None: ...


class OldWrapper:
    def clock(self, time: int) -> None: ...
    def thing(self, reqId: int, thing: Thing) -> None: ...
    def thingsEnd(self, reqId: int, start: str, end: str) -> None: ...
    def tickPnL(self, reqId: int, dailyPnL: float, lots: int, open_: Decimal) -> None: ...
    def tickText(self, reqId: int, text: str) -> None: ...
    def ticksEnd(self, reqId: int) -> None: ...
    def rule(self, ruleId: int, steps: list) -> None: ...  # type: ignore[type-arg]
    def pastTicks(self, reqId: int, ticks: list, done: bool) -> None: ...  # type: ignore[type-arg]
    def thingEvent(self, orderId: int, state: str) -> None: ...
    def groupMoved(self, reqId: int, to: str) -> None: ...
    def connected(self) -> None: ...


class NewWrapper(OldWrapper):
    def tickTextProtoBuf(self, tickProto: TickProto) -> None: ...


def release(version: str, client: type, wrapper: type) -> Release:
    return parse(
        {
            "version": version,
            "client": signatures(client),
            "wrapper": signatures(wrapper),
            "nouns": {"Thing": {"module": "ibapi.thing"}},
        }
    )


RELEASES = [release("1.2.3", OldClient, OldWrapper), release("2.0.1", NewClient, NewWrapper)]

CLOCK = Row("reqClock", "one", "Return the time.", items=("clock",))
THINGS = Row("reqThings", "list", "Return things.", items=("thing",), end="thingsEnd", cancel="cancelThings")
TICKS = Row(
    "reqTicks",
    "stream",
    "Subscribe to ticks.",
    items=("tickPnL", "tickText"),
    end="ticksEnd",
    markers=("EndOfSnapshot",),
    constants={"live": True},
    cancel="cancelTicks",
    conflate=("lots",),
)
RULE = Row("reqRule", "one", "Return a rule.", items=("rule",), echo="ruleId")
PAST_TICKS = Row("reqPastTicks", "list", "Return ticks.", items=("pastTicks",), done="done")
LEVEL = Row("setLevel", "send", "Set the level.", effect="session")
PLACE = Row(
    "placeThing",
    "place",
    "Place a thing.",
    items=("thingEvent",),
    yields="OrderEvent",
    key="orderId",
    orders=True,
    effect="trade",
)
STOP = Row("stopThing", "cancel_order", "Stop a thing.", orders=True, effect="trade")
GROUP = Row(
    "reqGroup", "stream", "Subscribe to a group.", items=("groupMoved",), cancel="leaveGroup", update="moveGroup"
)
MOVE = Row("moveGroup", "part", "Move a group.", effect="session")

ROWS = (CLOCK, THINGS, TICKS, RULE, PAST_TICKS, LEVEL, PLACE, STOP, GROUP, MOVE)

TABLE = Table(
    families=(Family("things", "ThingRequests", "things", ROWS),),
    callbacks={
        "thingsEnd": Callback("The span of the things."),
        "tickPnL": Callback("Profit.", units={"lots": "hundreds"}, optional=("lots",)),
        "tickText": Callback("Text.", twin={"colour": "str"}),
        "rule": Callback(types={"steps": "list[float]"}),
        "pastTicks": Callback(types={"ticks": "list[Thing]"}),
    },
    defaults={"useRTH": True, "thingOptions": None, "tickOptions": None},
    types={"useRTH": "bool", "thingOptions": "list[Thing]", "tickOptions": "list[Thing]"},
    hand_written={"connected": "it is ours", "thingEvent": "several requests share it"},
    ignored_methods={"connect": "the connection is ours"},
    ignored_callbacks={},
)


def with_rows(rows: Iterable[Row], table: Table = TABLE) -> Table:
    """Return the table with other rows."""
    return replace(table, families=(replace(table.families[0], rows=tuple(rows)),))


def changed(row: Row, **fields: Any) -> Table:
    """Return the table with one row changed."""
    return with_rows(replace(each, **fields) if each is row else each for each in ROWS)
