"""Requests about the account: positions, summaries and updates, once and whenever something changes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ._account_values import ALL, BASE, account_values, currencies, ledger
from ._accounts import Holding
from ._orders import Execution
from ._session import NO_ID, Handler, Session
from ._times import short_time
from ._world import World

__all__ = ["HANDLERS", "NO_SUCH_ACCOUNT", "account_changed"]

_POSITIONS = "positions"
_POSITIONS_MULTI = "positions multi"
_UPDATES_MULTI = "account updates multi"
_SUMMARY = "account summary"
_UPDATES = "account updates"
NO_SUCH_ACCOUNT = "Error validating request.-'bA' : cause - Invalid account code was entered."
_TOO_MANY_SUMMARIES = (
    "Error processing request.-'b1' : cause - Maximum number of account summary requests exceeded; desubscribe to "
    "previous request first"
)
_EVERY = 180.0  # seconds between two rounds of changed values


def positions(session: Session, _: dict[str, Any]) -> None:
    """Serve reqPositions: all of them, the end, and each that changes."""
    for holding in list(session.world.account.holdings.values()):
        if holding.quantity:
            _send_position(session, holding)
    session.send("positionEnd")
    session.open_line(_POSITIONS, 0, lambda: None)


def _send_position(session: Session, holding: Holding) -> None:
    session.send("position", **_position(session, holding))


def _position(session: Session, holding: Holding) -> dict[str, Any]:
    return {
        "account": session.world.account.name,
        "contract": holding.instrument.contract(holding.instrument.primary_exchange),
        "position": holding.quantity,
        "avgCost": float(round(holding.average_cost, 8)),
    }


def cancel_positions(session: Session, _: dict[str, Any]) -> None:
    """Serve cancelPositions, silently."""
    session.close_line(_POSITIONS, 0)


# --- summary -----------------------------------------------------------------------------------------------------

_Row = tuple[str, str, str]


def _summary_rows(session: Session, tags: str) -> list[_Row]:
    """Return the rows that *tags* ask for: those without a currency first, by name, and a ledger at last."""
    account = session.world.account
    every: dict[str, _Row] = {}
    for key, value, currency in account_values(account):
        every.setdefault(key, (key, value, "" if currency == "BASE" else currency))
    rows: list[_Row] = []
    of_currencies: list[_Row] = []
    for tag in tags.split(","):
        name, _, currency = tag.strip().partition(":")
        if name == "$LEDGER":
            wanted = currencies(account) if currency == ALL else (currency or BASE,)
            of_currencies += [row for each in wanted if each in currencies(account) for row in ledger(account, each)]
        elif name in every:
            rows.append(every[name])
    return sorted(rows, key=lambda row: (bool(row[2]), row[0])) + of_currencies


def account_summary(session: Session, values: dict[str, Any]) -> None:
    """Serve reqAccountSummary: the values, the end, and every three minutes what changed."""
    request = values["reqId"]
    open_ones = sum(kind == _SUMMARY for kind, _ in session.lines)
    most = session.world.scenario.limits.summaries
    if (most is not None and open_ones >= most) or session.has_line(_SUMMARY, request):
        session.error(request, 322, _TOO_MANY_SUMMARIES)
        return
    sent: dict[tuple[str, str], str] = {}

    def send() -> None:
        for tag, value, currency in _changed(sent, _summary_rows(session, values["tags"])):
            row = {"tag": tag, "value": value, "currency": currency}
            session.send("accountSummary", reqId=request, account=session.world.account.name, **row)

    send()
    session.send("accountSummaryEnd", reqId=request)
    session.open_line(_SUMMARY, request, session.world.clock.every(_EVERY, send))


def cancel_account_summary(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelAccountSummary, silently."""
    session.close_line(_SUMMARY, values["reqId"])


def _changed(sent: dict[tuple[str, str], str], rows: Iterable[_Row]) -> list[_Row]:
    """Return the rows whose value is not the one that was sent, and remember it."""
    news = [row for row in rows if sent.get((row[0], row[2])) != row[1]]
    sent.update({(key, currency): value for key, value, currency in news})
    return news


# --- updates -----------------------------------------------------------------------------------------------------


class _Updates:
    """What one client has been told of the account."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._sent: dict[tuple[str, str], str] = {}
        self.stop = session.world.clock.every(_EVERY, self.send)

    def send(self, holdings: Iterable[Holding] | None = None) -> None:
        """Send what changed, and the given positions, or all."""
        session, account = self._session, self._session.world.account
        for key, value, currency in _changed(self._sent, account_values(account)):
            values = {"key": key, "value": value, "currency": currency, "accountName": account.name}
            session.send("updateAccountValue", **values)
        self._send_time()
        for holding in list(account.holdings.values() if holdings is None else holdings):
            self._send_portfolio(holding)
            self._send_time()

    def _send_time(self) -> None:
        self._session.send("updateAccountTime", timeStamp=short_time(self._session.world.clock.now()))

    def _send_portfolio(self, holding: Holding) -> None:
        account = self._session.world.account
        worth = account.worth(holding)
        self._session.send(
            "updatePortfolio",
            contract=holding.instrument.contract(),
            position=holding.quantity,
            marketPrice=float(self._session.world.mark(holding.instrument)),
            marketValue=float(worth),
            averageCost=float(round(holding.average_cost, 8)),
            unrealizedPNL=float(worth - holding.cost),
            realizedPNL=float(holding.realized),
            accountName=account.name,
        )


def account_updates(session: Session, values: dict[str, Any]) -> None:
    """Serve reqAccountUpdates, both ways."""
    name = session.world.account.name
    if not values["subscribe"]:
        session.close_line(_UPDATES, 0)
        return
    if values["acctCode"] not in {"", name}:
        session.error(NO_ID, 321, NO_SUCH_ACCOUNT)
        return
    session.close_line(_UPDATES, 0)
    updates = _Updates(session)
    session.account_updates = updates.send
    session.open_line(_UPDATES, 0, lambda: _unfollow(session, updates))
    updates.send()
    session.send("accountDownloadEnd", accountName=name)


def _unfollow(session: Session, updates: _Updates) -> None:
    updates.stop()
    session.account_updates = None


def account_changed(world: World, execution: Execution) -> None:
    """Tell everybody who follows the account about a trade."""
    holding = world.account.holding(execution.order.instrument)
    for session in list(world.sessions.values()):
        if session.has_line(_POSITIONS, 0):
            _send_position(session, holding)
        for kind, request in list(session.lines):
            if kind == _POSITIONS_MULTI and isinstance(request, int):
                _send_position_multi(session, request, holding)
        if session.account_updates is not None:
            session.account_updates([holding])


# --- the same, by request id ---------------------------------------------------------------------------------------


def positions_multi(session: Session, values: dict[str, Any]) -> None:
    """Serve reqPositionsMulti: all positions, the end, and each that changes."""
    request = values["reqId"]
    if not _is_ours(session, values):
        return
    for holding in list(session.world.account.holdings.values()):
        if holding.quantity:
            _send_position_multi(session, request, holding)
    session.send("positionMultiEnd", reqId=request)
    session.open_line(_POSITIONS_MULTI, request, lambda: None)


def _send_position_multi(session: Session, request: int, holding: Holding) -> None:
    session.send("positionMulti", reqId=request, **_position(session, holding))


def account_updates_multi(session: Session, values: dict[str, Any]) -> None:
    """Serve reqAccountUpdatesMulti: the values, the end, and every three minutes what changed."""
    request = values["reqId"]
    if not _is_ours(session, values):
        return
    sent: dict[tuple[str, str], str] = {}
    account = session.world.account
    of_ledger = {"NetLiquidation", *(key for key, _, _ in ledger(account, BASE))}

    def send() -> None:
        for key, value, currency in _changed(sent, account_values(account)):
            if not values["ledgerAndNLV"] or key in of_ledger:
                row = {"key": key, "value": value, "currency": currency}
                session.send("accountUpdateMulti", reqId=request, account=account.name, **row)

    send()
    session.send("accountUpdateMultiEnd", reqId=request)
    session.open_line(_UPDATES_MULTI, request, session.world.clock.every(_EVERY, send))


def cancel_positions_multi(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelPositionsMulti, silently."""
    session.close_line(_POSITIONS_MULTI, values["reqId"])


def cancel_account_updates_multi(session: Session, values: dict[str, Any]) -> None:
    """Serve cancelAccountUpdatesMulti, silently."""
    session.close_line(_UPDATES_MULTI, values["reqId"])


def _is_ours(session: Session, values: dict[str, Any]) -> bool:
    """Return whether a request is about the account that there is; else complain."""
    if values["account"] in {"", "All", session.world.account.name}:
        return True
    session.error(values["reqId"], 321, NO_SUCH_ACCOUNT)
    return False


HANDLERS: dict[str, Handler] = {
    "reqPositions": positions,
    "cancelPositions": cancel_positions,
    "reqAccountSummary": account_summary,
    "cancelAccountSummary": cancel_account_summary,
    "reqAccountUpdates": account_updates,
    "reqPositionsMulti": positions_multi,
    "cancelPositionsMulti": cancel_positions_multi,
    "reqAccountUpdatesMulti": account_updates_multi,
    "cancelAccountUpdatesMulti": cancel_account_updates_multi,
}
