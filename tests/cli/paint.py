"""Write the screens that ``test_commands`` compares with: ``python -m tests.cli.paint``."""

from __future__ import annotations

import contextlib
import io
from unittest import mock

import pytest

from tests.cli.test_commands import FOLDER
from tests.cli.virtual import SCREENS, Terminal


class _Captured:
    """What Terminal uses of pytest's capsys."""

    def __init__(self, out: io.StringIO) -> None:
        self._out = out

    def readouterr(self) -> mock.Mock:
        return mock.Mock(out=self._out.getvalue(), err="")


def main() -> None:
    """Run the command of each screen and write what it prints."""
    FOLDER.mkdir(exist_ok=True)
    for name, arguments in SCREENS.items():
        out = io.StringIO()
        with pytest.MonkeyPatch.context() as monkeypatch, contextlib.redirect_stdout(out):
            code, text, _ = Terminal(monkeypatch, _Captured(out)).run(*arguments)  # type: ignore[arg-type]
        assert code == 0, name
        (FOLDER / f"{name}.txt").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
