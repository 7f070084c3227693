"""The layout: imports point downwards only, what does no I/O imports no event loop, and what is public says so."""

from __future__ import annotations

import ast
import inspect
import pydoc
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

import trio_ibtws

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "trio_ibtws"
GENERATOR = ROOT / "generator"

WAITS = {"_blocking", "_calls", "_connection", "_streams", "_tcp"}
"""The modules of ``_runtime`` that may wait, and so import anyio; all others do no I/O."""

LOOPS = {"anyio", "trio", "asyncio", "sniffio", "threading", "socket", "selectors", "queue", "concurrent"}

MODULES = sorted((*PACKAGE.rglob("*.py"), *GENERATOR.rglob("*.py")))
RUNTIME = sorted((PACKAGE / "_runtime").glob("*.py"))


def name_of(path: Path) -> str:
    """Return a module's dotted name."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imports_of(path: Path) -> list[str]:
    """Every module, or name in a module, that *path* imports, wherever in it, with relative names resolved."""
    return list(_imports_of(path))


def _imports_of(path: Path) -> Iterator[str]:
    package = name_of(path).split(".")
    if path.name != "__init__.py":
        package.pop()
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            yield from (f"{module}.{alias.name}" for alias in node.names)


def is_under(imported: str, *packages: str) -> bool:
    return any(imported == package or imported.startswith(f"{package}.") for package in packages)


each_module = pytest.mark.parametrize("path", MODULES, ids=name_of)
each_of_the_package = pytest.mark.parametrize(
    "path", [path for path in MODULES if PACKAGE in path.parents], ids=name_of
)
each_of_the_runtime = pytest.mark.parametrize("path", RUNTIME, ids=name_of)


def test_the_modules_are_found() -> None:
    names = {name_of(path) for path in MODULES}
    assert {"trio_ibtws", "trio_ibtws._runtime._lanes", "trio_ibtws._gen.wrapper", "generator.spec"} <= names
    assert {path.stem for path in RUNTIME} >= WAITS
    assert "trio_ibtws._runtime._outbox.Outbox" in set(imports_of(PACKAGE / "_runtime" / "_lanes.py"))


# --- imports -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", [path for path in RUNTIME if path.stem not in WAITS], ids=name_of)
def test_what_does_no_io_imports_no_event_loop_and_nothing_that_does(path: Path) -> None:
    upwards = {f"trio_ibtws._runtime.{name}" for name in WAITS}
    for imported in imports_of(path):
        assert imported.partition(".")[0] not in LOOPS
        assert not is_under(imported, *upwards)


@each_of_the_runtime
def test_the_runtime_knows_nothing_above_it(path: Path) -> None:
    above = ("_gen", "_client", "simulator", "graphql", "cli", "_cli")
    assert not [name for name in imports_of(path) if is_under(name, *(f"trio_ibtws.{each}" for each in above))]


@pytest.mark.parametrize("name", ["codes", "errors"])
def test_the_lowest_layer_knows_nothing_else_of_the_package(name: str) -> None:
    for imported in imports_of(PACKAGE / f"{name}.py"):
        assert not is_under(imported, "trio_ibtws") or is_under(imported, "trio_ibtws.errors")


@pytest.mark.parametrize("path", sorted((PACKAGE / "_gen").glob("*.py")), ids=name_of)
def test_what_is_generated_imports_the_runtime_and_ibapi_only(path: Path) -> None:
    for imported in imports_of(path):
        if is_under(imported, "trio_ibtws"):
            assert is_under(imported, "trio_ibtws._gen", "trio_ibtws._runtime", "trio_ibtws.errors")


@each_of_the_package
def test_nothing_imports_the_package_itself(path: Path) -> None:
    """``from trio_ibtws import Client`` inside the package would make an import cycle."""
    modules = {name_of(each) for each in MODULES}
    for imported in imports_of(path):
        if is_under(imported, "trio_ibtws") and path != PACKAGE / "__init__.py":
            assert imported.count(".") > 1 or imported in modules, imported


@each_of_the_package
def test_the_package_needs_no_generator_no_tests_and_no_thread(path: Path) -> None:
    portals = {"concurrent.futures.Future"} if path.stem == "_blocking" else set()  # what anyio's portal returns
    for imported in set(imports_of(path)) - portals:
        assert not is_under(imported, "generator", "tests", "queue", "concurrent", "multiprocessing", "_thread")
    used = {
        node.attr
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "threading"
    }
    assert used <= {"active_count", "get_ident"}  # the demo counts them, and a client knows its own
    assert not [name for name in imports_of(path) if name.startswith("threading.")]


@each_of_the_package
def test_only_blocking_use_has_a_loop_in_a_thread(path: Path) -> None:
    """It is anyio's portal; a client that is not used through it is in one thread, that of the event loop."""
    assert path.stem == "_blocking" or not [name for name in imports_of(path) if is_under(name, "anyio.from_thread")]


@pytest.mark.parametrize("path", [path for path in MODULES if GENERATOR in path.parents], ids=name_of)
def test_the_generator_reads_ibapi_and_not_the_package(path: Path) -> None:
    assert not [name for name in imports_of(path) if is_under(name, "trio_ibtws")]


@each_of_the_runtime
def test_only_the_connection_could_touch_a_socket(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    assert ("connect_tcp" in source) <= (path.stem == "_tcp")


# --- size and words ----------------------------------------------------------------------------------------------


@each_module
def test_a_module_says_its_job_and_is_not_too_long(path: Path) -> None:
    assert ast.get_docstring(tree_of(path)), "a module begins with what it is for"
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 500


def statements_end(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return where a function would end if it had no docstring."""
    first = function.body[0]
    is_docstring = ast.get_docstring(function) is not None
    return (function.end_lineno or 0) - ((first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0)


@each_module
def test_no_function_is_too_long(path: Path) -> None:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            assert statements_end(node) - node.lineno < 60, f"{path.name}:{node.lineno} {node.name}"


@each_module
def test_annotations_are_never_evaluated(path: Path) -> None:
    names = list(imports_of(path))
    assert "__future__.annotations" in names or len(tree_of(path).body) == 1


# --- what is public ----------------------------------------------------------------------------------------------


NOT_OURS = ("annotations", "TYPE_CHECKING")


def public() -> dict[str, Any]:
    return {
        name: value
        for name, value in ((name, getattr(trio_ibtws, name)) for name in dir(trio_ibtws))
        if not name.startswith("_") and not isinstance(value, ModuleType) and name not in NOT_OURS
    }


def test_the_surface_is_there() -> None:
    names = {
        *("open_client", "open_simulator", "Client", "Simulator", "Subscription", "EventStream", "Notice", "Pacer"),
        *("CodeRule", "Result", "Request", "IBError", "SlowConsumer", "InternalError", "Lagged", "Gap", "DepthReset"),
        *("OrderEvent", "OpenOrder", "OrderStatus", "ExecDetails", "CommissionAndFeesReport", "OrderBound"),
        *("MktDataEvent", "TickPrice", "HistoricalDataEnd", "EndOfSnapshot"),
    }
    assert names <= set(public())


@pytest.mark.parametrize("name", sorted(public()))
def test_a_public_name_has_its_public_address_and_a_docstring(name: str) -> None:
    value = public()[name]
    if not (inspect.isclass(value) or inspect.isfunction(value)):
        return  # a union or a literal has neither
    elsewhere = {
        "AmbiguousTime": "trio_ibtws.times",
        "TimeError": "trio_ibtws.times",
        "CodeRule": "trio_ibtws.codes",
        "Simulator": "trio_ibtws.simulator",
        "open_simulator": "trio_ibtws.simulator",
    }
    assert value.__module__ in ("trio_ibtws", elsewhere.get(name))
    assert inspect.getdoc(value)


@pytest.mark.parametrize("name", sorted(name for name, value in public().items() if inspect.isclass(value)))
def test_the_public_methods_of_a_public_class_have_docstrings(name: str) -> None:
    for attribute, member in vars(public()[name]).items():
        if not attribute.startswith("_") and inspect.isfunction(member):
            assert inspect.getdoc(member), f"{name}.{attribute}"


def test_every_exception_is_public_and_derives_from_one() -> None:
    for name in trio_ibtws.errors.__all__:
        kind = getattr(trio_ibtws, name)
        assert issubclass(kind, trio_ibtws.IBError)
        assert kind.__module__ == "trio_ibtws"


def test_a_struct_can_be_made_from_plain_values_under_its_public_address() -> None:
    limits = msgspec.convert({"max_quantity": "5"}, trio_ibtws.OrderLimits, strict=False)
    assert limits.max_quantity == Decimal(5)
    assert inspect.signature(trio_ibtws.simulator.Scenario).parameters["speed"].default == 1.0


def test_what_most_programs_do_without_is_imported_when_it_is_asked_for() -> None:
    """A program on asyncio needs no trio, and none but a test needs the simulator."""
    code = (
        "import sys, trio_ibtws\n"
        "late = ('trio', 'trio_ibtws.simulator', 'trio_ibtws._blocking', 'importlib.metadata')\n"
        "print([name for name in late if name in sys.modules])\n"
        "print(trio_ibtws.open_simulator.__module__, trio_ibtws.simulator.__name__, trio_ibtws.blocking.__module__)\n"
        "print({'blocking', 'Simulator', 'Client'} <= set(dir(trio_ibtws)), hasattr(trio_ibtws, 'no_such_name'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout.splitlines() == [
        "[]",
        "trio_ibtws.simulator trio_ibtws.simulator trio_ibtws",
        "True False",
    ]


@pytest.mark.parametrize("name", sorted(name for name in {*dir(trio_ibtws), *trio_ibtws._LATER} if name[0] != "_"))
def test_help_is_there_for_every_public_name(name: str) -> None:
    """It looks up the names in a struct's annotations, some of which are imported for type checkers only."""
    value = getattr(trio_ibtws, name)
    assert isinstance(value, str) or pydoc.render_doc(value)  # a union with a class of ibapi's is a text
    if isinstance(value, type) and issubclass(value, msgspec.Struct):
        assert list(inspect.signature(value).parameters) == list(value.__struct_fields__)
