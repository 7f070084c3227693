"""``trio-ibtws completion``: scripts that make a shell complete the command line, written by shtab."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ._errors import MISUSED, CommandError

__all__ = ["script"]


def script(parser: argparse.ArgumentParser, shell: str) -> str:
    """Return the script for *shell*, which completes commands, options, their values and files.

    Raises:
      CommandError: shtab is not installed.
    """
    try:
        import shtab
    except ImportError:
        message = "completion is written by the package shtab, which is not installed: pip install 'trio-ibtws[cli]'"
        raise CommandError(message, code=MISUSED) from None
    for action in _actions(parser):
        if action.metavar == "FILE":
            action.complete = shtab.FILE  # type: ignore[attr-defined]  # where shtab looks for it
    return shtab.complete(parser, shell=shell)


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    for action in parser._actions:  # argparse has no public way to them; shtab goes the same way
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield from _actions(command)
