"""What somebody does who uses ibapi alone: ``EClient.connect`` and ``run`` in threads, over a real socket.

A script that is run with a port, and prints what it saw as JSON. Nothing of this project is in it.
"""

from __future__ import annotations

import inspect
import json
import sys
import threading
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from ibapi.client import EClient
from ibapi.contract import Contract
from ibapi.execution import ExecutionFilter
from ibapi.order import Order
from ibapi.scanner import ScannerSubscription
from ibapi.wrapper import EWrapper

_PATIENCE = 20.0
_FARMS = {2104, 2106, 2158}
_Base: Any = type("_Base", (EWrapper, EClient), {})


class App(_Base):  # type: ignore[misc]
    """Both halves of ibapi; every callback is written down."""

    def __init__(self) -> None:
        EClient.__init__(self, self)
        self.got: list[tuple[str, dict[str, Any]]] = []
        self.came = threading.Condition()

    def note(self, name: str, arguments: dict[str, Any]) -> None:
        with self.came:
            self.got.append((name, arguments))
            self.came.notify()

    def until(self, name: str, **wanted: Any) -> dict[str, Any]:
        """Wait for a call of a callback with these arguments, unless it has come; return all of its arguments."""
        with self.came:
            assert self.came.wait_for(lambda: self.find(name, **wanted), _PATIENCE), (name, wanted, self.got[-5:])
            return self.find(name, **wanted)[-1]

    def find(self, name: str, **wanted: Any) -> list[dict[str, Any]]:
        return [
            arguments
            for other, arguments in self.got
            if other == name and all(arguments[key] == value for key, value in wanted.items())
        ]


def _noting(name: str, callback: Callable[..., Any]) -> Callable[..., None]:
    signature = inspect.signature(callback)

    def note(self: App, *arguments: Any) -> None:
        bound = dict(signature.bind(self, *arguments).arguments)
        bound.pop("self")
        self.note(name.replace("commissionAndFeesReport", "commissionReport"), bound)

    return note


for _name, _callback in inspect.getmembers(EWrapper, inspect.isfunction):
    if not _name.startswith("_") and _name not in {"logAnswer", "winError"} and not _name.endswith("ProtoBuf"):
        setattr(App, _name, _noting(_name, _callback))


def stock(exchange: str = "SMART") -> Contract:
    made = Contract()
    made.symbol, made.secType, made.exchange, made.currency = "AAPL", "STK", exchange, "USD"
    return made


def order(action: str, quantity: int, kind: str, **attributes: Any) -> Order:
    made = Order()
    made.action, made.totalQuantity, made.orderType = action, Decimal(quantity), kind
    for name, value in attributes.items():
        setattr(made, name, value)
    return made


def start(app: App, port: int) -> int:
    app.connect("127.0.0.1", port, 4)
    threading.Thread(target=app.run, daemon=True).start()
    first = app.until("nextValidId")["orderId"]
    app.until("error", errorCode=2158)
    return int(first)


def see_contracts(app: App) -> dict[str, Any]:
    app.reqContractDetails(1, stock())
    app.until("contractDetailsEnd", reqId=1)
    nothing = stock()
    nothing.symbol = "NOSUCH"
    app.reqContractDetails(2, nothing)
    details = app.until("contractDetails")["contractDetails"]
    app.reqSecDefOptParams(3, "AAPL", "", "STK", details.contract.conId)
    app.until("securityDefinitionOptionParameterEnd")
    app.reqMatchingSymbols(4, "AAPL")
    app.until("symbolSamples")
    return {
        "conId": details.contract.conId,
        "name": details.longName,
        "no such": app.until("error", reqId=2)["errorCode"],
        "chains": len(app.find("securityDefinitionOptionParameter")),
    }


def see_prices(app: App) -> dict[str, Any]:
    app.reqHistoricalData(10, stock(), "", "1 M", "1 day", "TRADES", 1, 1, False, [])
    app.until("historicalDataEnd", reqId=10)
    app.reqMktData(11, stock(), "233", False, False, [])
    bid = app.until("tickPrice", reqId=11, tickType=1)["price"]
    ask = app.until("tickPrice", reqId=11, tickType=2)["price"]
    app.until("tickString", reqId=11, tickType=48)
    app.reqTickByTickData(12, stock(), "BidAsk", 0, False)
    app.until("tickByTickBidAsk")
    app.reqMktDepth(13, stock(), 3, True, [])
    app.until("updateMktDepthL2", reqId=13, position=2)
    app.reqRealTimeBars(14, stock(), 5, "TRADES", True, [])
    app.until("realtimeBar")
    app.reqHeadTimeStamp(15, stock(), "TRADES", 1, 1)
    app.cancelMktData(11)
    app.cancelTickByTickData(12)
    app.cancelMktDepth(13, True)
    app.cancelRealTimeBars(14)
    return {
        "bars": len(app.find("historicalData", reqId=10)),
        "spread": round(ask - bid, 2),
        "head": app.until("headTimestamp")["headTimestamp"],
        "size": int(app.find("tickSize", tickType=0)[0]["size"]) > 0,
    }


def cancel(app: App, order_id: int) -> None:
    """Call cancelOrder, whose second argument depends on the release."""
    more: list[Any] = list(inspect.signature(EClient.cancelOrder).parameters)[2:]
    if more == ["orderCancel"]:
        from ibapi.order_cancel import OrderCancel

        more = [OrderCancel()]
    app.cancelOrder(order_id, *("" if isinstance(each, str) else each for each in more))


def see_orders(app: App, first: int) -> dict[str, Any]:
    app.placeOrder(first, stock(), order("BUY", 10, "MKT"))
    app.until("orderStatus", orderId=first, status="Filled")
    app.placeOrder(first + 1, stock(), order("BUY", 1, "LMT", lmtPrice=100))
    app.until("orderStatus", orderId=first + 1, status="Submitted")
    cancel(app, first + 1)
    app.until("error", reqId=first + 1, errorCode=202)
    app.placeOrder(first + 2, stock(), order("BUY", 10, "MKT", whatIf=True))
    question = app.until("openOrder", orderId=first + 2)["orderState"]
    app.reqExecutions(20, ExecutionFilter())
    app.until("execDetailsEnd")
    app.reqAllOpenOrders()
    app.until("openOrderEnd")
    [report] = app.until("commissionReport").values()
    return {
        "filled": int(app.find("orderStatus", orderId=first)[-1]["filled"]),
        "cancel": app.find("orderStatus", orderId=first + 1)[-1]["status"],
        "margin": float(question.initMarginChange) > 2000,
        "executions": len(app.find("execDetails", reqId=20)),
        "fee": report.commissionAndFees if hasattr(report, "commissionAndFees") else report.commission,
    }


def see_account(app: App) -> dict[str, Any]:
    app.reqPositions()
    app.until("positionEnd")
    account = app.until("managedAccounts")["accountsList"]
    app.reqAccountUpdates(True, account)
    app.until("accountDownloadEnd")
    app.reqAccountSummary(30, "All", "NetLiquidation")
    app.until("accountSummaryEnd")
    app.reqPnL(31, account, "")
    app.until("pnl")
    wanted = ScannerSubscription()
    wanted.instrument, wanted.locationCode, wanted.scanCode = "STK", "STK.US.MAJOR", "TOP_PERC_GAIN"
    app.reqScannerSubscription(32, wanted, [], [])
    app.until("scannerDataEnd")
    app.reqNewsProviders()
    app.until("newsProviders")
    app.reqCurrentTime()
    app.until("currentTime")
    held = app.until("updatePortfolio")
    return {
        "account": account,
        "position": int(app.until("position")["position"]),
        "portfolio": int(held["position"]),
        "values": len(app.find("updateAccountValue")) > 20,
        "scanned": len(app.find("scannerData")),
    }


def main(port: int) -> dict[str, Any]:
    app = App()
    first = start(app, port)
    seen: dict[str, Any] = {"version": app.serverVersion(), "first": first}
    seen["contracts"] = see_contracts(app)
    seen["prices"] = see_prices(app)
    seen["orders"] = see_orders(app, first)
    seen["account"] = see_account(app)
    seen["errors"] = sorted({each["errorCode"] for each in app.find("error")} - _FARMS)
    app.disconnect()
    app.until("connectionClosed")
    return seen


if __name__ == "__main__":
    print(json.dumps(main(int(sys.argv[1]))))
