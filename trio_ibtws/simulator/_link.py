"""What connects a gateway to IB: the link itself, and the farms that data come from.

While the link is down no market data and no news of orders arrive, and what clients ask of IB waits. A farm that is
down takes its own data along and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["FARMS", "LOCAL_REQUESTS", "MARKET_DATA", "ORDER_NEWS", "Link", "farm_of"]

FARMS: Mapping[str, str] = {
    "usfarm": "market",
    "cashfarm": "market",
    "usfuture": "market",
    "usopt": "market",
    "usbond": "market",
    "ushmds": "history",
    "secdefnj": "definitions",
}
"""The farms and what they serve."""

_AT_START = ("usfarm", "ushmds", "secdefnj")
_FARM_OF = {"CASH": "cashfarm", "FUT": "usfuture", "OPT": "usopt", "FOP": "usopt", "BOND": "usbond"}

_NOTICES = {
    ("market", "ok"): (2104, "Market data farm connection is OK:"),
    ("market", "broken"): (2103, "Market data farm connection is broken:"),
    ("market", "inactive"): (
        2108,
        "Market data farm connection is inactive but should be available upon demand.",
    ),
    ("history", "ok"): (2106, "HMDS data farm connection is OK:"),
    ("history", "broken"): (2105, "HMDS data farm connection is broken:"),
    ("history", "inactive"): (2107, "HMDS data farm connection is inactive but should be available upon demand."),
    ("definitions", "ok"): (2158, "Sec-def data farm connection is OK:"),
    ("definitions", "broken"): (2157, "Sec-def data farm connection is broken:"),
}

MARKET_DATA = frozenset(
    {
        "tickPrice",
        "tickSize",
        "tickString",
        "tickGeneric",
        "tickOptionComputation",
        "tickByTick",
        "tickNews",
        "updateMktDepth",
        "updateMktDepthL2",
        "realtimeBar",
        "historicalDataUpdate",
    }
)
"""Messages that stop when the link or a farm does."""

ORDER_NEWS = frozenset({"openOrder", "orderStatus", "execDetails", "commissionReport"})
"""Messages that come late when the link was down."""

LOCAL_REQUESTS = ("startApi", "cancel", "setServerLogLevel", "reqCurrentTime", "reqIds", "reqManagedAccts", "unsub")
"""How the names of requests start that a gateway answers by itself."""


def farm_of(contract: Mapping[str, Any]) -> str:
    """Return the farm that has a contract's market data."""
    return _FARM_OF.get(str(contract.get("secType")), "usfarm")


class Link:
    """Whether there is a connection to IB and to its farms."""

    def __init__(self, on_demand: bool, tell: Callable[[int, str], None]) -> None:
        self.up: bool = True
        self.lingers: bool = False
        """Whether market data arrive for a moment more, though the link is down."""
        self._tell = tell
        self._waiting: list[Callable[[], None]] = []
        self._states: dict[str, str] = dict.fromkeys(_AT_START, "ok")
        if on_demand:
            self._states = {name: "inactive" for name in _AT_START if FARMS[name] != "definitions"}
            self._states["secdefnj"] = "ok"
        self._on_demand = on_demand

    def notices(self) -> list[tuple[int, str]]:
        """Return what a client is told of the farms when it starts."""
        return [_notice(name, state) for name, state in self._states.items()]

    def is_up(self, farm: str) -> bool:
        """Return whether a farm's data arrive."""
        return self.up and self._states.get(farm) != "broken"

    def shows(self, farm: str) -> bool:
        """Return whether a farm's market data arrive."""
        return (self.up or self.lingers) and self._states.get(farm) != "broken"

    @property
    def all_farms_up(self) -> bool:
        """Whether no farm is broken."""
        return "broken" not in self._states.values()

    def set_farm(self, farm: str, state: str) -> None:
        """Change the state of a farm to ok, broken or inactive, and tell every client.

        Raises:
          KeyError: there is no such farm.
        """
        code, text = _notice(farm, state)
        self._states[farm] = state
        self._tell(code, text)

    def demand(self, farm: str) -> None:
        """Connect a farm that something is asked of, when farms are connected on demand."""
        if self._on_demand and self._states.get(farm) in {None, "inactive"}:
            if FARMS[farm] == "market":
                self._tell(2119, f"Market data farm is connecting:{farm}")
            self.set_farm(farm, "ok")

    def lose(self) -> None:
        """Lose the connection to IB."""
        if self.up:
            self.up = False
            self._tell(1100, "Connectivity between IBKR and Trader Workstation has been lost.")

    def restore(self, data_lost: bool) -> None:
        """Have the connection back, and do what waited for it."""
        if self.up:
            return
        self.up = True
        kind = "lost" if data_lost else "maintained"
        self._tell(
            1101 + (not data_lost), f"Connectivity between IBKR and Trader Workstation has been restored - data {kind}."
        )
        waiting, self._waiting = self._waiting, []
        for do in waiting:
            do()

    def wait(self, do: Callable[[], None]) -> None:
        """Have *do* called when the link is up again."""
        self._waiting.append(do)


def _notice(farm: str, state: str) -> tuple[int, str]:
    code, text = _NOTICES[FARMS[farm], state]
    return code, text + farm
