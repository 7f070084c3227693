"""Model -> ``requests_<family>.py``: the rows as constants, and a class with a function for each."""

from __future__ import annotations

from .model import Family, Model, RequestMethod
from .request_docs import paragraphs
from .signatures import parameters_of, returns_of
from .text import HEADER, docstring, imports, literal, names_in, typing_imports

__all__ = ["MANY", "emit_family", "emit_requests", "runtime_imports", "stream_parameters"]

_RUNTIME = {
    "CommissionAndFeesReport": ".._runtime._events",
    "DepthReset": ".._runtime._events",
    "EndOfSnapshot": ".._runtime._events",
    "ExecDetails": ".._runtime._events",
    "GroupSubscription": ".._runtime._streams",
    "OpenOrder": ".._runtime._events",
    "OrderEvent": ".._runtime._events",
    "OrderStatus": ".._runtime._events",
    "OrderSubscription": ".._runtime._streams",
    "Overflow": ".._runtime._streams",
    "Result": ".._runtime._result",
    "Subscription": ".._runtime._streams",
}
"""Where the hand-written names of annotations come from."""

_STREAM_PARAMETERS = ("buffer: int = 1000", 'overflow: Overflow = "raise"', "share: bool = False")
_STREAM_ARGUMENTS = ("buffer=buffer", "overflow=overflow", "share=share")
MANY = 6
"""With more arguments than that, a call is two statements: one argument a line would be a long function."""

_CALLS = {"list": "collect", "stream": "subscribe"}
"""The methods of ``trio_ibtws._runtime._calls.Calls`` that are not called as the pattern."""


def runtime_imports() -> dict[str, str]:
    """Return the modules of the hand-written names in annotations."""
    return dict(_RUNTIME)


def stream_parameters() -> tuple[str, ...]:
    """Return the parameters that every subscription has."""
    return _STREAM_PARAMETERS


def emit_requests(model: Model) -> str:
    """Return the text of ``requests.py``: the functions of all families in one class."""
    families = [family for family, _ in model.families]
    return "\n".join(
        [
            HEADER,
            docstring(["Every request, as a function of the client."], 0),
            "from __future__ import annotations\n",
            imports({f".requests_{family.name}": [family.class_name] for family in families}),
            '__all__ = ["Requests"]\n\n',
            f"class Requests({', '.join(family.class_name for family in families)}):",
            docstring(["What the client can ask TWS for."], 4),
        ]
    )


def emit_family(model: Model, family: Family, requests: tuple[RequestMethod, ...]) -> str:
    """Return the text of one family's module, unformatted."""
    methods = [_method(request) for request in requests if request.row.pattern != "part"]
    return (
        _head(model, family, requests)
        + "\n"
        + "\n".join(_constant(request) for request in requests)
        + f"\n\nclass {family.class_name}:\n"
        + docstring([f"Requests about {family.doc}."], 4)
        + "\n    _calls: Calls\n\n"
        + "\n".join(methods)
    )


def _head(model: Model, family: Family, requests: tuple[RequestMethod, ...]) -> str:
    annotations = [annotation for request in requests for annotation in _annotations(request)]
    names = names_in(annotations) | {"Calls"}
    events = {callback.event for callback in model.callbacks} | {union.name for union in model.unions}
    nearby: dict[str, list[str]] = {".._runtime._calls": ["Calls"], ".events": sorted(names & events)}
    for name in sorted(names & set(_RUNTIME)):
        nearby.setdefault(_RUNTIME[name], []).append(name)
    joins = {request.row.join for request in requests if request.row.join}
    return "\n".join(
        [
            HEADER,
            docstring([f"Requests about {family.doc}."], 0),
            "from __future__ import annotations\n",
            imports({"typing": ["TYPE_CHECKING", *(["Any"] if "Any" in names else [])]}),
            imports({".._runtime._orders": joins, ".._runtime._request": ["Request"]}),
            "if TYPE_CHECKING:",
            "\n".join(
                part
                for part in (typing_imports(names - set(_RUNTIME) - events, model.nouns), imports(nearby, indent=4))
                if part
            ),
            f'__all__ = ["{family.class_name}"]\n',
        ]
    )


def _annotations(request: RequestMethod) -> list[str]:
    own = [parameter.annotation for parameter in request.parameters] if request.row.pattern != "part" else []
    stream = ["Overflow"] if request.row.pattern == "stream" else []
    return [*own, *stream, request.yields, "" if request.row.pattern == "part" else returns_of(request)]


# --- the row -----------------------------------------------------------------------------------------------------


def _constant(request: RequestMethod) -> str:
    row = request.row
    given: dict[str, object] = {
        "method": row.method,
        "parameters": tuple(parameter.name for parameter in request.wire),
        "key": request.key,
        "echo": row.echo,
        "constants": row.constants,
        "elsewhere": row.elsewhere,
        "cancel": row.cancel,
        "cancel_parameters": row.cancel_parameters,
        "cancel_constants": row.cancel_constants,
        "lasting": row.lasting,
        "endless": row.endless,
        "batches": row.batches,
        "orders": row.orders,
        "effect": "" if row.effect == "read" else row.effect,
        "since": "" if request.since == "9.81" else request.since,
        "until": request.until,
        "needs": request.needs,
        "message": row.message,
        "conflate": row.conflate,
    }
    arguments = [
        f"{name}={literal(value)}" for name, value in given.items() if value or (name == "conflate" and value == ())
    ]
    return f"{request.constant}: Request[{request.yields or 'None'}] = Request({', '.join(arguments)})\n"


# --- the function ------------------------------------------------------------------------------------------------


def _method(request: RequestMethod) -> str:
    keyword = "async def" if request.row.pattern in ("one", "list") else "def"
    stream = ["*", *_STREAM_PARAMETERS] if request.row.pattern == "stream" else []
    parameters = ", ".join(["self", *parameters_of(request), *stream])
    docs = docstring(paragraphs(request), 8)
    lines = "".join(f"        {line}\n" for line in _body(request))
    return f"    {keyword} {request.name}({parameters}) -> {returns_of(request)}:\n{docs}{lines}"


def _body(request: RequestMethod) -> list[str]:
    names = [parameter.name for parameter in request.parameters]
    if request.row.pattern != "stream" or len(names) <= MANY:
        return [_call(request, names)]
    return [f"arguments = ({', '.join(names)})", _call(request, ["*arguments"])]  # one a line would be a long function


def _call(request: RequestMethod, names: list[str]) -> str:
    row = request.row
    arguments = [request.constant, *([request.update] if row.update else []), *names]
    if row.pattern == "stream":
        arguments += _STREAM_ARGUMENTS
    name = "subscribe_group" if row.update else _CALLS.get(row.pattern, row.pattern)
    call = f"self._calls.{name}({', '.join(arguments)})"
    if row.join:
        return f"return {row.join}(await {call})"
    if row.pattern in ("one", "list"):
        return f"return await {call}"
    return f"return {call}" if row.pattern in ("stream", "place") else call
