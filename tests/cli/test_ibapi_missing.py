"""Without ibapi, or with two distributions of it, every command ends with one line that says what to do."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.process import ROOT, Command

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
    second = tmp_path / "nautilus_ibapi-10.30.1.dist-info"
    second.mkdir()
    (second / "METADATA").write_text("Metadata-Version: 2.1\nName: nautilus_ibapi\nVersion: 10.30.1\n", "utf-8")
    done = command(name, PYTHONPATH=os.pathsep.join([str(tmp_path), str(ROOT)]))
    assert done.returncode == 1
    assert done.stderr.startswith("trio-ibtws: 2 distributions bring the package 'ibapi'")
    assert "pip uninstall -y ibapi" in done.stderr
    assert done.stderr.count("\n") == 1
