"""``Result``: the rows of an answer, with what came in its end marker."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Generic

from typing_extensions import TypeVar

__all__ = ["Result"]

T = TypeVar("T")
End = TypeVar("End", default=Any)


class Result(list[T], Generic[T, End]):
    """A list of rows whose ``end`` holds what the end marker carried, ``None`` where it carried nothing."""

    def __init__(self, rows: Iterable[T] = (), end: End | None = None) -> None:
        super().__init__(rows)
        self.end = end
