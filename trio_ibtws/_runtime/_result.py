"""``Result``: the rows of an answer, with what came in its end marker."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import tzinfo
from typing import TYPE_CHECKING, Any, Generic

from typing_extensions import TypeVar

from ._events import shown
from ._tables import to_pandas, to_polars

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["Result"]

T = TypeVar("T")
End = TypeVar("End", default=Any)


class Result(list[T], Generic[T, End]):
    """A list of rows whose ``end`` holds what the end marker carried, ``None`` where it carried nothing."""

    def __init__(self, rows: Iterable[T] = (), end: End | None = None) -> None:
        super().__init__(rows)
        self.end = end

    def __repr__(self) -> str:
        return shown(list(self))

    def to_pandas(self, zone: str | tzinfo | None = None) -> pandas.DataFrame:
        """Return the rows as a table, as ``trio_ibtws.to_pandas`` does."""
        return to_pandas(self, zone)

    def to_polars(self, zone: str | tzinfo | None = None) -> polars.DataFrame:
        """Return the rows as a table, as ``trio_ibtws.to_polars`` does."""
        return to_polars(self, zone)
