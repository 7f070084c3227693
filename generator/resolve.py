"""Table + releases -> ``Model``. What the table says that no release shows is an error, and so is what it leaves out.

The events come first (what a callback delivers depends on the rows that it answers), then the functions.
"""

from __future__ import annotations

from collections.abc import Sequence

from .callbacks import CallbackResolver
from .check import check
from .methods import MethodResolver
from .model import Model, Release, Table, TableError

__all__ = ["resolve"]


def resolve(table: Table, releases: Sequence[Release]) -> Model:
    """Return everything that is to be emitted.

    Raises:
      TableError: the table and the releases contradict each other; it names every place.
    """
    problems = check(table, releases)
    if problems:
        raise TableError(problems)
    callbacks = CallbackResolver(table, releases)
    methods = MethodResolver(table, releases, callbacks)
    families = tuple((family, methods.family(family)) for family in table.families)
    return Model(
        families=families,
        callbacks=callbacks.all(),
        unions=tuple(methods.unions.values()),
        nouns={name: module for release in releases for name, module in release.nouns.items()},
    )
