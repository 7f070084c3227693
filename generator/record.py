"""Looks at the installed ibapi and writes down what its release looks like.

Facts only: names, annotations and defaults of the public methods, message ids, client versions, and the attribute
names of the classes that requests and answers are made of. Nothing of ibapi's text.
"""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
import re
from importlib import metadata
from types import ModuleType
from typing import Any

__all__ = ["as_json", "methods", "record", "version"]

_NO_NOUNS = {
    "client",
    "comm",
    "connection",
    "decoder",
    "decoder_utils",
    "enum_implem",
    "message",
    "object_implem",
    "orderdecoder",
    "protobuf",
    "reader",
    "sync_wrapper",
    "utils",
    "wrapper",
}
"""Modules of ibapi that hold machinery, not the classes that a user meets."""


def record() -> dict[str, Any]:
    """Return the facts about the installed release."""
    client = importlib.import_module("ibapi.client")
    wrapper = importlib.import_module("ibapi.wrapper")
    versions = importlib.import_module("ibapi.server_versions")
    message = importlib.import_module("ibapi.message")
    return {
        "version": version(),
        "min_client_version": versions.MIN_CLIENT_VER,
        "max_client_version": versions.MAX_CLIENT_VER,
        "client": methods(client.EClient),
        "wrapper": methods(wrapper.EWrapper),
        "incoming": _numbers(message.IN),
        "outgoing": _numbers(message.OUT),
        "nouns": _nouns(),
    }


def as_json(facts: dict[str, Any]) -> str:
    """Return the facts as the text of a release file, a line for each signature."""
    return json.dumps(facts, indent=1, sort_keys=False) + "\n"


def version() -> str:
    """Return the version of the installed ibapi without leading zeros: ``10.51.1``."""
    ibapi = importlib.import_module("ibapi")
    if hasattr(ibapi, "get_version_string"):
        text = ibapi.get_version_string()
    else:
        text = metadata.version(metadata.packages_distributions()["ibapi"][0])
    return ".".join(str(int(part)) for part in re.findall(r"\d+", text)[:3])


def methods(cls: type) -> dict[str, str]:
    """Return the public methods of a class with their signatures as text."""
    found = inspect.getmembers(cls, inspect.isfunction)
    return {name: _signature(function) for name, function in found if not name.startswith("_")}


def _signature(function: Any) -> str:
    parameters = list(inspect.signature(function).parameters.values())[1:]
    return ", ".join(_parameter(parameter) for parameter in parameters)


def _parameter(parameter: inspect.Parameter) -> str:
    text = parameter.name
    if parameter.annotation is not parameter.empty:
        text += f": {getattr(parameter.annotation, '__name__', str(parameter.annotation))}"
    if parameter.default is not parameter.empty:
        text += f" = {parameter.default!r}"
    return text


def _numbers(holder: type) -> dict[str, int]:
    """Return a holder's constants; Python 3.13 notes the line that a class begins at among them."""
    numbers = {name: each for name, each in vars(holder).items() if isinstance(each, int) and not name.startswith("__")}
    return dict(sorted(numbers.items(), key=lambda item: (item[1], item[0])))


def _nouns() -> dict[str, dict[str, Any]]:
    nouns: dict[str, dict[str, Any]] = {}
    for module in _noun_modules():
        for name, cls in vars(module).items():
            if inspect.isclass(cls) and cls.__module__ == module.__name__ and not issubclass(cls, Exception):
                nouns[name] = {"module": module.__name__, "attributes": _attributes(cls)}
    return dict(sorted(nouns.items()))


def _noun_modules() -> list[ModuleType]:
    ibapi = importlib.import_module("ibapi")
    names = sorted(info.name for info in pkgutil.iter_modules(ibapi.__path__))
    return [importlib.import_module(f"ibapi.{name}") for name in names if name not in _NO_NOUNS]


def _attributes(cls: type) -> list[str]:
    try:
        return sorted(vars(cls()))
    except TypeError:  # abstract, or made with arguments only
        return []
