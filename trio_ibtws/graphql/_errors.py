"""What a client is told of an error, and what it is not: IB's errors as they are, ours as a number in the log.

A *request error* (nothing was executed) is raised as ``RequestRefused`` and answered without ``data``. A *field error*
has the path of its field. The text of an exception that nobody meant for the public is logged, never sent.
"""

from __future__ import annotations

import logging
import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from ..errors import IBError, InternalError, InvalidRequest, OrderLimitExceeded, RequestError

log = logging.getLogger("trio_ibtws.graphql")

_WORD = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class RequestRefused(Exception):
    """A GraphQL request error: the request was not executed.

    Attributes:
      errors: what the client is told, in the form of the GraphQL specification.
      status: the HTTP status that fits: 400, or 413 where something is too long.
    """

    def __init__(self, message: str, *, code: str = "BAD_REQUEST", status: int = 400) -> None:
        super().__init__(message)
        self.errors: list[dict[str, Any]] = [{"message": message, "extensions": {"code": code}}]
        self.status = status

    @classmethod
    def of(cls, errors: Iterable[Mapping[str, Any]], status: int = 400) -> RequestRefused:
        """Return the refusal that tells all of *errors*."""
        told = [dict(error) for error in errors]
        refusal = cls(str(told[0]["message"]) if told else "the request was refused", status=status)
        refusal.errors = told or refusal.errors
        return refusal

    @property
    def response(self) -> dict[str, Any]:
        """The response: a request error has no ``data``."""
        return {"errors": self.errors}


class LimitExceeded(RequestRefused):
    """A limit was exceeded; the message names it with what was asked for."""

    def __init__(self, what: str, value: object, limit: float, *, status: int = 400) -> None:
        super().__init__(f"{what}: {value}, the limit is {limit}", code="LIMIT_EXCEEDED", status=status)


def code_of(kind: type[BaseException]) -> str:
    """Return the class's name as a GraphQL error code: ``NO_SUCH_CONTRACT``."""
    return _WORD.sub("_", kind.__name__).upper()


def describe(error: BaseException) -> dict[str, Any]:
    """Return the ``message`` and ``extensions`` for *error*; what is not public is logged under a number."""
    if isinstance(error, RequestRefused):
        return dict(error.errors[0])
    if isinstance(error, IBError) and not isinstance(error, InternalError):
        return {"message": str(error), "extensions": _extensions(error)}
    return _masked(error)


def _extensions(error: IBError) -> dict[str, Any]:
    told: dict[str, Any] = {"code": code_of(type(error)), "class": type(error).__name__}
    if isinstance(error, RequestError):
        told["twsCode"] = error.code
        if error.request:
            told["request"] = error.request
        if error.advanced_reject:
            told["advancedReject"] = error.advanced_reject
    if isinstance(error, InvalidRequest):
        told["requestField"] = error.field
    if isinstance(error, OrderLimitExceeded):
        told["limit"] = error.limit
    return told


def _masked(error: BaseException) -> dict[str, Any]:
    number = secrets.token_hex(4)
    log.error("INTERNAL %s: %s", number, type(error).__name__, exc_info=error)
    return {"message": f"INTERNAL {number}", "extensions": {"code": "INTERNAL"}}


def with_more(told: list[dict[str, Any]], dropped: int) -> list[dict[str, Any]]:
    """Return *told*; where errors were *dropped*, its last one says how many."""
    if not dropped:
        return told
    message = f"{dropped + 1} more errors"
    return [*told[:-1], {"message": message, "extensions": {"code": "MORE_ERRORS"}}]
