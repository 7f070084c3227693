"""The chores of the project. ``nox -l`` lists them; each makes its own environment."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import nox
import nox.command

nox.needs_version = ">=2025.2.9"
nox.options.sessions = ["tests", "graphql", "page", "lint", "typing", "docs", "generate"]
nox.options.reuse_existing_virtualenvs = True

PROJECT = nox.project.load_toml("pyproject.toml")

OLDEST = "ibapi==9.81.1.post1"
NEWEST = "ibapi-latest==10.51.1"
# One release for each step of the wire protocol and of EClient's signatures. nautilus_ibapi is a fourth upload of
# ibapi; it is the only one on PyPI that has the releases between 9.81 and 10.37.
RELEASES = [
    OLDEST,
    "nautilus_ibapi==10.19.4",
    "nautilus_ibapi==10.30.1",
    "nautilus_ibapi==10.37.2",
    "ibapi-stable==10.45.1",
    "ibapi-stable==10.50.2",
    NEWEST,
]
# What the benchmarks compare with, and draw with.
PEERS = ["ib_async==2.1.0", "uvloop>=0.21; sys_platform != 'win32'", "matplotlib>=3.9"]
# Tartiflette compiles libgraphqlparser, whose build files are too old for CMake 4 unless it is told so.
COMPILER = {"CMAKE_POLICY_VERSION_MINIMUM": "3.5"}
TO_COMPILE = {"cmake": "cmake", "make": "make", "c++": "g++"}  # command: Debian's package
# One process a core; who has few tests left takes some of another's.
IN_PARALLEL = ("-n", "auto", "--dist", "worksteal")
# Tests of what stands on the client; `matrix` runs them with every release.
PROGRAMS = ("tests/cli", "tests/docs", "tests/test_examples.py", "tests/test_benchmarks.py")
# What must never be in the wheel, and what must.
NOT_SHIPPED = ("generator/", "tests/", "fuzz/", "benchmarks/", "docs/", "examples/", "noxfile.py")
SHIPPED = (
    "trio_ibtws/py.typed",
    "trio_ibtws/cli.py",
    "trio_ibtws/simulator/data/",
    "trio_ibtws/_gen/schema.graphql",
    "trio_ibtws/graphql/page/index.html",
    "trio_ibtws/graphql/page/main.js",
)


def group(name: str) -> list[str]:
    """Return the requirements of one of pyproject's dependency groups."""
    return list(nox.project.dependency_groups(PROJECT, name))


def run_tests(session: nox.Session, *ibapi: str, leave_out: Sequence[str] = ()) -> None:
    """Run the suite on trio and asyncio, then the trio-only folder under pytest-trio, with *ibapi* installed."""
    session.install("-e", ".[cli]", *ibapi, *group("test"))
    run_suite(session, leave_out)


def run_suite(session: nox.Session, leave_out: Sequence[str] = ()) -> None:
    """Run both halves of the suite in the session's environment; a selection of tests runs in the first alone."""
    ignored = [f"--ignore={path}" for path in leave_out]
    session.run("pytest", *(session.posargs or [*IN_PARALLEL, *ignored]))
    if not session.posargs:
        session.run("pytest", *IN_PARALLEL, "-p", "trio", "-p", "no:anyio", "tests/trio_only")


@nox.session
def demo(session: nox.Session) -> None:
    """Show what the library does, on its own simulator. Arguments after ``--`` go to ``trio-ibtws demo``."""
    session.install(".[cli,stable]")
    session.run("trio-ibtws", "demo", *session.posargs)


@nox.session
@nox.parametrize("ibapi", [OLDEST, NEWEST], ids=["ibapi-9.81.1", "ibapi-10.51.1"])
def tests(session: nox.Session, ibapi: str) -> None:
    """Run the tests on trio and asyncio, with the oldest and the newest ibapi; programs and pages with that alone."""
    run_tests(session, ibapi, leave_out=() if ibapi == NEWEST else PROGRAMS)


@nox.session
def graphql(session: nox.Session) -> None:
    """Test the GraphQL service on both of Hypercorn's workers, with third parties' clients in Python and JavaScript."""
    need(session, **TO_COMPILE, npm="npm", openssl="openssl")
    session.install("-e", ".[cli,graphql]", NEWEST, *group("graphql"), env=COMPILER)
    packages = Path(session.create_tmp()) / "npm"
    shutil.copytree("tests/graphql/npm", packages, dirs_exist_ok=True)
    with session.chdir(packages):
        session.run("npm", "ci", "--silent", "--no-audit", "--no-fund", external=True)
    session.run("pytest", *(session.posargs or [*IN_PARALLEL, "tests/graphql"]), env={"TRIO_IBTWS_NPM": str(packages)})


@nox.session
def page(session: nox.Session) -> None:
    """Drive the service's web page in headless Chromium; the screenshots are in build/page."""
    need(session, **TO_COMPILE, chromium="chromium fonts-dejavu-core")
    session.install("-e", ".[cli,graphql]", NEWEST, *group("page"), env=COMPILER)
    session.run("pytest", *(session.posargs or [*IN_PARALLEL, "tests/page"]))


def need(session: nox.Session, **commands: str) -> None:
    """Install the Debian packages of the *commands* that are not there, as root; say so where that is not possible."""
    absent = [packages for command, packages in commands.items() if shutil.which(command) is None]
    missing = sorted({package for packages in absent for package in packages.split()})
    if not missing:
        return
    if shutil.which("apt-get") is None or os.geteuid() != 0:
        session.error(f"this session needs {', '.join(missing)}: install them with the system's package manager")
    session.run("apt-get", "update", "-qq", external=True)
    quiet = {"DEBIAN_FRONTEND": "noninteractive"}
    patience = ("-o", "DPkg::Lock::Timeout=600")  # somebody else may be installing
    session.run("apt-get", "install", "-qq", *patience, "--no-install-recommends", *missing, external=True, env=quiet)


@nox.session
@nox.parametrize("ibapi", RELEASES, ids=[release.replace("==", "-") for release in RELEASES])
def matrix(session: nox.Session, ibapi: str) -> None:
    """Run the tests with every release of ibapi that the request table was made from."""
    run_tests(session, ibapi, "protobuf")  # which nautilus_ibapi 10.37 needs and does not ask for


@nox.session
def newest(session: nox.Session) -> None:
    """Try the newest ibapi that the registry has, for a scheduled run: what is new in it, then the tests."""
    session.install("-e", ".[cli]", *group("test"))
    session.install("--upgrade", "ibapi-latest")
    session.run("python", "-m", "generator", "--record", "--output", f"{session.create_tmp()}/newest.json")
    session.run("trio-ibtws", "doctor")
    run_suite(session)


@nox.session
def coverage(session: nox.Session) -> None:
    """Run the tests with the newest ibapi and report the branches that none of them takes."""
    session.install("-e", ".[cli]", NEWEST, *group("test"), *group("coverage"))
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *(session.posargs or IN_PARALLEL))
    if not session.posargs:
        trio_only = ("-p", "trio", "-p", "no:anyio", "tests/trio_only")
        session.run("coverage", "run", "-m", "pytest", *IN_PARALLEL, *trio_only)
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report")


@nox.session
@nox.parametrize("ibapi", [OLDEST, NEWEST], ids=["ibapi-9.81.1", "ibapi-10.51.1"])
def fuzz(session: nox.Session, ibapi: str) -> None:
    """Deliver a million damaged frames; ``-- --seed N`` repeats a run. Then a minute of atheris, where it installs."""
    session.install("-e", ".", ibapi, *group("test"))
    session.run("python", "-m", "fuzz", *session.posargs)
    try:
        session.run("python", "-m", "pip", "install", "--quiet", "atheris")
    except nox.command.CommandFailed:
        session.log("atheris does not install here: it exists for some Pythons and systems only")
    else:
        session.run("python", "-m", "fuzz.guided", "60")


@nox.session
def lint(session: nox.Session) -> None:
    """Check with ruff: rules and format."""
    session.install(*group("lint"))
    session.run("ruff", "check", *session.posargs)
    session.run("ruff", "format", "--check")


@nox.session
def typing(session: nox.Session) -> None:
    """Check the types: mypy, strict, then pyright; then that everything public is typed, as its users see it."""
    need(session, **TO_COMPILE)
    session.install("-e", ".[cli,graphql,pandas,polars]", NEWEST, *group("typing"), env=COMPILER)
    session.run("mypy")
    session.run("pyright")
    session.install("--no-deps", "--force-reinstall", ".")
    with tempfile.TemporaryDirectory(prefix="trio_ibtws_types_") as away, session.chdir(away):
        session.run("pyright", "--ignoreexternal", "--verifytypes", "trio_ibtws")


@nox.session
def docs(session: nox.Session) -> None:
    """Build the documentation into build/docs, every warning an error; its code is run by the tests."""
    session.install("-e", ".[cli]", NEWEST, *group("docs"))
    session.run("sphinx-build", "-W", "--keep-going", "-q", "-b", "html", "docs", "build/docs", *session.posargs)
    session.log("build/docs/index.html")


@nox.session
def pictures(session: nox.Session) -> None:
    """Paint the screens of the command line for the documentation."""
    session.install("-e", ".[cli]", NEWEST)
    session.run("python", "docs/pictures/make.py")


@nox.session
def generate(session: nox.Session) -> None:
    """Write ``trio_ibtws/_gen`` from ``generator/spec.py``; ``-- --check`` only says whether it is stale."""
    session.install("-e", ".", NEWEST, *group("lint"))
    session.run("python", "-m", "generator", *session.posargs)


@nox.session
def bench(session: nox.Session) -> None:
    """Measure beside stock ibapi and ib_async, into build/benchmarks; ``-- --brief`` takes seconds."""
    session.install("-e", ".", NEWEST, *PEERS)
    session.run("python", "-m", "benchmarks", *session.posargs)


@nox.session
def wheel(session: nox.Session) -> None:
    """Build the wheel and use it as a stranger would: an empty environment, an empty directory, no checkout."""
    session.install("build")
    with tempfile.TemporaryDirectory(prefix="trio_ibtws_wheel_") as away:
        session.run("python", "-m", "build", "--quiet", "--outdir", away)
        [built] = Path(away).glob("*.whl")
        check_contents(session, built)
        try_wheel(session, built, Path(away))


def check_contents(session: nox.Session, built: Path) -> None:
    """Fail if the wheel lacks something or brings something that is not the package."""
    names = zipfile.ZipFile(built).namelist()
    missing = [part for part in SHIPPED if not any(name.startswith(part) for name in names)]
    strays = [name for name in names if name.startswith(NOT_SHIPPED)]
    if missing or strays:
        session.error(f"{built.name}: missing {missing}, not to be shipped {strays}")


def try_wheel(session: nox.Session, built: Path, away: Path) -> None:
    """Install *built* into a new environment in *away*; import it and run the demo from an empty directory."""
    session.run(sys.executable, "-m", "venv", str(away / "venv"), external=True)
    python = str(away / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    session.run(python, "-m", "pip", "install", "--quiet", f"{built}[cli,stable]", external=True)
    empty = away / "empty"
    empty.mkdir()
    with session.chdir(empty):
        session.run(python, "-c", "import trio_ibtws; print(trio_ibtws.__file__)", external=True)
        session.run(python, "-m", "trio_ibtws", "doctor", external=True)
        session.run(python, "-m", "trio_ibtws", "demo", external=True)
