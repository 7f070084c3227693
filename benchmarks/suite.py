"""What is measured: sections of cases, and who takes part in each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from . import wire

Job = dict[str, Any]

OURS = ("trio", "asyncio", "uvloop")
EVERYBODY = (*OURS, "ib_async", "ibapi", "decoder")


@dataclass
class Case:
    """One row of a table: the same job for several contenders, and the figure of it that the row shows."""

    label: str
    key: str
    jobs: dict[str, Job]


@dataclass
class Section:
    """One table."""

    title: str
    unit: str
    cases: list[Case] = field(default_factory=list)

    def add(self, label: str, key: str, who: tuple[str, ...], measure: str, **parameters: Any) -> None:
        jobs = {name: {"who": name, "measure": measure, "wire": "text", **parameters} for name in who}
        self.cases.append(Case(label, key, jobs))


@dataclass(frozen=True)
class Scale:
    """How long the measurements are."""

    messages: int
    bars: int
    requests: int
    rated: int
    lines: tuple[int, ...]
    backlog: tuple[int, ...]
    starts: int
    bursts: tuple[int, ...]


FULL = Scale(200_000, 5_000, 4_000, 5_000, (1, 100, 10_000), (4, 16, 64), 20, (1_000, 5_000, 20_000))
BRIEF = Scale(5_000, 50, 20, 100, (1, 10), (1,), 1, (100,))

MESSAGES = "messages a second of processor time"
REQUESTS = "requests a second of processor time"

KINDS = {"tick": "tick by tick", "price": "tickPrice + tickSize", "depth": "depth"}


def streams(scale: Scale, spoken: str) -> Section:
    """Messages a second from the socket to the user, and the decoder alone."""
    section = Section(f"Streams, {'text at 176' if spoken == 'text' else 'protobuf at 226'}", MESSAGES)
    peers = ("ib_async", "ibapi", "decoder") if spoken == "text" else ("ibapi", "decoder")
    for kind, name in KINDS.items():
        for by in ("item", "batch"):
            who = (*OURS, *peers) if by == "item" else OURS
            parameters = {"kind": kind, "by": by, "wire": spoken, "count": scale.messages, "seconds": 3}
            section.add(f"{name}, by {by}", "per_cpu_second", who, "stream", **parameters)
    return section


def requests(scale: Scale) -> Section:
    section = Section("Requests", REQUESTS)
    who = (*OURS, "ib_async", "ibapi")
    section.add(f"history of {scale.bars} bars", "per_cpu_second", who, "history", bars=scale.bars, count=10)
    ours_and_stock = (*OURS, "ibapi")
    label = f"history of {scale.bars} bars, protobuf"
    section.add(label, "per_cpu_second", ours_and_stock, "history", bars=scale.bars, count=10, wire="protobuf")
    section.add("round trips, one at a time", "per_cpu_second", who, "requests", at_once=1, count=scale.requests)
    at_once = min(200, scale.requests)
    section.add(
        f"round trips, {at_once} at once", "per_cpu_second", who, "requests", at_once=at_once, count=scale.requests
    )
    return section


def latency(scale: Scale) -> Section:
    section = Section("From the server's sending to the consumer's waking up", "µs")
    for rate in (1_000, 10_000):
        for key, name in (("p50_us", "median"), ("p99_us", "99th percentile")):
            label = f"{rate:,} messages/s, {name}"
            section.add(label, key, (*OURS, "ib_async", "ibapi"), "latency", rate=rate, count=scale.rated)
    return section


def fairness(scale: Scale) -> Section:
    section = Section("How late a task that sleeps 10 ms wakes under full load", "µs")
    for key, name in (("p50_us", "median"), ("p99_us", "99th percentile"), ("max_us", "worst")):
        parameters = {"by": "item", "count": scale.messages}
        section.add(name, key, (*OURS, "ib_async"), "timer", **parameters)
    return section


def lines(scale: Scale) -> list[Section]:
    """Open subscriptions: what each costs in memory, and what a message costs when there are many."""
    memory = Section("Resident memory", "MiB in all, then bytes a subscription")
    cost = Section("Processor time a message, by open subscriptions", "µs")
    who = (*OURS, "ib_async")
    for turn, name in ((50, "50 messages of a line in a row"), (1, "each message of another line")):
        for count in scale.lines:
            parameters = {"lines": count, "turn": turn, "count": scale.messages}
            cost.add(f"{count:,} lines, {name}", "cpu_us", who, "lines", **parameters)
            if turn == 50:
                memory.add(f"{count:,} lines", "resident_mib", who, "lines", **parameters)
    many = {"lines": scale.lines[-1], "turn": 50, "count": scale.messages}
    memory.add(f"a line, at {scale.lines[-1]:,}", "bytes_a_line", who, "lines", **many)
    return [memory, cost]


def bursts(scale: Scale) -> Section:
    """Ticks that come all at once: from the request to the last one, and how the cost of one grows with their number.

    Stock ibapi copies what it has not read yet for each message, so that it takes part in the small ones only.
    """
    section = Section("A burst of ticks, from the request to the last one", MESSAGES)
    for count in scale.bursts:
        section.add(f"{count:,} ticks", "per_cpu_second", (*OURS, "ib_async", "ibapi"), "burst", count=count)
    for mib in scale.backlog:
        count = mib * 2**20 // wire.TICK_BYTES
        section.add(f"{mib} MiB, {count:,} ticks", "per_cpu_second", (*OURS, "ib_async"), "burst", count=count)
    return section


def backlog(scale: Scale) -> Section:
    section = Section("Framing of a backlog that came in one piece", "MiB/s, in three seconds at the most")
    for mib in scale.backlog:
        section.add(f"{mib} MiB", "mib_per_second", ("trio", "ibapi"), "backlog", mib=mib, seconds=3)
    return section


def start(scale: Scale) -> Section:
    section = Section("Start", "ms")
    section.add("import, processor time", "ms", ("trio", "ib_async", "ibapi"), "import")
    section.add("connect until ready", "ms", (*OURS, "ib_async", "ibapi"), "start", count=scale.starts)
    return section


def sections(scale: Scale, *, protobuf: bool) -> list[Section]:
    """Return everything that is measured; *protobuf* says whether the installed ibapi speaks it."""
    every = [
        streams(scale, "text"),
        streams(scale, "protobuf"),
        bursts(scale),
        requests(scale),
        latency(scale),
        fairness(scale),
        *lines(scale),
        backlog(scale),
        start(scale),
    ]
    for section in every:
        section.cases = [
            case for case in section.cases if protobuf or all(job["wire"] == "text" for job in case.jobs.values())
        ]
    return [section for section in every if section.cases]


def brief_jobs(jobs: Iterator[Job]) -> Iterator[Job]:
    """Return enough of *jobs* to see that all of it works: each measure once for each contender."""
    seen = set()
    for job in jobs:
        what = (
            (job["who"], job["measure"], job["wire"])
            if job["who"] in ("trio", "decoder")
            else (job["who"], job["measure"])
        )
        if what not in seen and (job["who"] != "asyncio" or job["measure"] in ("stream", "timer")):
            seen.add(what)
            yield job
