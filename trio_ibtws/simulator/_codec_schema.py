"""What a text layout says about a message's values, for a wire whose layout is somebody else's.

The text tables are the only place where the simulator writes down what a message consists of. ``schema_of`` makes of
a layout what another codec needs of it: the names, nested as the values are, the kind of each, and what stands for a
value that is not set.
"""

from __future__ import annotations

from typing import Any

import msgspec

from ._codec_fields import Field, Group, Layout, Optional, Repeat, Values, When

__all__ = ["Part", "Schema", "defaults_of", "schema_of"]


class Part(msgspec.Struct):
    """One named value of a message.

    Attributes:
      kind: the kind of the field, or ``group``, ``rows`` (a list of dicts), ``plain`` (a list) or ``optional``.
      absent: what is read when it is not set.
      parts: what a nested value consists of.
    """

    kind: str
    absent: Any = None
    parts: Schema = msgspec.field(default_factory=dict)


Schema = dict[str, Part]


def schema_of(layout: Layout) -> Schema:
    """Return what *layout* says about the values that it reads and writes."""
    schema: Schema = {}
    _describe(layout, schema)
    return schema


def _describe(layout: Layout, schema: Schema) -> None:
    for item in layout:
        if isinstance(item, Field):
            schema.setdefault(item.name, Part(item.kind, item.absent))
        elif isinstance(item, When):
            _describe(item.items, schema)
        elif isinstance(item, Group | Optional | Repeat):
            _describe(item.items, schema.setdefault(item.name, Part(_kind_of(item))).parts)


def _kind_of(item: Group | Optional | Repeat) -> str:
    if isinstance(item, Group):
        return "group"
    if isinstance(item, Optional):
        return "optional"
    return "plain" if item.plain else "rows"


def defaults_of(schema: Schema) -> Values:
    """Return the values of a message in which nothing is set; texts are empty, whatever the text wire sends then."""
    values: Values = {}
    for name, part in schema.items():
        if part.kind == "group":
            values[name] = defaults_of(part.parts)
        elif part.kind in {"rows", "plain"}:
            values[name] = []
        elif part.kind in {"str", "text"}:
            values[name] = ""
        elif part.kind != "optional":
            values[name] = part.absent
    return values
