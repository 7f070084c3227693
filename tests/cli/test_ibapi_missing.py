"""Without ibapi, or with two distributions of it, every command ends with one line that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.process import ROOT, Command
from trio_ibtws._runtime._installed import ibapi_distributions

COMMANDS = ["demo", "doctor", "simulate"]


@pytest.mark.parametrize("name", COMMANDS)
def test_no_ibapi(command: Command, tmp_path: Path, name: str) -> None:
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['ibapi'] = None\n", encoding="utf-8")
    done = command(name, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert done.returncode == 1
    assert done.stderr.startswith("trio-ibtws: ")
    assert "'ibapi', which is not installed: pip install 'trio-ibtws[stable]'" in done.stderr
    assert done.stderr.count("\n") == 1
    assert done.stdout == ""


@pytest.mark.parametrize("name", COMMANDS)
def test_two_distributions(command: Command, tmp_path: Path, name: str) -> None:
    second = next(other for other in ("ibapi", "ibapi-stable") if other not in ibapi_distributions())
    metadata = tmp_path / f"{second.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {second}\nVersion: 1.0\n", "utf-8")
    done = command(name, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert done.returncode == 1
    assert done.stderr.startswith("trio-ibtws: 2 distributions bring the package 'ibapi'")
    assert "pip uninstall -y " in done.stderr
    assert done.stderr.count("\n") == 1
