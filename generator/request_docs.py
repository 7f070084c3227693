"""What the docstring of a generated function says beside its first line."""

from __future__ import annotations

from .model import RequestMethod
from .text import listed

__all__ = ["callbacks", "paragraphs"]


def paragraphs(request: RequestMethod) -> list[str]:
    """Return the paragraphs of the docstring."""
    row = request.row
    parts = [
        row.doc,
        *([row.notes] if row.notes else []),
        f"EClient.{row.method}{callbacks(request)}. {_cancelled(request)}",
    ]
    if row.pattern == "stream":
        parts.append(_OPENING)
    elif row.pattern == "place":
        parts.append(_PLACING)
    else:
        parts.append("Raises:\n" + "\n".join(_raises(request)))
    return parts


def callbacks(request: RequestMethod) -> str:
    """Return which callbacks answer, as the rest of a sentence."""
    row = request.row
    if not row.items:
        return "; what becomes of it comes as events of the orders" if row.orders else ", which TWS does not answer"
    if row.pattern == "place":
        return f", followed by EWrapper.{listed(row.items)}"
    end = f" up to {row.end}" if row.end and row.pattern == "list" else ""
    return f", answered by EWrapper.{listed(row.items)}{end}"


def _cancelled(request: RequestMethod) -> str:
    row = request.row
    if row.pattern == "stream":
        return f"Leaving it sends EClient.{row.cancel}." if row.cancel else "TWS has no message that ends it."
    if row.pattern not in ("one", "list"):
        return ""
    if row.cancel:
        later = f"later, EClient.{row.cancel} tells TWS{' where ibapi has it' * request.cancel_is_newer}"
    else:
        later = "later, the answer is dropped: TWS has no message that cancels it"
    return f"Cancelled before it was sent, it did not happen; {later}."


_OPENING = (
    "Opening raises LocalError, ConnectionLost or ClientClosed, receiving RequestError, ConnectionLost or SlowConsumer."
)

_PLACING = (
    "Opening raises LocalError (TradingDisabled too), ConnectionLost or ClientClosed, receiving OrderRejected or "
    "ConnectionLost. Leaving the block, or being cancelled in it, does not cancel the order."
)


def _raises(request: RequestMethod) -> list[str]:
    answered = request.row.pattern in ("one", "list")
    trading = " or TradingDisabled" if request.row.effect in ("spend", "trade") else ""
    lines = [f"  LocalError: nothing was sent: UnsupportedRequest, InvalidRequest{trading}."]
    if answered:
        lines.append("  RequestError: TWS refused it.")
    lines.append(f"  ConnectionLost: the session ended{' before the answer did' * answered}.")
    lines.append("  ClientClosed: the client's block was left.")
    return lines
