"""The report on an installation, and on an ibapi that the table does not know."""

from __future__ import annotations

from typing import Any

import pytest
from ibapi.client import EClient

from trio_ibtws import cli
from trio_ibtws._cli import _coverage


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the lines of the report by the name that each begins with."""
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0]: line.partition(" ")[2].strip() for line in lines if not line.startswith(" ")}


def test_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    said = report(capsys)
    assert said["python"].startswith("3.")
    assert said["trio"][0].isdigit()
    assert "speaks server versions up to" in said["ibapi"]
    assert said["requests"] == f"the table has all {len(_coverage.requests_of_ibapi())} of this ibapi"


def test_the_requests_of_ibapi() -> None:
    requests = _coverage.requests_of_ibapi()
    assert {"reqMktData", "cancelMktData", "placeOrder", "calculateOptionPrice", "setServerLogLevel"} <= requests
    assert not requests & {"run", "connect", "startApi", "sendMsg", "verifyRequest", "isConnected"}
    assert not {name for name in requests if name.endswith("ProtoBuf")} - {"reqConfigProtoBuf", "updateConfigProtoBuf"}


def test_a_request_that_the_table_lacks_is_named(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def req_weather(self: Any) -> None:
        self.sendMsg("weather")

    monkeypatch.setattr(EClient, "reqWeather", req_weather, raising=False)
    assert cli.main(["doctor"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].strip() == "reqWeather"
    assert lines[-2].endswith(f"of the {len(_coverage.requests_of_ibapi())} of this ibapi; it lacks")
