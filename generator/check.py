"""Holds the table against the recorded releases. Every finding is one line that names the row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from .check_words import check_nouns
from .lookup import REQUEST_IDS, all_rows, answers, clients, id_of, key_of, newest, taken, wrappers
from .model import Method, Release, Row, Table
from .naming import function_name

__all__ = ["check"]


def check(table: Table, releases: Sequence[Release]) -> list[str]:
    """Return what is wrong, one line for each, in the order of the table."""
    if not releases:
        return ["no release is recorded: run `python -m generator --record` under one"]
    rows = _Rows(table, releases)
    problems = [problem for row in all_rows(table) for problem in rows.check(row)]
    problems += _twice(table)
    problems += _coverage(table, releases)
    problems += _callbacks(table, releases)
    problems += _arities(table, releases)
    problems += _lanes(table, releases)
    problems += _defaults(table, releases)
    problems += check_nouns(table, releases)
    return problems


# --- rows --------------------------------------------------------------------------------------------------------


class _Rows:
    def __init__(self, table: Table, releases: Sequence[Release]) -> None:
        self._table = table
        self._releases = releases
        self._clients = clients(releases)
        self._wrappers = wrappers(releases)

    def check(self, row: Row) -> Iterator[str]:
        where = f"row {row.name or function_name(row.method)} ({row.method})"
        method = newest(self._clients, row.method)
        if method is None:
            yield f"{where}: no recorded release has EClient.{row.method}"
            return
        for problem in (
            *self._signatures(row, method),
            *self._names(row, method),
            *self._answer(row),
            *self._cancel(row, method),
            *self._parts(row, method),
            *self._history(row),
        ):
            yield f"{where}: {problem}"

    def _signatures(self, row: Row, method: Method) -> Iterator[str]:
        """Every release has to show the same parameters in the same order, fewer of them at most."""
        names = [parameter.name for parameter in taken(row, method)]
        shown: set[str] = set()
        for release in self._releases:
            if row.method not in release.client:
                continue
            theirs = release.client[row.method].names
            shown.update(theirs)
            rest = iter(names)
            if not all(name in row.omitted or name in rest for name in theirs):
                shown_names, newest_names = ", ".join(theirs), ", ".join(names)
                yield f"ibapi {release.version} has the parameters ({shown_names}), the newest ({newest_names})"
        for name in row.omitted:
            if name not in shown:
                yield f"omitted parameter {name!r} is in no release"

    def _names(self, row: Row, method: Method) -> Iterator[str]:
        """What the row calls a parameter has to be one."""
        named: dict[str, Iterable[str]] = {
            "constant": row.constants,
            "elsewhere": row.elsewhere,
            "default": row.defaults,
            "type": row.types,
            "echo": [row.echo] if row.echo else [],
            "cancel parameter": row.cancel_parameters,
        }
        for kind, names in named.items():
            for name in names:
                if name not in method.names:
                    yield f"{kind} {name!r} is no parameter of EClient.{row.method}"
        key = row.key
        if key is not None and key not in method.names and newest(self._wrappers, key) is None:
            yield f"key {key!r} is neither a parameter nor a callback"

    def _answer(self, row: Row) -> Iterator[str]:
        for callback in (*row.items, *([row.end] if row.end else [])):
            if newest(self._wrappers, callback) is None:
                yield f"no recorded release has EWrapper.{callback}"
        silent = row.pattern in ("send", "cancel_order", "part")
        if silent == bool(row.items):
            yield f"pattern {row.pattern!r} {'has no answer' if silent else 'needs item callbacks'}"
        if row.pattern == "list" and not (row.end or row.done):
            yield "pattern 'list' needs an end callback, or the parameter that says 'done'"
        if any(item in self._table.hand_written for item in row.items) and not row.yields:
            yield "is answered by hand-written callbacks: say what it yields"
        yield from self._done_and_echo(row)

    def _done_and_echo(self, row: Row) -> Iterator[str]:
        for item in row.items:
            method = newest(self._wrappers, item)
            for name in (row.done, row.echo):
                if method is not None and name and name not in method.names:
                    yield f"EWrapper.{item} has no parameter {name!r}"

    def _cancel(self, row: Row, method: Method) -> Iterator[str]:
        if row.cancel is None:
            if row.cancel_parameters or row.cancel_constants:
                yield "has arguments for a cancel method, but no cancel method"
            return
        cancel = newest(self._clients, row.cancel)
        if cancel is None:
            yield f"no recorded release has the cancel method EClient.{row.cancel}"
            return
        wanted = [name for name in cancel.names if name not in REQUEST_IDS]
        given = [*row.cancel_constants, *row.cancel_parameters]
        if sorted(wanted) != sorted(given):
            yield f"EClient.{row.cancel} takes {wanted}, the row gives {given}"
        key = key_of(row, method)
        if (id_of(cancel) is None) == (key in method.names):
            yield f"EClient.{row.cancel} {'takes no' if id_of(cancel) is None else 'takes a'} request id"

    def _parts(self, row: Row, method: Method) -> Iterator[str]:
        rows = all_rows(self._table)
        if row.update and not any(part.method == row.update and part.pattern == "part" for part in rows):
            yield f"there is no part row for {row.update}"
        if row.pattern == "part" and id_of(method) is None:
            yield "a part needs a request id to belong to"
        if row.pattern == "part" and not any(stream.update == row.method for stream in rows):
            yield "no stream says that this is its update"

    def _history(self, row: Row) -> Iterator[str]:
        """IB's release history can only narrow what the recorded releases show."""
        having = [row.method in release.client for release in self._releases]
        first = having.index(True)
        last = len(having) - 1 - having[::-1].index(True)
        if row.since and not self._between(row.since, first - 1, first):
            yield f"since {row.since!r} does not lie between the releases without and with it"
        if row.until and not (last + 1 < len(having) and self._between(row.until, last, last + 1)):
            yield f"until {row.until!r} does not lie between the releases with and without it"

    def _between(self, version: str, older: int, newer: int) -> bool:
        order = tuple(int(part) for part in version.split("."))
        low = self._releases[older].order[:2] if older >= 0 else (0, 0)
        return low <= order <= self._releases[newer].order[:2]


def _twice(table: Table) -> Iterator[str]:
    seen: set[str] = set()
    for row in all_rows(table):
        name = row.name or function_name(row.method)
        if name in seen:
            yield f"row {name} ({row.method}): there are two functions of that name"
        seen.add(name)


# --- what no row mentions ----------------------------------------------------------------------------------------


def _coverage(table: Table, releases: Sequence[Release]) -> Iterator[str]:
    rows = all_rows(table)
    methods = {name for row in rows for name in (row.method, row.cancel) if name}
    yield from _uncovered("EClient", releases, clients(releases), methods, table.ignored_methods)
    callbacks = {name for row in rows for name in (*row.items, row.end) if name}
    hand = set(table.hand_written)
    yield from _uncovered("EWrapper", releases, wrappers(releases), callbacks | hand, table.ignored_callbacks)
    for name in sorted(hand):
        if newest(wrappers(releases), name) is None:
            yield f"hand-written callback {name}: no recorded release has it"


def _uncovered(
    cls: str,
    releases: Sequence[Release],
    shown: Sequence[Mapping[str, Method]],
    mentioned: set[str],
    ignored: Mapping[str, str],
) -> Iterator[str]:
    names: dict[str, str] = {}
    for release, methods in zip(releases, shown, strict=True):
        names.update(dict.fromkeys(methods, release.version))
    for name, version in sorted(names.items()):
        if name not in mentioned and name not in ignored and not name.endswith("ProtoBuf"):
            yield f"{cls}.{name} (ibapi {version}): no row mentions it, and it is not ignored with a reason"
    for name, reason in ignored.items():
        if name not in names:
            yield f"ignored {cls}.{name}: no recorded release has it"
        elif name in mentioned or name.endswith("ProtoBuf"):
            yield f"ignored {cls}.{name}: a row or a rule covers it already"
        if not reason:
            yield f"ignored {cls}.{name}: say why"


# --- the rest of the table ---------------------------------------------------------------------------------------


def _callbacks(table: Table, releases: Sequence[Release]) -> Iterator[str]:
    mentioned = {name for row in all_rows(table) for name in (*row.items, row.end) if name}
    for name, callback in table.callbacks.items():
        method = newest(wrappers(releases), name)
        if method is None or name not in mentioned or name in table.hand_written:
            yield f"callback {name}: no row is answered by it, or it is hand-written"
            continue
        for parameter in (*callback.types, *callback.units, *callback.optional, *callback.dropped, *callback.converted):
            if parameter not in method.names:
                yield f"callback {name}: EWrapper.{name} has no parameter {parameter!r}"
        if callback.twin and newest(wrappers(releases), f"{name}ProtoBuf") is None:
            yield f"callback {name}: no recorded release has the twin EWrapper.{name}ProtoBuf"


def _arities(table: Table, releases: Sequence[Release]) -> Iterator[str]:
    """A generated callback is called by position, so every release has to have the same parameters."""
    names = {name for row in all_rows(table) for name in (*row.items, row.end) if name}
    for name in sorted(names - set(table.hand_written)):
        method = newest(wrappers(releases), name)
        for release in releases:
            if method is not None and name in release.wrapper and release.wrapper[name].names != method.names:
                theirs = release.wrapper[name]
                yield f"callback {name}: {theirs} in ibapi {release.version}, {method} in the newest: write it by hand"


def _lanes(table: Table, releases: Sequence[Release]) -> Iterator[str]:
    """A callback without a request id says one key, so all rows that it answers have to come through one lane."""
    names = {name for row in all_rows(table) for name in (*row.items, row.end) if name}
    for name in sorted(names - set(table.hand_written)):
        method = newest(wrappers(releases), name)
        lanes = sorted({f"{row.end or name}{row.echo or ''}" for row in answers(table, name)})
        if method is not None and id_of(method) is None and len(lanes) > 1:
            yield f"callback {name}: its rows have several lanes ({', '.join(lanes)}), and it says no request id"


def _defaults(table: Table, releases: Sequence[Release]) -> Iterator[str]:
    methods = [newest(clients(releases), row.method) for row in all_rows(table)]
    known = {name for method in methods if method is not None for name in method.names}
    for kind, names in (("default", table.defaults), ("type", table.types)):
        for name in names:
            if name not in known:
                yield f"{kind} of {name!r}: no row has a parameter of that name"
