"""Pacing: never more than the rate in any second, and never later than it has to be."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trio_ibtws import Pacer


def schedule(pacer: Pacer, gaps: list[float]) -> list[tuple[float, float]]:
    """Return when each message was asked to go and when it went, one writer sending in order."""
    asked = now = 0.0
    times = []
    for gap in gaps:
        asked += gap
        now = max(now, asked)
        while (wait := pacer.delay(now)) > 0:
            now += wait
        pacer.record(now)
        times.append((asked, now))
    return times


gaps = st.lists(st.one_of(st.just(0.0), st.floats(min_value=0, max_value=0.3), st.floats(0, 5)), max_size=150)


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=50), gaps)
def test_no_closed_second_holds_more_than_the_rate(rate: int, gaps: list[float]) -> None:
    sent = [went for _, went in schedule(Pacer(rate=rate), gaps)]
    assert sent == sorted(sent)
    for first, later in zip(sent, sent[rate:], strict=False):
        assert later - first > 1.0


@settings(deadline=None)
@given(st.integers(min_value=1, max_value=50), gaps)
def test_a_message_waits_only_for_the_one_that_many_before_it(rate: int, gaps: list[float]) -> None:
    times = schedule(Pacer(rate=rate), gaps)
    for position, (asked, went) in enumerate(times):
        due = times[position - rate][1] + 1.05 if position >= rate else 0.0
        before = times[position - 1][1] if position else 0.0
        assert went <= max(asked, due, before) + 1e-9


def test_the_default_stays_below_the_limit_of_tws() -> None:
    pacer = Pacer()
    assert pacer.rate == 45
    sent = [went for _, went in schedule(pacer, [0.0] * 200)]
    assert max(sum(start <= went <= start + 1 for went in sent) for start in sent) == 45


def test_no_rate_lets_everything_pass() -> None:
    pacer = Pacer(rate=None)
    assert [went for _, went in schedule(pacer, [0.0] * 1000)] == [0.0] * 1000


@pytest.mark.parametrize("rate", [0, -1])
def test_a_rate_that_lets_nothing_pass_is_refused(rate: int) -> None:
    with pytest.raises(ValueError, match="at least one message"):
        Pacer(rate=rate)


def test_it_shows_its_rate() -> None:
    assert repr(Pacer(rate=10)) == "Pacer(rate=10)"
