"""Requests for the past: bars, ticks, sessions, distributions."""

from __future__ import annotations

from ..model import Family, Row

_BARS = (
    '*duration_str* is like ``"5 D"``, *bar_size_setting* like ``"1 hour"``, *what_to_show* like ``"TRADES"``. '
    "*format_date* 1 gives the bars' dates as text, 2 as seconds since the epoch."
)

_SCHEDULE = {"whatToShow": {"SCHEDULE": "historical_schedule"}}

HISTORY = Family(
    "history",
    "HistoryRequests",
    "historical data",
    (
        Row(
            "reqHistoricalData",
            "list",
            "Return the bars of *contract* up to *end_date_time*, an empty string for now.",
            items=("historicalData",),
            end="historicalDataEnd",
            cancel="cancelHistoricalData",
            constants={"keepUpToDate": False},
            elsewhere=_SCHEDULE,
            notes=_BARS,
        ),
        Row(
            "reqHistoricalData",
            "stream",
            "Subscribe to the bars of *contract*: those of the past first, then each change of the newest one.",
            name="historical_data_stream",
            items=("historicalData", "historicalDataUpdate"),
            end="historicalDataEnd",
            markers=("EndOfSnapshot",),
            cancel="cancelHistoricalData",
            constants={"endDateTime": "", "keepUpToDate": True},
            elsewhere=_SCHEDULE,
            notes=_BARS,
        ),
        Row(
            "reqHistoricalData",
            "one",
            "Return the trading sessions of *contract* up to *end_date_time*, an empty string for now.",
            name="historical_schedule",
            items=("historicalSchedule",),
            cancel="cancelHistoricalData",
            constants={"whatToShow": "SCHEDULE", "keepUpToDate": False},
            defaults={"barSizeSetting": "1 day"},
            notes="TWS takes no bar size but one day here. Needs server version 165.",
        ),
        Row(
            "reqHistoricalTicks",
            "list",
            "Return up to 1000 ticks of *contract* from *start_date_time* on or up to *end_date_time*.",
            items=("historicalTicks", "historicalTicksBidAsk", "historicalTicksLast"),
            done="done",
            cancel="cancelHistoricalTicks",
            notes='Give one of the two times and leave the other empty. *what_to_show* is ``"MIDPOINT"``, '
            '``"BID_ASK"`` or ``"TRADES"`` and says which ticks come. The ticks of the last second all come, so that '
            "there may be more than asked for.",
        ),
        Row(
            "reqHeadTimeStamp",
            "one",
            "Return the time of the oldest data of *contract*.",
            items=("headTimestamp",),
            cancel="cancelHeadTimeStamp",
            notes="*format_date* 1 gives a date and time as text, 2 the seconds since the epoch, as text too.",
        ),
        Row(
            "reqHistogramData",
            "one",
            "Return how much of *contract* was traded at each price.",
            items=("histogramData",),
            cancel="cancelHistogramData",
            notes='*time_period* is like ``"3 days"``.',
        ),
    ),
)
