"""The limits: documented, positive, and none is forgotten."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import pytest

import trio_ibtws
from trio_ibtws.graphql._limits import Limits

NAMES = [field.name for field in fields(Limits)]


@pytest.mark.parametrize("name", NAMES)
def test_each_limit_is_documented(name: str) -> None:
    assert f"\n      {name}: " in (Limits.__doc__ or "")


@pytest.mark.parametrize("name", NAMES)
def test_each_limit_is_above_zero(name: str) -> None:
    for value in (0, -1, float("nan")):
        with pytest.raises(ValueError, match=rf"{name}=.*: a limit is a number above 0"):
            replace(Limits(), **{name: value})  # type: ignore[arg-type]
    assert getattr(replace(Limits(), **{name: 1}), name) == 1


@pytest.mark.parametrize("name", NAMES)
def test_each_limit_is_looked_at_somewhere(name: str) -> None:
    package = Path(str(trio_ibtws.__file__)).parent / "graphql"
    sources = [path.read_text(encoding="utf-8") for path in package.glob("*.py") if path.name != "_limits.py"]
    assert any(f"limits.{name}" in source or f'"{name}"' in source for source in sources)


def test_limits_are_one_value() -> None:
    assert Limits() == Limits()
    assert hash(Limits()) == hash(Limits())
    assert Limits() != Limits(depth=9)
