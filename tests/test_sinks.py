"""Sinks: an answer is complete or an error, a full stream does what its policy says and says that it did."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_ibtws import (
    EndOfSnapshot,
    Gap,
    Lagged,
    NoData,
    Notice,
    Overflow,
    Result,
    SlowConsumer,
    TickPrice,
    TickSize,
)
from trio_ibtws._runtime._events import Event
from trio_ibtws._runtime._sinks import NOTICES_KEPT, Answer, Buffer, Conflating

NOTICE = Notice(-1, 165, "no rows", None)


class Woken:
    """Counts how often it was called."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> None:
        self.times += 1


def contents(buffer: Buffer) -> list[object]:
    return [buffer.pop() for _ in range(len(buffer))]


# --- answers -----------------------------------------------------------------------------------------------------


def test_one_value() -> None:
    woken = Woken()
    answer = Answer(woken, single=True)
    assert not answer.finished
    answer.item(5)
    assert (answer.finished, woken.times, answer.result()) == (True, 1, 5)


def test_rows_up_to_the_end_marker() -> None:
    woken = Woken()
    answer = Answer(woken, single=False)
    answer.item(1)
    answer.items([2, 3], False)
    assert (answer.finished, woken.times) == (False, 0)
    answer.end("end")
    assert (answer.finished, woken.times) == (True, 1)
    result = answer.result()
    assert isinstance(result, Result)
    assert (result, result.end) == ([1, 2, 3], "end")


def test_rows_up_to_the_done_flag() -> None:
    answer = Answer(Woken(), single=False)
    answer.items([1], False)
    answer.items([], True)
    assert (answer.finished, answer.result()) == (True, [1])


def test_no_rows_and_an_end_marker_is_an_empty_answer() -> None:
    answer = Answer(Woken(), single=False)
    answer.end()
    assert (answer.result(), answer.result().end) == ([], None)


def test_an_error_takes_the_place_of_what_has_come() -> None:
    answer = Answer(Woken(), single=False)
    answer.item(1)
    answer.fail(ValueError("why"))
    with pytest.raises(ValueError, match="why"):
        answer.result()


def test_after_an_error_it_is_not_finished_until_tws_has_finished() -> None:
    """Who failed on this side still has to cancel what goes on at TWS."""
    woken = Woken()
    answer = Answer(woken, single=False)
    answer.fail(ValueError("why"))
    assert (answer.finished, woken.times) == (False, 1)
    answer.end()
    assert (answer.finished, woken.times) == (True, 1)
    with pytest.raises(ValueError, match="why"):
        answer.result()


def test_no_more_rows_ends_a_list_and_is_no_data_for_one_value() -> None:
    rows, one = Answer(Woken(), single=False), Answer(Woken(), single=True)
    rows.item(1)
    rows.complete(NOTICE)
    assert (rows.finished, rows.result()) == (True, [1])
    one.complete(NOTICE)
    assert one.finished
    with pytest.raises(NoData) as caught:
        one.result()
    assert caught.value.code == 165


def test_an_end_without_the_one_value_is_no_data() -> None:
    answer = Answer(Woken(), single=True)
    answer.end()
    with pytest.raises(NoData, match="without the value"):
        answer.result()


def test_a_warning_changes_nothing() -> None:
    answer = Answer(Woken(), single=False)
    answer.notice(NOTICE)
    assert not answer.finished
    answer.end()
    assert answer.result() == []


calls = st.sampled_from(["item", "items", "done", "end", "fail", "complete", "notice"])


@settings(deadline=None)
@given(st.booleans(), st.lists(calls, min_size=1, max_size=8))
def test_what_comes_after_the_answer_changes_nothing_and_wakes_nobody(single: bool, names: list[str]) -> None:
    woken = Woken()
    answer = Answer(woken, single=single)
    settled: object = None
    for position, name in enumerate(names):
        if name in ("items", "done"):
            answer.items([position], name == "done")
        elif name in ("complete", "notice"):
            getattr(answer, name)(NOTICE)
        else:
            getattr(answer, name)(KeyError(position))
        if woken.times and settled is None:
            settled = outcome(answer)
    assert woken.times <= 1
    if woken.times:
        assert outcome(answer) == settled


def outcome(answer: Answer) -> object:
    try:
        result = answer.result()
    except (KeyError, NoData) as exc:
        return repr(exc)
    return (repr(result), repr(getattr(result, "end", None)))


# --- overflow ----------------------------------------------------------------------------------------------------


def test_raise_delivers_what_is_buffered_and_then_the_error() -> None:
    woken = Woken()
    dropped: list[int] = []
    buffer = Buffer(3, name="reqThing", dropped=dropped.append)
    buffer.wake = woken
    for number in range(6):
        buffer.push(number)
    assert isinstance(buffer.error, SlowConsumer)
    assert "reqThing: 3 events" in str(buffer.error)
    assert contents(buffer) == [0, 1, 2]
    assert dropped == [1]
    assert woken.times == 4
    buffer.push(7)
    assert len(buffer) == 0


def test_a_failed_stream_is_not_finished_because_tws_goes_on() -> None:
    buffer = Buffer(1)
    buffer.push(1)
    buffer.push(2)
    assert buffer.error is not None
    assert not buffer.finished


def test_drop_oldest_says_how_many_before_what_is_left() -> None:
    dropped: list[int] = []
    buffer = Buffer(3, "drop_oldest", dropped=dropped.append)
    for number in range(5):
        buffer.push(number)
    assert len(buffer) == 4
    assert contents(buffer) == [Lagged(2), 2, 3, 4]
    assert sum(dropped) == 2
    assert len(buffer) == 0


@settings(deadline=None)
@given(
    limit=st.integers(1, 5),
    overflow=st.sampled_from(["raise", "drop_oldest"]),
    steps=st.lists(st.booleans(), max_size=60),
)
def test_nothing_is_lost_without_a_word(limit: int, overflow: Overflow, steps: list[bool]) -> None:
    """True pushes the next number, False reads one event."""
    buffer = Buffer(limit, overflow)
    pushed, read = 0, 0
    for push in steps:
        if push:
            if buffer.error is None:
                buffer.push(pushed)
                pushed += 1
        elif len(buffer):
            event = buffer.pop()
            if isinstance(event, Lagged):
                assert overflow == "drop_oldest"
                assert event.count > 0
                read += event.count
            else:
                assert event == read
                read += 1
        assert len(buffer) <= limit + 1
    for event in contents(buffer):
        read += event.count if isinstance(event, Lagged) else 1
    assert pushed - read == (1 if buffer.error is not None else 0)  # the one that broke it


def test_the_first_error_stays_and_nothing_comes_behind_it() -> None:
    woken = Woken()
    buffer = Buffer(10)
    buffer.wake = woken
    buffer.push(1)
    buffer.fail(ValueError("first"))
    buffer.fail(ValueError("second"))
    buffer.push(2)
    assert str(buffer.error) == "first"
    assert contents(buffer) == [1]
    assert woken.times == 2


# --- shapes of a stream ------------------------------------------------------------------------------------------


def test_an_end_marker_in_a_stream_is_the_end_of_its_snapshot() -> None:
    buffer = Buffer(10)
    buffer.item(1)
    buffer.end("whatever it carries")
    buffer.items([2, 3], True)
    assert contents(buffer) == [1, EndOfSnapshot(), 2, 3]
    assert not buffer.finished


def test_a_stream_of_batches_gives_a_list_a_refresh() -> None:
    buffer = Buffer(10, batches=True)
    buffer.item(1)
    buffer.item(2)
    assert len(buffer) == 0
    buffer.end()
    buffer.end()
    buffer.item(3)
    buffer.end()
    assert contents(buffer) == [[1, 2], [], [3]]


def test_no_rows_is_a_notice_of_a_stream_that_goes_on() -> None:
    buffer = Buffer(10)
    buffer.complete(NOTICE)
    buffer.notice(NOTICE)
    assert list(buffer.notices) == [NOTICE, NOTICE]
    assert buffer.error is None


def test_the_newest_notices_are_kept() -> None:
    buffer = Buffer(10)
    for code in range(NOTICES_KEPT + 5):
        buffer.notice(Notice(-1, code, "", None))
    assert [notice.code for notice in buffer.notices] == list(range(5, NOTICES_KEPT + 5))


# --- conflation --------------------------------------------------------------------------------------------------


def price(tick_type: int, value: float) -> Event:
    return TickPrice(tick_type, value, None)  # type: ignore[arg-type]


def test_the_newest_of_each_class_and_tick_type_stays_where_the_first_unread_stood() -> None:
    woken = Woken()
    buffer = Conflating(2, ("tick_type",))
    buffer.wake = woken
    for event in (price(1, 1.0), price(2, 2.0), price(1, 1.5), TickSize(1, None), price(2, 2.5), EndOfSnapshot()):
        buffer.push(event)
    assert woken.times == 6
    assert contents(buffer) == [price(1, 1.5), price(2, 2.5), TickSize(1, None), EndOfSnapshot()]
    buffer.push(price(1, 3.0))
    assert contents(buffer) == [price(1, 3.0)]


def test_without_attributes_only_the_newest_of_a_class_stays() -> None:
    buffer = Conflating(1, ())
    for value in range(100):
        buffer.push(price(value, value))
    assert contents(buffer) == [price(99, 99)]
    assert buffer.error is None


@settings(deadline=None)
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), max_size=60))
def test_conflation_against_a_model(steps: list[tuple[bool, int]]) -> None:
    buffer, model = Conflating(1, ("tick_type",)), {}
    for number, (push, key) in enumerate(steps):
        if push:
            buffer.push(price(key, number))
            model[key] = number
        elif model:
            oldest = next(iter(model))
            assert buffer.pop() == price(oldest, model.pop(oldest))
        assert len(buffer) == len(model)


def test_what_came_after_a_gap_is_read_after_it() -> None:
    """A reader that forgets its quotes at a gap would else forget the new ones, and not hear of them again."""
    buffer = Conflating(10, ("tick_type",))
    gap = Gap("data lost", 10.0, 20.0)
    for event in (price(1, 1.0), price(2, 2.0), gap, price(1, 1.5), TickSize(1, None), price(1, 1.7)):
        buffer.push(event)
    assert contents(buffer) == [price(2, 2.0), gap, TickSize(1, None), price(1, 1.7)]
    buffer.push(price(1, 3.0))
    buffer.push(price(2, 3.0))
    buffer.push(price(1, 4.0))
    assert contents(buffer) == [price(1, 4.0), price(2, 3.0)]


def test_two_unread_gaps_become_one_that_covers_both() -> None:
    buffer = Conflating(10, ("tick_type",))
    for event in (Gap("lost", 10.0, 20.0), price(1, 1.0), Gap("lost again", 30.0, 40.0), price(2, 2.0)):
        buffer.push(event)
    assert contents(buffer) == [price(1, 1.0), Gap("lost again", 10.0, 40.0), price(2, 2.0)]


def test_a_failed_conflating_stream_keeps_what_is_unread() -> None:
    buffer = Conflating(1, ("tick_type",))
    buffer.push(price(1, 1.0))
    buffer.fail(ValueError("lost"))
    buffer.push(price(1, 2.0))
    assert contents(buffer) == [price(1, 1.0)]


def test_a_failed_stream_signals_nobody_any_more() -> None:
    """Whoever delivers does not wait for its reader, full or not."""
    crowded: list[Buffer] = []
    buffer = Buffer(4, crowded=crowded.append)
    buffer.push(1)
    buffer.push(2)
    buffer.fail(NoData(1, "gone"))
    for signal in (buffer.signal_again, buffer.stop_signalling):
        signal()
        assert not buffer.crowded
        buffer.push(3)
        assert contents_of(buffer) == [1, 2]
    assert not crowded


def test_an_empty_conflating_stream_has_nothing_to_take() -> None:
    with pytest.raises(IndexError):
        Conflating(10, ()).pop()


def contents_of(buffer: Buffer) -> list[object]:
    return list(buffer._events)
