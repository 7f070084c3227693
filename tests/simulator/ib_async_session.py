"""What somebody does who uses ib_async: a script that is run with a port, and prints what it saw as JSON.

It is a process of its own because ib_async has one event loop for a process, and patches it.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any

import ib_async as ib

_PATIENCE = 20.0


async def comes_true(condition: Callable[[], Any]) -> Any:
    """Wait until *condition* says something; return what it says."""
    async with asyncio.timeout(_PATIENCE):
        while not (said := condition()):  # noqa: ASYNC110 (ib_async tells of most of it by changing its objects)
            await asyncio.sleep(0.01)
    return said


class Session:
    """One connection, and what was seen over it."""

    def __init__(self) -> None:
        self.app = ib.IB()
        self.seen: dict[str, Any] = {}
        self.errors: list[int] = []
        self.app.errorEvent += lambda _, code, *__: self.errors.append(code)
        self.stock: Any = ib.Stock("AAPL", "SMART", "USD")

    async def run(self, port: int) -> None:
        await self.app.connectAsync("127.0.0.1", port, clientId=3, timeout=_PATIENCE)
        await self.see_start()
        await self.see_contracts()
        await self.see_prices()
        await self.see_depth()
        await self.see_orders()
        await self.see_bracket()
        await self.see_account()
        await self.see_the_rest()
        self.seen["errors"] = sorted(set(self.errors) - {2104, 2106, 2158})
        self.app.disconnect()

    async def see_start(self) -> None:
        """The fetches of a start, which ib_async makes by itself."""
        self.seen["start"] = {
            "version": self.app.client.serverVersion(),
            "accounts": self.app.managedAccounts(),
            "values": len(self.app.accountValues()),
            "summary": len(await self.app.accountSummaryAsync()),
        }

    async def see_contracts(self) -> None:
        [self.stock] = await self.app.qualifyContractsAsync(self.stock)
        details = await self.app.reqContractDetailsAsync(self.stock)
        [chain, *_] = await self.app.reqSecDefOptParamsAsync("AAPL", "", "STK", self.stock.conId)
        option: Any = ib.Option("AAPL", chain.expirations[0], chain.strikes[0], "C", "SMART")
        [option] = await self.app.qualifyContractsAsync(option)
        self.seen["contracts"] = {
            "conId": self.stock.conId,
            "exchange": self.stock.primaryExchange,
            "name": details[0].longName,
            "option": option.localSymbol,
            "strikes": len(chain.strikes),
            "nothing": await self.app.qualifyContractsAsync(ib.Stock("NOSUCH", "SMART", "USD")),
        }

    async def see_prices(self) -> None:
        bars = await self.app.reqHistoricalDataAsync(self.stock, "", "1 M", "1 day", "TRADES", True)
        ticker = self.app.reqMktData(self.stock, "233")
        await comes_true(lambda: ticker.hasBidAsk() and ticker.last > 0 and ticker.rtVolume > 0)
        live = self.app.reqRealTimeBars(self.stock, 5, "TRADES", True)
        await comes_true(lambda: len(live) > 1)
        quotes = self.app.reqTickByTickData(self.stock, "BidAsk")
        [quote, *_] = await comes_true(lambda: list(quotes.tickByTicks))
        head = await self.app.reqHeadTimeStampAsync(self.stock, "TRADES", True, 1)
        ticks = await self.app.reqHistoricalTicksAsync(
            self.stock, "", "20130103 15:00:00 US/Eastern", 10, "TRADES", True
        )
        self.seen["prices"] = {
            "bars": len(bars),
            "close": bars[0].close,
            "spread": round(ticker.ask - ticker.bid, 2),
            "bar": (live[1].time - live[0].time).total_seconds(),
            "quote": quote.askPrice > quote.bidPrice,
            "head": str(head),
            "ticks": len(ticks),
        }
        self.app.cancelMktData(self.stock)
        self.app.cancelTickByTickData(self.stock, "BidAsk")
        self.app.cancelRealTimeBars(live)

    async def see_depth(self) -> None:
        book = self.app.reqMktDepth(self.stock, numRows=5, isSmartDepth=True)
        await comes_true(lambda: len(book.domBids) == len(book.domAsks) == 5)
        self.seen["depth"] = {"makers": bool(book.domBids[0].marketMaker)}
        self.app.cancelMktDepth(self.stock, isSmartDepth=True)

    async def see_orders(self) -> None:
        bought = self.app.placeOrder(self.stock, ib.MarketOrder("BUY", 10))
        await comes_true(lambda: bought.isDone() and bought.fills and bought.fills[-1].commissionReport.commission)
        resting = self.app.placeOrder(self.stock, ib.LimitOrder("BUY", 1, 100))
        await comes_true(lambda: resting.orderStatus.status == "Submitted")
        resting.order.lmtPrice = 101
        self.app.placeOrder(self.stock, resting.order)
        self.app.cancelOrder(resting.order)
        await comes_true(resting.isDone)
        question = await self.app.whatIfOrderAsync(self.stock, ib.MarketOrder("BUY", 100))
        self.seen["orders"] = {
            "filled": float(bought.filled()),
            "fill": bought.orderStatus.status,
            "commission": bought.fills[-1].commissionReport.commission,
            "cancel": resting.orderStatus.status,
            "margin": float(question.initMarginChange),
        }

    async def see_bracket(self) -> None:
        trades = [self.app.placeOrder(self.stock, each) for each in self.app.bracketOrder("BUY", 5, 600, 700, 400)]
        await comes_true(lambda: trades[0].isDone() and trades[1].orderStatus.status == "Submitted")
        states = [each.orderStatus.status for each in trades]
        for each in trades[1:]:
            self.app.cancelOrder(each.order)
        await comes_true(lambda: all(each.isDone() for each in trades))
        self.seen["bracket"] = {"states": states, "ends": [each.orderStatus.status for each in trades]}

    async def see_account(self) -> None:
        executions = await self.app.reqExecutionsAsync()
        profit = self.app.reqPnL(self.app.managedAccounts()[0])
        single = self.app.reqPnLSingle(self.app.managedAccounts()[0], "", self.stock.conId)
        await comes_true(lambda: profit.dailyPnL == profit.dailyPnL and single.position)
        held = await comes_true(self.app.portfolio)
        self.seen["account"] = {
            "executions": sum(float(each.execution.shares) for each in executions),
            "positions": [(each.contract.symbol, float(each.position)) for each in self.app.positions()],
            "portfolio": [(each.contract.symbol, float(each.position)) for each in held],
            "single": float(single.position),
            "open": len(await self.app.reqOpenOrdersAsync()),
            "completed": len(await self.app.reqCompletedOrdersAsync(False)),
        }

    async def see_the_rest(self) -> None:
        providers = await self.app.reqNewsProvidersAsync()
        codes = "+".join(each.code for each in providers)
        headlines: Any = await self.app.reqHistoricalNewsAsync(self.stock.conId, codes, "", "", 3)
        article = await self.app.reqNewsArticleAsync(headlines[0].providerCode, headlines[0].articleId)
        wanted = ib.ScannerSubscription(instrument="STK", locationCode="STK.US.MAJOR", scanCode="TOP_PERC_GAIN")
        scanned = await self.app.reqScannerDataAsync(wanted)
        samples = await self.app.reqMatchingSymbolsAsync("AAPL")
        self.seen["rest"] = {
            "providers": len(providers),
            "headlines": len(headlines),
            "article": bool(article.articleText),
            "scanned": len(scanned),
            "samples": len(samples or ()),
            "time": (await self.app.reqCurrentTimeAsync()).year,
        }


if __name__ == "__main__":
    session = Session()
    asyncio.run(session.run(int(sys.argv[1])))
    print(json.dumps(session.seen))
