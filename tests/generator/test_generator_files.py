"""The command line: written, compared, recorded; and the committed files are what the table gives."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import generator.__main__ as command
from generator.drift import drift
from generator.files import PACKAGE, REFERENCE, ROOT, SCHEMA, differences, generate, write
from generator.format import FormatError
from generator.model import Model
from generator.releases import load
from generator.resolve import resolve
from generator.spec import TABLE as REAL_TABLE
from tests.generator.made_up_api import RELEASES, TABLE


@pytest.fixture(scope="module")
def model() -> Model:
    return resolve(TABLE, RELEASES)


@pytest.fixture(scope="module")
def real() -> dict[str, str]:
    return generate(resolve(REAL_TABLE, load()))


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in which the generator has just written the made-up table's files."""
    monkeypatch.setattr(command, "ROOT", tmp_path)
    monkeypatch.setattr(command, "TABLE", TABLE)
    monkeypatch.setattr(command, "load", lambda: RELEASES)
    assert command.main([]) == 0
    return tmp_path


def test_all_files_are_written(project: Path) -> None:
    written = {path.relative_to(project).as_posix() for path in project.rglob("*") if path.is_file()}
    assert written == {
        "docs/requests.md",
        "trio_ibtws/_gen/__init__.py",
        "trio_ibtws/_gen/blocking.py",
        "trio_ibtws/_gen/blocking_things.py",
        "trio_ibtws/_gen/events.py",
        "trio_ibtws/_gen/requests.py",
        "trio_ibtws/_gen/requests_things.py",
        "trio_ibtws/_gen/wrapper.py",
    }
    assert command.main(["--check"]) == 0


def test_writing_again_changes_nothing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    times = {path: path.stat().st_mtime_ns for path in project.rglob("*.py")}
    capsys.readouterr()
    assert command.main([]) == 0
    assert capsys.readouterr().out == ""
    assert {path: path.stat().st_mtime_ns for path in project.rglob("*.py")} == times


@pytest.mark.parametrize("name", [f"{PACKAGE}/events.py", REFERENCE])
def test_an_edited_file_is_stale(project: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = project / name
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err == f"{name}: stale\nrun `python -m generator` and commit what it writes\n"
    assert command.main([]) == 0
    assert command.main(["--check"]) == 0


def test_a_missing_file(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / PACKAGE / "wrapper.py").unlink()
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err.startswith(f"{PACKAGE}/wrapper.py: missing\n")


def test_a_surplus_file_is_found_and_deleted(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    surplus = project / PACKAGE / "requests_old.py"
    surplus.write_text("", encoding="utf-8")
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err.startswith(f"{PACKAGE}/requests_old.py: surplus\n")
    assert command.main([]) == 0
    assert not surplus.exists()


def test_a_wrong_table_writes_nothing(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "load", list)
    assert command.main(["--check"]) == 1
    assert capsys.readouterr().err == "no release is recorded: run `python -m generator --record` under one\n"


def test_ruff_missing(model: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "false")
    with pytest.raises(FormatError):
        generate(model)


# --- the committed files -----------------------------------------------------------------------------------------


def test_the_committed_files_are_up_to_date(real: dict[str, str]) -> None:
    assert differences(real, ROOT) == []


def test_generated_twice_is_the_same(real: dict[str, str], tmp_path: Path) -> None:
    assert sorted(write(real, tmp_path)) == sorted(f"{name}: missing" for name in real)
    assert write(generate(resolve(REAL_TABLE, load())), tmp_path) == []


def test_the_generated_files_are_small(real: dict[str, str]) -> None:
    lengths = {name: len(text.splitlines()) for name, text in real.items() if name != SCHEMA}
    assert {name: length for name, length in lengths.items() if length > 500} == {}


def test_the_generated_functions_are_short(real: dict[str, str]) -> None:
    """Lines of code in the body, without the docstring."""
    lengths = {
        f"{name}: {node.name}": _body_lines(node)
        for name, text in real.items()
        if name.endswith(".py")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    assert len(lengths) > 100
    assert {name: length for name, length in lengths.items() if length > 12} == {}


def _body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1


# --- recorded releases -------------------------------------------------------------------------------------------


def test_the_recorded_releases() -> None:
    assert [release.version for release in load()] == [
        "9.81.1",
        "10.19.4",
        "10.30.1",
        "10.37.2",
        "10.45.1",
        "10.50.2",
        "10.51.1",
    ]


def test_recording_the_installed_ibapi(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is recorded now is what is committed for that release, if it is one of the seven."""
    path = tmp_path / "release.json"
    assert command.main(["--record", "--output", str(path)]) == 0
    version = capsys.readouterr().out.split()[1]
    committed = ROOT / "generator" / "releases" / f"{version}.json"
    if committed.exists():
        assert path.read_text(encoding="utf-8") == committed.read_text(encoding="utf-8")
    else:
        assert f'"version": "{version}"' in path.read_text(encoding="utf-8")


def test_drift() -> None:
    assert drift(RELEASES[1], RELEASES[0]) == [
        "- EClient.cancelThings(reqId: int)",
        "- EClient.reqClockProtoBuf(clockProto: Any)",
        "~ EClient.reqThings(reqId: int, thing: Thing, thingOptions: list) is now reqThings(reqId: int, thing: Thing)",
        "- EWrapper.tickTextProtoBuf(tickProto: TickProto)",
    ]
    assert drift(RELEASES[0], RELEASES[1])[0] == "+ EClient.cancelThings(reqId: int)"
    assert drift(RELEASES[0], RELEASES[0]) == []
