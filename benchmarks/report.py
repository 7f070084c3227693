"""Says what came out: Markdown tables, and a plot where matplotlib is installed."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from .runner import Measured, median
from .suite import EVERYBODY, Case, Section

NAMES = {"ibapi": "stock ibapi", "decoder": "bare decoder"}
RATIOS = ("decoder", "ib_async", "ibapi")
_DISTRIBUTIONS = ("ibapi", "ibapi-stable", "ibapi-latest", "ib_async", "anyio", "trio", "uvloop", "msgspec", "protobuf")


def markdown(sections: list[Section], measured: Measured, rounds: int) -> str:
    """Return all tables: medians, and how ours on trio stands to each peer."""
    return "\n".join([*machine(rounds), *(line for section in sections for line in table(section, measured))])


def machine(rounds: int) -> Iterator[str]:
    installed = []
    for name in _DISTRIBUTIONS:
        try:
            installed.append(f"{name} {version(name)}")
        except PackageNotFoundError:  # another distribution brings ibapi, or the contender takes no part
            continue
    yield f"Medians of {rounds} rounds. {platform.system()} {platform.machine()}, {os.cpu_count()} cores{_processor()};"
    yield f"{platform.python_implementation()} {platform.python_version()}, {', '.join(installed)}."
    yield ""


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f" ({models[0]})" if models else ""


def table(section: Section, measured: Measured) -> Iterator[str]:
    """Give the lines of one table; a contender that takes no part in it has no column."""
    rows = measured_rows(section, measured)
    who = [name for name in EVERYBODY if any(name in row for row in rows.values())]
    beside = [name for name in RATIOS if name in who and "a second" in section.unit]
    if not who:
        return
    yield f"### {section.title} ({section.unit})"
    yield ""
    yield (
        "| | "
        + " | ".join([NAMES.get(name, name) for name in who] + [f"trio ÷ {NAMES.get(n, n)}" for n in beside])
        + " |"
    )
    yield "|---|" + "---:|" * (len(who) + len(beside))
    for label, row in rows.items():
        cells = [shown(row.get(name)) for name in who]
        twin = rows.get(label.replace("by batch", "by item"), row)
        cells += [ratio(row, name, twin) for name in beside]
        yield f"| {label} | " + " | ".join(cells) + " |"
    yield ""


def measured_rows(section: Section, measured: Measured) -> dict[str, dict[str, float]]:
    """Return the medians of each contender by row, without the rows that were not measured."""
    rows = {case.label: values(case, measured) for case in section.cases}
    return {label: row for label, row in rows.items() if row}


def values(case: Case, measured: Measured) -> dict[str, float]:
    found = {name: median(measured, job, case.key) for name, job in case.jobs.items()}
    return {name: value for name, value in found.items() if value is not None}


def shown(value: float | None) -> str:
    if value is None:
        return ""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def ratio(row: dict[str, float], peer: str, twin: dict[str, float]) -> str:
    """Return ours on trio over the peer's, which stands in the *twin* row where peers have no batches."""
    other = row.get(peer, twin.get(peer))
    return f"{row['trio'] / other:.2f}" if other and "trio" in row else ""


BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"


def into_page(tables: str, page: Path) -> None:
    """Put *tables* between the two marks of *page*."""
    before, _, rest = page.read_text(encoding="utf-8").partition(BEGIN)
    _, mark, after = rest.partition(END)
    assert mark, f"{page} has no {BEGIN} and {END}"
    page.write_text(f"{before}{BEGIN}\n\n{tables}\n{END}{after}", encoding="utf-8")


def plot(sections: list[Section], measured: Measured, path: Path) -> bool:
    """Write bars of the streams' rates; return whether they were measured, and matplotlib is there to do it."""
    shown_sections = [section for section in sections if section.title.startswith("Streams")]
    if not shown_sections or find_spec("matplotlib") is None:
        return False
    import matplotlib

    matplotlib.use("agg")
    matplotlib.rcParams |= {"svg.fonttype": "none", "svg.hashsalt": "trio_ibtws"}
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(len(shown_sections), 1, figsize=(9, 3.6 * len(shown_sections)), squeeze=False)
    for axis, section in zip(axes.flat, shown_sections, strict=True):
        draw(axis, section, measured)
    figure.tight_layout()
    figure.savefig(path, dpi=80, metadata={"Date": None} if path.suffix == ".svg" else {"Software": None})
    return True


def draw(axis: Any, section: Section, measured: Measured) -> None:
    rows = measured_rows(section, measured)
    who = [name for name in EVERYBODY if any(name in row for row in rows.values())]
    width = 0.8 / len(who)
    for place, name in enumerate(who):
        heights = [row.get(name, 0.0) / 1e3 for row in rows.values()]
        axis.bar([x + place * width for x in range(len(rows))], heights, width, label=NAMES.get(name, name))
    axis.set_xticks([x + 0.4 - width / 2 for x in range(len(rows))], list(rows), fontsize=7)
    axis.set_ylabel("thousand messages/s", fontsize=8)
    axis.set_title(section.title, fontsize=10)
    axis.legend(fontsize=7)
