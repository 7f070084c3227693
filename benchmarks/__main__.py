"""``python -m benchmarks``: measure, print the tables, and write ``performance.md``, ``.json`` and ``.svg``."""

from __future__ import annotations

import argparse
import json
from dataclasses import replace
from pathlib import Path

from ibapi.server_versions import MAX_CLIENT_VER

from . import report, runner, suite, wire

DOCS = Path(__file__).parent.parent / "docs"


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    made.add_argument("--rounds", type=int, default=5, help="how often everything is measured (5)")
    made.add_argument("--only", default="", help="only sections whose title contains this")
    made.add_argument("--who", default="", help="only these contenders, with commas between them")
    made.add_argument("--brief", action="store_true", help="a few seconds, to see that the harness works")
    made.add_argument("--messages", type=int, help="how many messages a stream has (200000)")
    made.add_argument("--docs", action="store_true", help="also put tables and plot into docs/performance.md")
    made.add_argument("--out", type=Path, default=Path("build/benchmarks"), help="directory to write to")
    return made


def main() -> None:
    options = parser().parse_args()
    scale = suite.BRIEF if options.brief else suite.FULL
    scale = replace(scale, messages=options.messages or scale.messages)
    sections = suite.sections(scale, protobuf=MAX_CLIENT_VER >= wire.PROTOBUF)
    sections = [section for section in sections if options.only.lower() in section.title.lower()]
    wanted = set(options.who.split(",")) if options.who else set(suite.EVERYBODY)
    jobs = (job for section in sections for case in section.cases for who, job in case.jobs.items() if who in wanted)
    rounds = 1 if options.brief else options.rounds
    measured = runner.run(suite.brief_jobs(jobs) if options.brief else jobs, rounds)
    options.out.mkdir(parents=True, exist_ok=True)
    tables = report.markdown(sections, measured, rounds)
    (options.out / "performance.md").write_text(tables, encoding="utf-8")
    (options.out / "performance.json").write_text(json.dumps(measured, indent=1), encoding="utf-8")
    report.plot(sections, measured, options.out / "performance.svg")
    if options.docs:
        report.into_page(tables, DOCS / "performance.md")
        report.plot(sections, measured, DOCS / "pictures" / "performance.png")
    print(tables)


if __name__ == "__main__":
    main()
