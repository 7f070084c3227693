"""The data that the generator passes along: what the table says, what a release shows, what both make together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Literal

from .schema_model import Vocabulary

__all__ = [
    "Callback",
    "CallbackMethod",
    "Family",
    "Field",
    "Method",
    "Model",
    "Parameter",
    "Pattern",
    "Release",
    "RequestMethod",
    "Role",
    "Row",
    "Table",
    "TableError",
    "Union",
]

Pattern = Literal["one", "list", "stream", "send", "place", "cancel_order", "part"]
"""One answer; a list to an end marker; a subscription; fire and forget; an order and its events; its cancel; a request
that has no function because it is a part of another one."""

Role = Literal["item", "list", "end"]
"""What a callback brings: one event (or the whole answer), a list of them, or the end of the answer."""


class TableError(Exception):
    """The table and the releases contradict each other; one line for each contradiction."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


# --- what a release shows ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method: its annotation as a short string, its default as source text."""

    name: str
    annotation: str = ""
    default: str | None = None

    def __str__(self) -> str:
        annotation = f": {self.annotation}" if self.annotation else ""
        return self.name + annotation + ("" if self.default is None else f" = {self.default}")


@dataclass(frozen=True)
class Method:
    """A public method of EClient or EWrapper."""

    name: str
    parameters: tuple[Parameter, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Return the names of the parameters."""
        return tuple(parameter.name for parameter in self.parameters)

    def __str__(self) -> str:
        return f"{self.name}({', '.join(map(str, self.parameters))})"


@dataclass(frozen=True)
class Release:
    """One release of ibapi."""

    version: str
    client: Mapping[str, Method]
    wrapper: Mapping[str, Method]
    nouns: Mapping[str, str]  # class -> module
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # class -> attributes of a new one

    @property
    def order(self) -> tuple[int, ...]:
        """Return the version as numbers."""
        return tuple(int(part) for part in self.version.split("."))

    @property
    def short(self) -> str:
        """Return ``10.51`` for ``10.51.1``."""
        return ".".join(self.version.split(".")[:2])


# --- what the table says ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Row:
    """One request: one function of the client, from one method of EClient.

    Attributes:
      method: the EClient method.
      pattern: see ``Pattern``.
      doc: the first line of the function's docstring, in our own words.
      name: the function's name where it is not the method's in snake_case.
      notes: a further paragraph: units, what to know.
      items: the EWrapper callbacks that answer.
      done: the parameter of the item callbacks that says that a list is complete (in place of an end callback).
      end: the EWrapper callback after the last item.
      key: the id parameter, or the lane; computed (request id, else end callback, else only item) where not given.
      echo: the EClient parameter whose value comes back with the answer of an id-less request.
      cancel: the EClient method that ends it at TWS; parameters and constants that it takes beside the id.
      constants: the flags that choose this function.
      elsewhere: by parameter, the values that TWS answers as another request is answered, and the function for that.
      defaults: defaults of this row alone, beside those of the table.
      types: annotations that differ from ibapi's.
      omitted: parameters of some release that the table leaves out because ``_runtime._compat`` translates them.
      markers: in-band markers that the stream yields beside the events of its callbacks.
      yields: the type of an item, where hand-written callbacks answer.
      join: the function of ``_runtime._orders`` that makes rows of hand-written events.
      update: for a subscription whose stream has a method of its own: the EClient method of that ``part`` row.
      message: the protobuf message that the only parameter takes, for requests that exist in protobuf alone.
      since, until: narrower than the recorded releases show, from IB's release history.
      lasting, endless, batches, orders, effect, conflate: see ``trio_ibtws._runtime._request.Request``.
    """

    method: str
    pattern: Pattern
    doc: str
    _: KW_ONLY
    name: str = ""
    notes: str = ""
    items: tuple[str, ...] = ()
    done: str | None = None
    end: str | None = None
    key: str | None = None
    echo: str | None = None
    cancel: str | None = None
    cancel_parameters: tuple[str, ...] = ()
    cancel_constants: Mapping[str, Any] = field(default_factory=dict)
    constants: Mapping[str, Any] = field(default_factory=dict)
    elsewhere: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, str] = field(default_factory=dict)
    omitted: tuple[str, ...] = ()
    markers: tuple[str, ...] = ()
    yields: str = ""
    join: str = ""
    update: str = ""
    message: str = ""
    since: str = ""
    until: str = ""
    lasting: bool = False
    endless: bool = False
    batches: bool = False
    orders: bool = False
    effect: Literal["read", "session", "spend", "trade"] = "read"
    conflate: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Family:
    """The rows that go into one generated module."""

    name: str
    class_name: str
    doc: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Callback:
    """What introspection does not tell about an EWrapper callback.

    Attributes:
      doc: the first line of the event's docstring, in our own words; only where the event is a class of its own.
      types: types of parameters that ibapi annotates too vaguely or wrongly.
      units: a comment at a field: its unit, or what its numbers mean.
      optional: whole numbers that may be unset.
      dropped: parameters that only repeat what was asked for.
      twin: values that only the protobuf twin of the callback carries, and their types. The decoder calls the twin
        right before the plain callback.
      key: source text of the key, where no parameter is it.
      converted: source text for a parameter whose shape differs between releases or wires, ``{}`` for its name.
      why: the comment at it.
    """

    doc: str = ""
    _: KW_ONLY
    types: Mapping[str, str] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)
    optional: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    twin: Mapping[str, str] = field(default_factory=dict)
    key: str = ""
    converted: Mapping[str, str] = field(default_factory=dict)
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Table:
    """The whole of ``spec.py``."""

    families: tuple[Family, ...]
    callbacks: Mapping[str, Callback]
    defaults: Mapping[str, Any]
    types: Mapping[str, str]
    hand_written: Mapping[str, str]
    ignored_methods: Mapping[str, str]
    ignored_callbacks: Mapping[str, str]
    vocabulary: Vocabulary | None = None  # what GraphQL needs beside the rows; none makes no schema


# --- what both make together ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Field:
    """A field of an event: its source text in the wrapper is *value*."""

    name: str
    annotation: str
    value: str
    unit: str = ""
    default: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallbackMethod:
    """One method of the generated wrapper, and the event class that it builds, if any."""

    name: str
    parameters: tuple[Parameter, ...]
    key: str  # source text
    role: Role
    fields: tuple[Field, ...]
    event: str = ""  # the class; empty where the value itself is the event
    doc: str = ""
    why: str = ""
    done: str = ""
    twin: tuple[Field, ...] = ()

    @property
    def type(self) -> str:
        """Return the type of what the callback delivers."""
        if self.event:
            return self.event
        annotation = self.fields[0].annotation if self.fields else ""
        return annotation.removeprefix("list[").removesuffix("]") if self.role == "list" else annotation


@dataclass(frozen=True)
class Union:
    """A named union of the events of a request."""

    name: str
    members: tuple[str, ...]
    request: str


@dataclass(frozen=True, kw_only=True)
class RequestMethod:
    """One function of the client with the row that it calls."""

    row: Row
    name: str
    constant: str
    wire: tuple[Parameter, ...]
    parameters: tuple[Parameter, ...]
    key: str | None
    yields: str
    end_type: str
    since: str
    until: str | None
    needs: str | None  # a callback that a release with the method may lack
    update: str  # the constant of the part row
    cancel_is_newer: bool  # some release has the method, but not its cancel method


@dataclass(frozen=True)
class Model:
    """Everything that is emitted."""

    families: tuple[tuple[Family, tuple[RequestMethod, ...]], ...]
    callbacks: tuple[CallbackMethod, ...]
    unions: tuple[Union, ...]
    nouns: Mapping[str, str]  # class of ibapi -> module
    attributes: Mapping[
        str, Mapping[str, str | None]
    ]  # class -> attribute -> the last release that had it, if it is gone
    defaults: Mapping[str, Any]  # the table's, under EClient's names
    vocabulary: Vocabulary | None

    @property
    def requests(self) -> tuple[RequestMethod, ...]:
        """Return the functions of all families."""
        return tuple(request for _, requests in self.families for request in requests)
