"""Financial advisors: groups, profiles and aliases, for accounts that are one's."""

from __future__ import annotations

from typing import Any
from xml.sax.saxutils import escape

from ._session import Handler, Session

__all__ = ["HANDLERS"]

_NO_ADVISOR = (321, "Error validating request.-'bW' : cause - FA data operations ignored for non FA customers.")
_BAD_TYPE = (321, "Error validating request.-'bW' : cause - Invalid FA data type.")
_GROUPS, _PROFILES, _ALIASES = 1, 2, 3
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


def _first(session: Session, kind: int) -> str:
    """Return what an advisor has who has changed nothing."""
    accounts = [escape(name) for name in session.world.scenario.advisor]
    if kind == _GROUPS:
        members = "".join(f"<String>{name}</String>" for name in accounts)
        group = (
            f"<name>All</name><ListOfAccts varName='list'>{members}</ListOfAccts><defaultMethod>Equal</defaultMethod>"
        )
        return f"{_HEAD}<ListOfGroups><Group>{group}</Group></ListOfGroups>"
    if kind == _PROFILES:
        return f"{_HEAD}<ListOfAllocationProfiles></ListOfAllocationProfiles>"
    aliases = "".join(
        f"<AccountAlias><account>{name}</account><alias>{name}</alias></AccountAlias>"
        for name in (escape(session.world.scenario.account), *accounts)
    )
    return f"{_HEAD}<ListOfAccountAliases>{aliases}</ListOfAccountAliases>"


def request_fa(session: Session, values: dict[str, Any]) -> None:
    """Serve requestFA, whose refusals carry the id 0."""
    kind = values["faData"]
    if not session.world.scenario.advisor:
        session.error(0, *_NO_ADVISOR)
    elif kind not in {_GROUPS, _PROFILES, _ALIASES}:
        session.error(0, *_BAD_TYPE)
    else:
        xml = session.world.advisor_data.get(kind) or _first(session, kind)
        session.send("receiveFA", faData=kind, cxml=xml)


def replace_fa(session: Session, values: dict[str, Any]) -> None:
    """Serve replaceFA."""
    kind = values["faData"]
    request = values.get("reqId", 0)
    if not session.world.scenario.advisor:
        session.error(request, *_NO_ADVISOR)
    elif kind not in {_GROUPS, _PROFILES}:
        session.error(request, *_BAD_TYPE)
    else:
        session.world.advisor_data[kind] = values["cxml"]
        session.send("replaceFAEnd", reqId=request, text="")


HANDLERS: dict[str, Handler] = {"requestFA": request_fa, "replaceFA": replace_fa}
