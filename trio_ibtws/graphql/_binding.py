"""What is replaced in Tartiflette, and the digests of the modules that it is replaced in or copied from.

The replacements hold for the whole process. They give the same results as what they replace: Tartiflette's own tests
pass with them on asyncio and on Trio.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

from . import _completion, _plans
from ._gather import UnsupportedTartiflette, gather, in_turn

GATHERING: Final[dict[str, Any]] = {
    "coercers.inputs.input_object_coercer": in_turn,
    "coercers.literals.input_object_coercer": in_turn,
    "coercers.outputs.list_coercer": gather,
    "coercers.variables": in_turn,
    "execution.execute": gather,
    "execution.response": in_turn,
    "resolver.default": in_turn,
    "utils.directives": in_turn,
}
"""The modules of Tartiflette that use asyncio, of it ``gather`` alone, and what that is for them: two run resolvers."""

REPLACED: Final[dict[tuple[str, str], Any]] = {
    ("execution.context", "ExecutionContext"): _completion.Execution,
    ("execution.execute", "execute_fields"): _completion.execute_fields,
    ("coercers.outputs.common", "execute_fields"): _completion.execute_fields,
    ("coercers.outputs.common", "collect_subfields"): _plans.collect_subfields,
    ("coercers.outputs.compute", "list_coercer_sequentially"): _completion.list_coercer,
}
"""What has another value in a module of Tartiflette's."""

PINS: Final[dict[str, str]] = {
    "coercers.arguments": "c6a307f569f79d67",
    "coercers.common": "f8e6ae6592648e6d",
    "coercers.inputs.input_object_coercer": "6364aafe65452152",
    "coercers.literals.input_object_coercer": "e46e0cd330cf888d",
    "coercers.outputs.common": "93996bbd0b1a93fb",
    "coercers.outputs.compute": "17f5ed5ec91517e7",
    "coercers.outputs.enum_coercer": "2b73938bb47be80a",
    "coercers.outputs.list_coercer": "637f0bdc05f69c5b",
    "coercers.outputs.null_coercer": "fcb2f099f6836517",
    "coercers.outputs.scalar_coercer": "c05dd95fc52cd5dc",
    "coercers.variables": "785dcb02294c24a9",
    "execution.collect": "925d8c81ea84de7c",
    "execution.context": "40290f80caa28dd9",
    "execution.execute": "ee9bc5c767aecb33",
    "execution.helpers": "e62428f5f938c249",
    "execution.response": "ffc2a8bc4d530f28",
    "resolver.default": "01204da62570e07e",
    "resolver.factory": "6f08b0c465f7455c",
    "schema.registry": "dc90e9dd1efa3cdf",
    "types.enum": "66cde506e60bec7a",
    "types.field": "dc2a76ff36add8c8",
    "types.scalar": "24a6fc1f9aa29a3f",
    "utils.directives": "3a6c8c9e03a399a8",
    "utils.errors": "c38ee286c175c723",
}
"""The digest of each module's source in Tartiflette 1.4.1."""


def digest(module: str) -> str:
    """Return the digest of the source of one of Tartiflette's modules, whatever its line endings."""
    spec = importlib.util.find_spec(f"tartiflette.{module}")
    if spec is None or spec.origin is None:
        return "missing"
    source = Path(spec.origin).read_bytes().replace(b"\r\n", b"\n")
    return hashlib.sha256(source).hexdigest()[:16]


def check_pins() -> None:
    """Check that Tartiflette is the one that this was written for.

    Raises:
      UnsupportedTartiflette: it is another: it may well work, but nobody has looked.
    """
    changed = sorted(module for module, pinned in PINS.items() if digest(module) != pinned)
    if changed:
        raise UnsupportedTartiflette(
            f"this is not Tartiflette 1.4.1, the one that trio_ibtws was tested with: {', '.join(changed)} differ. "
            "Do: pip install tartiflette==1.4.1"
        )


def bind() -> None:
    """Put the replacements in place; doing it again changes nothing.

    Raises:
      UnsupportedTartiflette: see ``check_pins``.
    """
    check_pins()
    for module, gathering in GATHERING.items():
        setattr(importlib.import_module(f"tartiflette.{module}"), "asyncio", SimpleNamespace(gather=gathering))  # noqa: B010
    for (module, name), value in REPLACED.items():
        setattr(importlib.import_module(f"tartiflette.{module}"), name, value)
