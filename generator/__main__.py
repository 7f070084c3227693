"""``python -m generator``: write the generated files, compare them, or record the installed ibapi."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from .drift import drift
from .files import ROOT, differences, generate, write
from .format import FormatError
from .model import TableError
from .record import as_json, record
from .releases import FOLDER, load, parse
from .resolve import resolve
from .spec import TABLE

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    options = _parser().parse_args(arguments)
    if options.record:
        return _record(options.output)
    try:
        files = generate(resolve(TABLE, load()))
    except (TableError, FormatError) as error:
        print(error, file=sys.stderr)
        return 1
    return _check(files) if options.check else _write(files)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m generator", description=__doc__)
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--check", action="store_true", help="write nothing, exit 1 if a generated file is not up to date"
    )
    action.add_argument("--record", action="store_true", help="write down what the installed ibapi looks like")
    parser.add_argument(
        "--output", type=Path, help="the file for --record (default: generator/releases/<version>.json)"
    )
    return parser


def _record(output: Path | None) -> int:
    facts = record()
    path = output or FOLDER / f"{facts['version']}.json"
    path.write_text(as_json(facts), encoding="utf-8")
    print(f"ibapi {facts['version']} recorded in {path}")
    release = parse(facts)
    older = [other for other in load() if other.order < release.order]
    if older:
        changes = drift(older[-1], release)
        print("\n".join([f"since ibapi {older[-1].version}:", *(changes or ["no public method changed"])]))
    return 0


def _check(files: dict[str, str]) -> int:
    found = differences(files, ROOT)
    if found:
        print("\n".join(found), file=sys.stderr)
        print("run `python -m generator` and commit what it writes", file=sys.stderr)
    return 1 if found else 0


def _write(files: dict[str, str]) -> int:
    for line in write(files, ROOT):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
