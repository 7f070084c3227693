"""Python source as the project formats it, by the pinned ruff."""

from __future__ import annotations

import subprocess
import sys

__all__ = ["FormatError", "format_source"]

_LINE_LENGTH = "120"


class FormatError(Exception):
    """Ruff did not take what was emitted: a bug of the generator, or no ruff."""


def format_source(text: str) -> str:
    """Return Python source as the project formats it.

    Raises:
      FormatError: ruff is missing, or cannot read the text.
    """
    command = [sys.executable, "-m", "ruff", "format", "--isolated", "--line-length", _LINE_LENGTH, "-"]
    ran = subprocess.run(command, input=text, capture_output=True, text=True, encoding="utf-8", check=False)
    if ran.returncode:
        raise FormatError(ran.stderr.strip())
    return ran.stdout
