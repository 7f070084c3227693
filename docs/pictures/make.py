"""Paint the screens of the command line as SVG: ``python docs/pictures/make.py [FOLDER]``.

Each is a real command on the simulator, in virtual time, so that the same pictures come out wherever it runs.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import anyio
import trio.testing
from rich.console import Console

from trio_ibtws import cli
from trio_ibtws._cli import _tables

PICTURES = {
    "contract": ["contract", "AAPL"],
    "bars": ["bars", "AAPL"],
    "bars-intraday": ["bars", "EUR.USD", "--duration", "1D", "--bar", "10m"],
    "ticks": ["ticks", "AAPL", "--data", "live", "--seconds", "12"],
    "book": ["book", "AAPL@NASDAQ", "--rows", "8", "--seconds", "5"],
    "account": ["account"],
}
"""What is painted: the name of the file, and the command."""

_WIDTH = 84
_RUN = anyio.run


def run_virtually(function: Callable[..., Any], *arguments: Any, backend: str) -> Any:
    """Do what ``anyio.run`` does, with a clock that jumps to the next thing that happens."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    return _RUN(function, *arguments, backend=backend, backend_options={"clock": clock})


def paint(name: str) -> str:
    """Return the picture of a command as SVG."""
    command = PICTURES[name]
    console = Console(
        record=True, width=_WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor", highlight=False
    )
    with (
        mock.patch.object(anyio, "run", run_virtually),
        mock.patch.object(_tables, "make_console", return_value=console),
    ):
        code = cli.main([*command, "--simulate"])
    if code:
        raise SystemExit(f"{name}: the command ended with {code}")
    return console.export_svg(title=f"trio-ibtws {' '.join(command)}", unique_id=name)


def main(folder: Path) -> None:
    """Paint all of them."""
    for name in PICTURES:
        (folder / f"{name}.svg").write_text(paint(name), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
