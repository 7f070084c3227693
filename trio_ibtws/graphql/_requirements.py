"""What the service needs that the client does not, and what to say when it is not there."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from importlib import import_module

__all__ = ["check_requirements"]

_PACKAGES = ("tartiflette", "hypercorn", "graphql", "prometheus_client")
_COMPILERS = ("c++", "g++", "clang++")
_CMAKE_SETTING = "CMAKE_POLICY_VERSION_MINIMUM=3.5"


def check_requirements() -> None:
    """Import the packages that the service is made of.

    Raises:
      ImportError: one cannot be; the message, one line, says what to install and what it takes to compile it.
    """
    for name in _PACKAGES:
        try:
            import_module(name)
        except (ImportError, OSError) as failure:  # OSError: Tartiflette without its compiled library
            raise ImportError(_message(name, failure)) from failure


def _message(package: str, failure: Exception) -> str:
    reason = "is not installed" if isinstance(failure, ModuleNotFoundError) else f"cannot be loaded ({failure})"
    return f"GraphQL needs the package {package}, which {reason}: {_advice()}"


def _advice() -> str:
    if sys.platform == "win32":
        return "its engine, Tartiflette, does not run on Windows; everything else of trio_ibtws does (WSL runs both)"
    setting = f"{_CMAKE_SETTING} " if _cmake_major() >= 4 else ""
    missing = _missing_tools()
    tools = f"first install {', '.join(missing)}, which compile its engine, then " if missing else ""
    return f"{tools}{setting}pip install 'trio-ibtws[graphql]'" + _hint(setting, missing)


def _hint(setting: str, missing: list[str]) -> str:
    """The setting, for a cmake that is not there yet."""
    return f" (with CMake 4 or newer, set {_CMAKE_SETTING})" if "cmake" in missing and not setting else ""


def _missing_tools() -> list[str]:
    missing = [tool for tool in ("cmake", "make") if shutil.which(tool) is None]
    return missing if any(map(shutil.which, _COMPILERS)) else [*missing, "a C++ compiler"]


def _cmake_major() -> int:
    """Return the major version of the cmake that would be used, 0 if there is none."""
    cmake = shutil.which("cmake")
    if cmake is None:
        return 0
    try:
        said = subprocess.run([cmake, "--version"], capture_output=True, text=True, timeout=5, check=False).stdout
    except (OSError, subprocess.SubprocessError):
        return 0
    found = re.search(r"version (\d+)", said)
    return int(found[1]) if found else 0
