"""Without ibapi, or with two distributions of it: one line that says what to do, and still help and a diagnosis."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.process import DEADLINE, ROOT, Command, environment
from trio_ibtws._runtime._installed import ibapi_distributions

COMMANDS = [["demo"], ["doctor"], ["simulate", "--port", "0"], ["bars", "AAPL"], ["account", "--json"]]


def without_ibapi(folder: Path) -> str:
    """Return a path for Python on which there is no ibapi."""
    (folder / "sitecustomize.py").write_text("import sys; sys.modules['ibapi'] = None\n", encoding="utf-8")
    return os.pathsep.join([str(folder), str(ROOT)])


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_no_ibapi(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    done = command(*arguments, PYTHONPATH=without_ibapi(tmp_path))
    assert done.returncode == 2
    assert done.stderr.startswith("trio-ibtws: ")
    assert "'ibapi', which is not installed: pip install 'trio-ibtws[stable]'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert ("ibapi        not as it should be" in done.stdout) == (arguments == ["doctor"])
    assert bool(done.stdout) == (arguments == ["doctor"])


@pytest.mark.parametrize("arguments", [["--help"], ["bars", "--help"], ["--version"], ["completion", "bash"]])
def test_what_works_without_ibapi(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    done = command(*arguments, PYTHONPATH=without_ibapi(tmp_path))
    assert (done.returncode, done.stderr) == (0, "")
    assert "trio-ibtws" in done.stdout


def test_as_a_library_it_is_an_import_error(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import trio_ibtws"],
        env=environment(PYTHONPATH=without_ibapi(tmp_path)),
        capture_output=True,
        encoding="utf-8",
        timeout=DEADLINE,
        check=False,
    )
    assert "ImportError: trio_ibtws needs Interactive Brokers' package 'ibapi'" in done.stderr


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_two_distributions(command: Command, tmp_path: Path, arguments: list[str]) -> None:
    second = next(other for other in ("ibapi", "ibapi-stable") if other not in ibapi_distributions())
    metadata = tmp_path / f"{second.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {second}\nVersion: 1.0\n", "utf-8")
    done = command(*arguments, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert done.returncode == 2
    assert done.stderr.startswith("trio-ibtws: 2 distributions bring the package 'ibapi'")
    assert "pip uninstall -y " in done.stderr
    assert done.stderr.count("\n") == 1
