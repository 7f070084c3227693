"""What the data service knows: all kinds of bars, schedules, head timestamps, histograms, ticks of the past."""

from __future__ import annotations

from typing import Any

import pytest

from tests.simulator.stock import Got, StockClient, contract, names

pytestmark = pytest.mark.anyio

SPX = ("SPX", "IND", "CBOE", "USD")
EURUSD = ("EUR", "CASH", "IDEALPRO", "USD")
BTC = ("BTC", "CRYPTO", "PAXOS", "USD")
END = "20130103 16:00:00"


async def bars(client: StockClient, what: str, duration: str = "1 D", size: str = "1 day", wanted: Any = None) -> Any:
    client.reqHistoricalData(1, wanted or contract(), END, duration, size, what, 1, 1, False, [])
    return [each.bar for each in (await client.until("historicalDataEnd"))[:-1]]


@pytest.mark.parametrize("what", ["HISTORICAL_VOLATILITY", "OPTION_IMPLIED_VOLATILITY"])
async def test_volatilities(client: StockClient, what: str) -> None:
    first, second = await bars(client, what, "2 D")
    assert first.close == second.open
    assert 0.05 < second.low <= second.high < 1.0


async def test_bars_of_what_is_not_a_stock(client: StockClient) -> None:
    (index,) = await bars(client, "TRADES", wanted=contract(*SPX))
    assert 1000 < index.low < index.high < 2000
    (fund,) = await bars(client, "TRADES", wanted=contract("SPY"))
    assert index.high == pytest.approx(10 * fund.high)
    assert await bars(client, "AGGTRADES", size="1 hour", wanted=contract(*BTC))


async def test_bars_that_are_not_there(client: StockClient) -> None:
    for request, (wanted, what) in enumerate(
        [(SPX, "MIDPOINT"), (EURUSD, "TRADES"), (EURUSD, "HISTORICAL_VOLATILITY"), (("AAPL",), "AGGTRADES")]
    ):
        client.reqHistoricalData(request, contract(*wanted), END, "1 D", "1 day", what, 1, 1, False, [])
        assert [each.errorCode for each in await client.until("error")] == [162]


async def test_a_schedule(client: StockClient) -> None:
    if client.serverVersion() < 168:
        return  # ibapi does not ask so old a server
    client.reqHistoricalData(1, contract(), END, "3 D", "1 day", "SCHEDULE", 1, 1, False, [])
    (got,) = await client.until("historicalSchedule")
    assert (got.startDateTime, got.endDateTime, got.timeZone) == (
        "20121231-09:30:00",
        "20130103-16:00:00",
        "US/Eastern",
    )
    assert [each.refDate for each in got.sessions] == ["20121231", "20130102", "20130103"]
    client.reqHistoricalData(2, contract(), END, "3 D", "1 hour", "SCHEDULE", 1, 1, False, [])
    assert [each.errorCode for each in await client.sync()] == [321]


async def test_head_timestamps(client: StockClient) -> None:
    client.reqHeadTimeStamp(1, contract(), "TRADES", 1, 1)
    assert (await client.until("headTimestamp"))[0].headTimestamp == "20000301-14:30:00"
    client.reqHeadTimeStamp(2, contract("GOOG"), "TRADES", 1, 2)
    assert (await client.until("headTimestamp"))[0].headTimestamp == "1092922200"
    client.reqHeadTimeStamp(3, contract(*EURUSD), "TRADES", 1, 1)
    client.reqHeadTimeStamp(4, contract(), "GUESS", 1, 1)
    assert [each.errorCode for each in await client.sync()] == [162, 321]


async def test_a_histogram(client: StockClient) -> None:
    client.reqHistogramData(1, contract(), True, "3 days")
    (got,) = await client.until("histogramData")
    sizes = [getattr(each, "size", None) or each.count for each in got.items]
    assert len(sizes) > 100
    assert sizes == sorted(sizes, reverse=True)
    client.reqHistogramData(2, contract(), True, "soon")
    client.reqHistogramData(3, contract(*EURUSD), True, "3 days")
    assert [each.errorCode for each in await client.sync()] == [321, 10188]


CALLBACKS = {
    "TRADES": "historicalTicksLast",
    "BID_ASK": "historicalTicksBidAsk",
    "MIDPOINT": "historicalTicks",
}


async def ticks(client: StockClient, what: str, start: str, end: str, number: int) -> list[Any]:
    client.reqHistoricalTicks(1, contract(), start, end, number, what, 1, True, [])
    found: list[Any] = []
    while True:
        got = (await client.until(CALLBACKS[what]))[-1]
        found += got.ticks
        if got.done:
            return found


@pytest.mark.parametrize("what", CALLBACKS)
async def test_ticks_of_the_past(client: StockClient, what: str) -> None:
    after = await ticks(client, what, "20130104 10:00:00", "", 50)
    assert 50 <= len(after) < 60
    before = await ticks(client, what, "", "20130104 10:00:10", 50)
    assert 50 <= len(before) < 60
    times = [each.time for each in before]
    assert times == sorted(times)
    assert max(times) < 1357311610 <= max(times) + 30
    together = {str(each) for each in after} & {str(each) for each in before}
    assert together
    many = await ticks(client, what, "20130104 10:00:00", "", 1000)
    assert 1000 <= len(many) < 1010


async def test_questions_about_ticks_that_make_no_sense(client: StockClient) -> None:
    aapl = contract()
    client.reqHistoricalTicks(1, aapl, "", "", 10, "TRADES", 1, True, [])
    client.reqHistoricalTicks(2, aapl, END, END, 10, "TRADES", 1, True, [])
    client.reqHistoricalTicks(3, aapl, "soon", "", 10, "TRADES", 1, True, [])
    client.reqHistoricalTicks(4, aapl, END, "", 5000, "TRADES", 1, True, [])
    client.reqHistoricalTicks(5, aapl, END, "", 10, "GUESS", 1, True, [])
    client.reqHistoricalTicks(6, contract(*EURUSD), END, "", 10, "TRADES", 1, True, [])
    assert [each.errorCode for each in await client.sync()] == [321] * 5 + [10187]


async def test_real_time_bars(client: StockClient) -> None:
    client.reqRealTimeBars(1, contract(), 5, "TRADES", True, [])
    got = [(await client.until("realtimeBar"))[-1] for _ in range(3)]
    times: list[int] = [each.time for each in got]
    assert [time % 5 for time in times] == [0, 0, 0]
    assert times[2] - times[0] == 10
    for bar in got:
        assert _of(bar, "low") <= _of(bar, "open") <= _of(bar, "high")
    client.cancelRealTimeBars(1)
    assert names(await client.sync()) == []
    client.reqRealTimeBars(2, contract(), 10, "TRADES", True, [])
    client.reqRealTimeBars(3, contract(), 5, "BID_ASK", True, [])
    client.reqRealTimeBars(4, contract(*EURUSD), 5, "TRADES", True, [])
    assert [each.errorCode for each in await client.sync()] == [321, 321, 420]


def _of(bar: Got, name: str) -> Any:
    return getattr(bar, name + "_", None) or getattr(bar, name)
