"""Model -> ``wrapper.py``: one method for each EWrapper callback, which hands one event to the router."""

from __future__ import annotations

from .model import CallbackMethod, Model
from .naming import snake
from .text import HEADER, docstring, imports, names_in, typing_imports

__all__ = ["emit_wrapper"]

_ONE_LINE = 120 - 8
_MANY = 6
_NUMBER = "values.number("


def emit_wrapper(model: Model) -> str:
    """Return the text of ``wrapper.py``, unformatted."""
    methods = [text for callback in model.callbacks for text in _methods(callback)]
    return _head(model) + "\n" + "\n".join(methods)


def _head(model: Model) -> str:
    annotations = [parameter.annotation for callback in model.callbacks for parameter in callback.parameters]
    names = names_in(annotations)
    typing = typing_imports(names, model.nouns)
    twins = any(callback.twin for callback in model.callbacks)
    standard = ["TYPE_CHECKING"] * bool(typing) + ["Any"] * (twins or "Any" in names)
    converted = any(field.value.startswith("values.") for callback in model.callbacks for field in callback.fields)
    values = "from .._runtime import _values as values\n" if converted else ""
    return "\n".join(
        [
            HEADER,
            docstring(["ibapi's callbacks, each turned into one event for the router."], 0),
            "from __future__ import annotations\n",
            imports({"typing": standard}),
            values + imports({".._runtime._wrapper": ["SessionWrapper"]}) + "from . import events\n",
            f"if TYPE_CHECKING:\n{typing}" if typing else "",
            '__all__ = ["Wrapper"]\n\n',
            "class Wrapper(SessionWrapper):",
            docstring(["Every EWrapper callback of every release, less those that ``SessionWrapper`` has by hand."], 4),
            *(_twin_attribute(callback) for callback in model.callbacks if callback.twin),
        ]
    )


def _methods(callback: CallbackMethod) -> list[str]:
    plain = _method(callback.name, _signature(callback), _body(callback))
    return [_twin_method(callback), plain] if callback.twin else [plain]


def _method(name: str, signature: str, body: list[str]) -> str:
    lines = [f"    def {name}({signature}) -> None:", *(f"        {line}" for line in body)]
    return "\n".join(lines) + "\n"


def _signature(callback: CallbackMethod) -> str:
    given = (f"{parameter.name}: {parameter.annotation or 'Any'}" for parameter in callback.parameters)
    return ", ".join(["self", *given])


def _body(callback: CallbackMethod) -> list[str]:
    lines, values = _values(callback)
    if callback.why:
        lines.insert(0, f"# {callback.why}")
    if callback.twin:
        attribute = _attribute(callback)
        nothing = ", ".join("None" for _ in callback.twin)
        lines.append(f"twin, self.{attribute} = self.{attribute}, ({nothing}{',' * (len(callback.twin) == 1)})")
        values.append("*twin")
    made = f"events.{callback.event}({', '.join(values)})" if callback.event else ", ".join(values)
    line = _deliver(callback, made)
    if len(line) > _ONE_LINE:
        lines, line = [*lines, f"event = {made}"], _deliver(callback, "event")
    return [*lines, line]


def _deliver(callback: CallbackMethod, made: str) -> str:
    call = {"item": "item", "list": "items", "end": "end"}[callback.role]
    arguments = [argument for argument in (callback.key, made, callback.done) if argument]
    return f"self.router.{call}({', '.join(arguments)})"


def _values(callback: CallbackMethod) -> tuple[list[str], list[str]]:
    """Return the event's arguments, and the lines that prepare them: a long row of numbers at the end is mapped."""
    values = [field.value for field in callback.fields]
    numbers = [value for value in values if value.startswith(_NUMBER)]
    if len(numbers) < _MANY or values[-len(numbers) :] != numbers:
        return [], values
    names = ", ".join(value.removeprefix(_NUMBER).removesuffix(")") for value in numbers)
    return [f"numbers = map(values.number, ({names}))"], [*values[: -len(numbers)], "*numbers"]


# --- values that only the protobuf twin of a callback carries ----------------------------------------------------


def _attribute(callback: CallbackMethod) -> str:
    return f"_{snake(callback.name)}_twin"


def _twin_attribute(callback: CallbackMethod) -> str:
    types = ", ".join(field.annotation for field in callback.twin)
    nothing = ", ".join("None" for _ in callback.twin)
    return f"    {_attribute(callback)}: tuple[{types}] = ({nothing}{',' * (len(callback.twin) == 1)})\n"


def _twin_method(callback: CallbackMethod) -> str:
    proto = f"{callback.name}Proto"
    values = [f'{proto}.{field.value} if {proto}.HasField("{field.value}") else None,' for field in callback.twin]
    body = [f"self.{_attribute(callback)} = (", *(f"    {value}" for value in values), ")"]
    comment = "# The decoder calls this right before the plain callback, which lacks these values."
    return _method(f"{callback.name}ProtoBuf", f"self, {proto}: Any", [comment, *body])
