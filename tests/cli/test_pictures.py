"""The pictures of the documentation can be painted, and are those that are there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.cli.process import DEADLINE, ROOT, environment

FOLDER = ROOT / "docs" / "pictures"
MOST_BYTES = 150_000
WORDS = {
    "contract": "APPLE",
    "bars": "250\N{NO-BREAK SPACE}bars",
    "bars-intraday": "US/Eastern",
    "ticks": "volume",
    "book": "size",
    "account": "NetLiquidation",
}


@pytest.mark.speaks(176)
def test_they_can_be_painted(tmp_path: Path) -> None:
    painter = [sys.executable, str(FOLDER / "make.py"), str(tmp_path)]
    subprocess.run(painter, env=environment(), check=True, timeout=DEADLINE)
    assert {path.stem for path in tmp_path.iterdir()} == set(WORDS)


@pytest.mark.parametrize("name", WORDS)
def test_a_picture(name: str) -> None:
    text = (FOLDER / f"{name}.svg").read_text(encoding="utf-8")
    assert len(text.encode()) < MOST_BYTES
    words = "".join(ElementTree.fromstring(text).itertext())
    assert WORDS[name] in words
    assert "Ctrl-C ends it" not in words
