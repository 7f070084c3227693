"""IB's names in Python's spelling."""

from __future__ import annotations

import pytest

from generator.naming import constant_name, event_name, function_name, snake


@pytest.mark.parametrize(
    ("method", "function"),
    [
        ("reqMktDepth", "mkt_depth"),
        ("placeOrder", "place_order"),
        ("reqPnL", "pnl"),
        ("reqPnLSingle", "pnl_single"),
        ("requestFA", "request_fa"),
        ("replaceFA", "replace_fa"),
        ("reqHeadTimeStamp", "head_time_stamp"),
        ("reqCurrentTimeInMillis", "current_time_in_millis"),
        ("reqConfigProtoBuf", "config"),
        ("updateConfigProtoBuf", "update_config"),
        ("reqIds", "ids"),
        ("reqSecDefOptParams", "sec_def_opt_params"),
        ("reqWshMetaData", "wsh_meta_data"),
        ("queryDisplayGroups", "query_display_groups"),
    ],
)
def test_functions(method: str, function: str) -> None:
    assert function_name(method) == function


@pytest.mark.parametrize(
    ("parameter", "name"),
    [
        ("durationStr", "duration_str"),
        ("useRTH", "use_rth"),
        ("useRth", "use_rth"),
        ("open_", "open"),
        ("dailyPnL", "daily_pnl"),
        ("unrealizedPNL", "unrealized_pnl"),
        ("ledgerAndNLV", "ledger_and_nlv"),
        ("conid", "conid"),
        ("underlyingConId", "underlying_con_id"),
        ("bAutoBind", "b_auto_bind"),
        ("cxml", "cxml"),
        ("faData", "fa_data"),
    ],
)
def test_parameters(parameter: str, name: str) -> None:
    assert snake(parameter) == name


def test_constants_and_events() -> None:
    assert constant_name("mkt_data_snapshot") == "MKT_DATA_SNAPSHOT"
    assert [event_name(name) for name in ("tickByTickBidAsk", "tickEFP", "realtimeBar", "pnlSingle")] == [
        "TickByTickBidAsk",
        "TickEFP",
        "RealtimeBar",
        "PnlSingle",
    ]
