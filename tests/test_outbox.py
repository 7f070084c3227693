"""The outbox: orders before data, nothing before its own kind, and what is taken back never goes."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from trio_ibtws._runtime._outbox import Entry, Outbox


def queued(outbox: Outbox) -> list[bytes]:
    taken = []
    while (entry := outbox.take()) is not None:
        taken.append(entry.data)
    return taken


def test_orders_go_first_each_kind_in_its_order() -> None:
    outbox = Outbox(lambda: None)
    for name, orders in [(b"d1", False), (b"o1", True), (b"d2", False), (b"o2", True)]:
        outbox.append(name, orders=orders)
    assert len(outbox) == 4
    assert queued(outbox) == [b"o1", b"o2", b"d1", b"d2"]
    assert len(outbox) == 0


def test_the_writer_is_woken_for_every_frame() -> None:
    woken: list[int] = []
    outbox = Outbox(lambda: woken.append(len(outbox)))
    outbox.append(b"a")
    outbox.append(b"b", orders=True)
    assert woken == [1, 2]


def test_a_frame_counts_as_written_when_it_is_taken_and_says_so_once() -> None:
    said: list[str] = []
    outbox = Outbox(lambda: None)
    entry = outbox.append(b"a", on_written=lambda: said.append("written"))
    assert (entry.written, said) == (False, [])
    assert outbox.take() is entry
    assert (entry.written, said) == (True, ["written"])
    assert not outbox.remove(entry)


def test_what_is_queued_by_on_written_goes_behind() -> None:
    outbox = Outbox(lambda: None)

    def then() -> None:
        outbox.append(b"c")

    outbox.append(b"a", on_written=then)
    outbox.append(b"b")
    assert queued(outbox) == [b"a", b"b", b"c"]


def test_taking_back_twice_is_one_and_its_on_written_is_never_called() -> None:
    outbox = Outbox(lambda: None)
    entry = outbox.append(b"a", on_written=lambda: (_ for _ in ()).throw(AssertionError("written")))
    outbox.append(b"b")
    assert outbox.remove(entry)
    assert outbox.remove(entry)
    assert len(outbox) == 1
    assert queued(outbox) == [b"b"]


class OutboxMachine(RuleBasedStateMachine):
    """Against a model of two lists."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox = Outbox(lambda: None)
        self.waiting: dict[bool, list[Entry]] = {True: [], False: []}
        self.taken: list[Entry] = []
        self.dropped: list[Entry] = []
        self.count = 0

    @rule(orders=st.booleans())
    def append(self, orders: bool) -> None:
        self.count += 1
        self.waiting[orders].append(self.outbox.append(b"%d" % self.count, orders=orders))

    @rule(data=st.data())
    def remove(self, data: st.DataObject) -> None:
        entries = self.waiting[True] + self.waiting[False] + self.taken + self.dropped
        if not entries:
            return
        entry = data.draw(st.sampled_from(entries))
        assert self.outbox.remove(entry) == (entry not in self.taken)
        for queue in self.waiting.values():
            if entry in queue:
                queue.remove(entry)
                self.dropped.append(entry)

    @rule()
    def take(self) -> None:
        queue = self.waiting[True] or self.waiting[False]
        expected = queue.pop(0) if queue else None
        got = self.outbox.take()
        assert got is expected
        if got is not None:
            assert got.written
            self.taken.append(got)

    @invariant()
    def counts_what_waits(self) -> None:
        assert len(self.outbox) == len(self.waiting[True]) + len(self.waiting[False])


TestOutbox = OutboxMachine.TestCase
TestOutbox.settings = settings(deadline=None, max_examples=60, stateful_step_count=40)
