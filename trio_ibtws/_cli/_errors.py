"""How a command fails: the error, its exit code, and the check for the optional package that draws."""

from __future__ import annotations

__all__ = ["FAILED", "INTERRUPTED", "MISUSED", "CommandError", "require_rich"]

FAILED = 1
"""Exit code: the command was understood, and what it tried failed."""

MISUSED = 2
"""Exit code: the command cannot be run as given, or something that it needs is not installed."""

INTERRUPTED = 130
"""Exit code: Ctrl-C."""


class CommandError(Exception):
    """A command cannot go on, for a reason that its user can do something about."""

    def __init__(self, message: str, *, code: int = FAILED) -> None:
        super().__init__(message)
        self.code = code


def require_rich() -> None:
    """Raise ``CommandError`` unless rich can be imported."""
    try:
        import rich  # noqa: F401
    except ImportError:
        message = "this command draws with the package rich, which is not installed: pip install 'trio-ibtws[cli]'"
        raise CommandError(message, code=MISUSED) from None
