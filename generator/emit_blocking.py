"""Model -> ``blocking_<family>.py``: the requests as functions that block the thread that calls them."""

from __future__ import annotations

from .emit_requests import MANY, runtime_imports, stream_parameters
from .model import Family, Model, RequestMethod
from .signatures import parameters_of, returns_of
from .text import HEADER, docstring, imports, names_in, typing_imports

__all__ = ["emit_blocking", "emit_blocking_family"]

_WRAPPERS = {
    "Subscription": "BlockingSubscription",
    "GroupSubscription": "BlockingGroupSubscription",
    "OrderSubscription": "BlockingOrderSubscription",
}
"""What a subscription becomes, in ``trio_ibtws._runtime._blocking``."""

_VERBS = {"Subscription": "subscription", "GroupSubscription": "group", "OrderSubscription": "order"}
"""The methods of ``Portal`` that wrap them."""

_HOW = {
    "one": "Blocks until TWS has answered; see",
    "list": "Blocks until TWS has answered; see",
    "stream": "Open it with ``with``; see",
    "place": "Open it with ``with``; see",
}

_DOC = "Every request, as a function that blocks."


def emit_blocking(model: Model) -> str:
    """Return the text of ``blocking.py``: the functions of all families in one class."""
    families = [family for family, _ in model.families]
    return "\n".join(
        [
            HEADER,
            docstring([_DOC], 0),
            "from __future__ import annotations\n",
            imports({f".blocking_{family.name}": [_class(family)] for family in families}),
            '__all__ = ["BlockingRequests"]\n\n',
            f"class BlockingRequests({', '.join(_class(family) for family in families)}):",
            docstring(["What a program without an event loop can ask TWS for."], 4),
        ]
    )


def emit_blocking_family(model: Model, family: Family, requests: tuple[RequestMethod, ...]) -> str:
    """Return the text of one family's module, unformatted."""
    functions = [request for request in requests if request.row.pattern != "part"]
    return (
        _head(model, family, functions)
        + f"\n\nclass {_class(family)}:\n"
        + docstring([f"Requests about {family.doc}; each is documented where ``Client`` has it."], 4)
        + "\n    _portal: Portal\n    _client: Requests\n\n"
        + "\n".join(_method(request) for request in functions)
    )


def _class(family: Family) -> str:
    return f"Blocking{family.class_name}"


def _head(model: Model, family: Family, requests: list[RequestMethod]) -> str:
    annotations = [str(parameter) for request in requests for parameter in request.parameters]
    names = names_in([*annotations, *(_returns(request) for request in requests)])
    names |= {"Overflow"} if any(request.row.pattern == "stream" for request in requests) else set()
    events = {callback.event for callback in model.callbacks} | {union.name for union in model.unions}
    wrappers = sorted(name for name in names if name in _WRAPPERS.values())
    runtime = {name: module for name, module in runtime_imports().items() if name in names}
    nearby: dict[str, list[str]] = {
        ".._runtime._blocking": ["Portal", *wrappers],
        ".events": sorted(names & events),
        ".requests": ["Requests"],
    }
    for name, module in runtime.items():
        nearby.setdefault(module, []).append(name)
    plain = names - set(runtime) - set(wrappers) - events
    return "\n".join(
        [
            HEADER,
            docstring([f"Requests about {family.doc}, as functions that block."], 0),
            "from __future__ import annotations\n",
            imports({"typing": ["TYPE_CHECKING", *(["Any"] if "Any" in names else [])]}),
            "if TYPE_CHECKING:",
            "\n".join(part for part in (typing_imports(plain, model.nouns), imports(nearby, indent=4)) if part),
            f'__all__ = ["{_class(family)}"]\n',
        ]
    )


def _returns(request: RequestMethod) -> str:
    returned = returns_of(request)
    kind, bracket, rest = returned.partition("[")
    return f"{_WRAPPERS.get(kind, kind)}{bracket}{rest}"


def _method(request: RequestMethod) -> str:
    stream = ["*", *stream_parameters()] if request.row.pattern == "stream" else []
    parameters = ", ".join(["self", *parameters_of(request), *stream])
    how = _HOW.get(request.row.pattern, "As")
    docs = docstring([request.row.doc, f"{how} ``Client.{request.name}``."], 8)
    lines = "".join(f"        {line}\n" for line in _body(request))
    return f"    def {request.name}({parameters}) -> {_returns(request)}:\n{docs}{lines}"


def _body(request: RequestMethod) -> list[str]:
    names = [parameter.name for parameter in request.parameters]
    own = f"self._client.{request.name}"
    pattern = request.row.pattern
    if pattern in ("one", "list"):
        return [f"return self._portal.wait({', '.join([own, *names])})"]
    if pattern not in ("stream", "place"):
        return [f"self._portal.do({', '.join([own, *names])})"]
    given = [f"{name}={name}" for name in map(_name_of, stream_parameters())] if pattern == "stream" else []
    verb = f"return self._portal.{_VERBS[returns_of(request).partition('[')[0]]}"
    if len(names) <= MANY:
        return [f"{verb}({own}({', '.join([*names, *given])}))"]
    return [
        f"arguments = ({', '.join(names)})",
        f"{verb}({own}({', '.join(['*arguments', *given])}))",
    ]


def _name_of(parameter: str) -> str:
    return parameter.partition(":")[0]
