"""The signature of a generated function, as source text."""

from __future__ import annotations

from .model import RequestMethod

__all__ = ["JOINED", "parameters_of", "returns_of"]

JOINED = {"join_open_orders": "OpenOrder", "join_commissions": "ExecDetails"}
"""The functions of ``trio_ibtws._runtime._orders`` that join hand-written events, and what they return lists of."""


def parameters_of(request: RequestMethod) -> list[str]:
    """Return the parameters without ``self`` and those of every stream."""
    return [str(parameter) for parameter in request.parameters]


def returns_of(request: RequestMethod) -> str:
    """Return the annotation of what the function returns."""
    row = request.row
    if row.join:
        return f"list[{JOINED[row.join]}]"
    if row.pattern == "list":
        return f"Result[{request.yields}, {request.end_type}]" if request.end_type else f"list[{request.yields}]"
    if row.pattern == "stream":
        return f"{'GroupSubscription' if row.update else 'Subscription'}[{request.yields}]"
    return {"one": request.yields, "place": f"OrderSubscription[{request.yields}]"}.get(row.pattern, "None")
