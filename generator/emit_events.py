"""Model -> ``events.py``: the event classes, and a union for each request that yields more than one kind."""

from __future__ import annotations

from .model import CallbackMethod, Field, Model, Union
from .text import HEADER, docstring, imports, names_in, typing_imports

__all__ = ["emit_events"]

_MARKERS = ("DepthReset", "EndOfSnapshot")
_WIDTH = 120


def emit_events(model: Model) -> str:
    """Return the text of ``events.py``, unformatted."""
    structs = [callback for callback in model.callbacks if callback.event]
    parts = [_head(model, structs), *(_struct(callback) for callback in structs)]
    if model.unions:
        parts.append("# --- what a request yields where it yields more than one kind of event " + "-" * 47 + "\n")
    parts += [_union(union, model) for union in model.unions]
    return "\n\n".join(parts)


def _head(model: Model, structs: list[CallbackMethod]) -> str:
    members = {member for union in model.unions for member in union.members}
    annotations = {field.annotation for callback in structs for field in (*callback.fields, *callback.twin)}
    own = {callback.event for callback in structs}
    typing = typing_imports(names_in({*annotations, *members - own}), model.nouns)
    needed = ["TYPE_CHECKING"] * bool(typing) + ["TypeAlias"] * bool(model.unions)
    exported = sorted([*own, *(union.name for union in model.unions)])
    return "\n".join(
        [
            HEADER,
            docstring(["One event class for each EWrapper callback that brings more than one value."], 0),
            "from __future__ import annotations\n",
            imports({"typing": needed}),
            imports({".._runtime._events": {"Event", *(members & set(_MARKERS))}}),
            f"if TYPE_CHECKING:\n{typing}" if typing else "",
            f"__all__ = [{', '.join(f'{name!r}' for name in exported)}]\n",
        ]
    )


def _struct(callback: CallbackMethod) -> str:
    lines = [f"class {callback.event}(Event, frozen=True, gc=False):\n"]
    lines.append(docstring([f"{callback.doc.rstrip('.')} (EWrapper.{callback.name})."], 4))
    lines.append("\n")
    lines += [f"    {_field(field)}\n" for field in (*callback.fields, *callback.twin)]
    return "".join(lines)


def _field(field: Field) -> str:
    default = f" = {field.default}" if field.default else ""
    unit = f"  # {field.unit}" if field.unit else ""
    return f"{field.name}: {field.annotation}{default}{unit}"


def _union(union: Union, model: Model) -> str:
    members = " | ".join(union.members)
    if any(member in model.nouns or "[" in member for member in union.members):
        members = f'"{members}"'  # ibapi's classes are imported for the type checker only
    alias = f"{union.name}: TypeAlias = {members}"
    if len(alias) > _WIDTH and members.startswith('"'):
        alias += "  # noqa: E501  a string, which cannot be broken"
    return f'{alias}\n"""What ``{union.request}`` yields."""\n'
