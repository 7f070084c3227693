"""The emitted text of every shape, exactly: ``expected/`` holds what the made-up table gives."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from generator.emit_docs import emit_docs
from generator.emit_events import emit_events
from generator.emit_requests import emit_family, emit_requests
from generator.emit_wrapper import emit_wrapper
from generator.format import FormatError, format_source
from generator.model import Callback, Model, Row, TableError
from generator.resolve import resolve
from tests.generator.made_up_api import RELEASES, ROWS, TABLE, THINGS, TICKS, changed, with_rows

EXPECTED = Path(__file__).parent / "expected"


def emit_things(model: Model) -> str:
    (family, requests), *_ = model.families
    return emit_family(model, family, requests)


@pytest.mark.parametrize(
    ("name", "emit"),
    [
        ("events", emit_events),
        ("wrapper", emit_wrapper),
        ("requests_things", emit_things),
        ("requests", emit_requests),
    ],
)
def test_source(name: str, emit: Callable[[Model], str]) -> None:
    text = format_source(emit(resolve(TABLE, RELEASES)))
    assert text == (EXPECTED / f"{name}.txt").read_text(encoding="utf-8")


def test_docs() -> None:
    text = emit_docs(resolve(TABLE, RELEASES))
    assert text[text.index("## Things") :] == (EXPECTED / "docs.txt").read_text(encoding="utf-8")


def requests_of(*rows: Row) -> str:
    """Emit the module of the made-up family with more rows; only the text matters, not whether the table is whole."""
    return format_source(emit_things(resolve(with_rows([*ROWS, *rows]), RELEASES)))


def test_the_bare_name_is_the_query_and_another_row_the_stream() -> None:
    row = replace(THINGS, name="things_stream", pattern="stream", markers=("EndOfSnapshot",), lasting=True)
    text = requests_of(row)
    assert "async def things(self, thing: Thing" in text
    assert "    def things_stream(\n" in text
    assert "THINGS_STREAM: Request[ThingsStreamEvent] = Request(\n" in text
    assert "    lasting=True,\n" in text


def test_batches_are_lists() -> None:
    row = replace(THINGS, name="things_batches", pattern="stream", batches=True)
    text = requests_of(row)
    assert "THINGS_BATCHES: Request[list[Thing]] = Request(\n" in text
    assert ") -> Subscription[list[Thing]]:\n" in text


def test_hand_written_events_are_joined() -> None:
    row = replace(
        THINGS,
        name="open_things",
        items=("thingEvent",),
        yields="OpenOrder | OrderStatus",
        join="join_open_orders",
    )
    text = requests_of(row)
    assert "OPEN_THINGS: Request[OpenOrder | OrderStatus] = Request(\n" in text
    assert "return join_open_orders(await self._calls.collect(OPEN_THINGS, thing, thing_options))\n" in text
    assert "from .._runtime._orders import join_open_orders\n" in text
    assert (
        "    async def open_things(self, thing: Thing, thing_options: list[Thing] | None = None) -> list[OpenOrder]:"
        in text
    )


def test_a_default_needs_defaults_behind_it() -> None:
    table = changed(TICKS, defaults={"thing": None}, constants={}, types={})
    text = emit_things(resolve(table, RELEASES))
    assert "def ticks(self, thing: Thing, live: bool, tick_options: list[Thing] | None = None, *, " in text


def test_a_callback_is_a_value_only_where_all_of_its_rows_get_that_type() -> None:
    rows = [replace(row, items=(*row.items, "thing")) if row is TICKS else row for row in ROWS]
    table = with_rows(rows, replace(TABLE, callbacks={**TABLE.callbacks, "thing": Callback("A thing.")}))
    model = resolve(table, RELEASES)
    assert [callback.event for callback in model.callbacks if callback.name == "thing"] == ["Thing"]
    assert "self.router.item(reqId, events.Thing(thing))" in emit_wrapper(model)


def test_an_event_class_needs_a_doc() -> None:
    callbacks = {name: callback for name, callback in TABLE.callbacks.items() if name != "tickPnL"}
    with pytest.raises(TableError, match="callback tickPnL: needs a one-line doc"):
        resolve(replace(TABLE, callbacks=callbacks), RELEASES)


def test_a_doc_without_a_class() -> None:
    callbacks = {**TABLE.callbacks, "clock": Callback("The time.")}
    with pytest.raises(TableError, match="callback clock: delivers no class of its own"):
        resolve(replace(TABLE, callbacks=callbacks), RELEASES)


def test_a_vague_type() -> None:
    callbacks = {name: callback for name, callback in TABLE.callbacks.items() if name != "rule"}
    with pytest.raises(TableError, match="callback rule: say of what type 'steps' is, 'list' is too vague"):
        resolve(replace(TABLE, callbacks=callbacks), RELEASES)


def test_generation_is_idempotent_and_deterministic() -> None:
    first = emit_things(resolve(TABLE, RELEASES))
    assert emit_things(resolve(with_rows(reversed(ROWS)), list(RELEASES))) == first
    assert format_source(format_source(first)) == format_source(first)


def test_what_ruff_cannot_read() -> None:
    with pytest.raises(FormatError):
        format_source("def broken(:\n")
