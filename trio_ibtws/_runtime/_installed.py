"""Which distribution brings the package ``ibapi``: exactly one may, and this says what to do otherwise.

Imported before anything that imports ibapi. Several distributions bring the same import package, and two of them in
one environment overwrite each other's files, so that neither works.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

__all__ = ["ibapi_distributions", "require_one_ibapi"]

DISTRIBUTIONS = ("ibapi", "ibapi-stable", "ibapi-latest", "nautilus_ibapi")


def ibapi_distributions() -> dict[str, str]:
    """Return the installed distributions that bring the import package ``ibapi``, with their versions."""
    from importlib.metadata import PackageNotFoundError, version  # which takes longer than all that follows from here

    found = {}
    for name in DISTRIBUTIONS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def _descriptions() -> int:
    """Return how many descriptions of such distributions lie about; where there is one, nothing has to be read."""
    beginnings = tuple(name.replace("-", "_") + "_" for name in DISTRIBUTIONS)
    count = 0
    for place in sys.path:
        try:
            names = os.listdir(place or os.curdir)
        except OSError:  # no folder: a zip file, or nothing
            continue
        plain = (name.lower().replace("-", "_") for name in names)
        count += sum(name.startswith(beginnings) and name.endswith((".dist_info", ".egg_info")) for name in plain)
    return count


def require_one_ibapi() -> None:
    """Raise ``ImportError`` with what to do unless exactly one ibapi is installed."""
    found = ibapi_distributions() if _descriptions() > 1 else {}
    if len(found) > 1:
        names = " ".join(found)
        raise ImportError(
            f"{len(found)} distributions bring the package 'ibapi' and overwrite each other: {names}. Remove them "
            f"all and install one: pip uninstall -y {names} && pip install 'trio-ibtws[stable]'"
        )
    if find_spec("ibapi") is None:
        raise ImportError(
            "trio_ibtws needs Interactive Brokers' package 'ibapi', which is not installed: "
            "pip install 'trio-ibtws[stable]', or install the one from IB's own TWS API download"
        )


def _run_as_command() -> bool:
    """Whether this import is the start of ``trio-ibtws`` or ``python -m trio_ibtws``, whose errors take one line."""
    module = sys.orig_argv.index("-m") if "-m" in sys.orig_argv else len(sys.orig_argv)
    return Path(sys.argv[0]).stem == "trio-ibtws" or sys.orig_argv[module + 1 : module + 2] == ["trio_ibtws"]


try:
    require_one_ibapi()
except ImportError:
    if _run_as_command():
        # The rest of the package cannot be imported. The command line can: it still helps, and diagnoses.
        sys.exit(import_module(f"{__name__.partition('.')[0]}.cli").main())
    raise
