"""The report on an installation: with one ibapi, with none, with two, and with one that the table does not know."""

from __future__ import annotations

from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError
from typing import Any

import pytest
from ibapi.client import EClient

from trio_ibtws import cli
from trio_ibtws._cli import _doctor
from trio_ibtws._runtime import _installed


def report(capsys: pytest.CaptureFixture[str]) -> dict[str, str]:
    """Return the lines of the report by the name that each begins with."""
    lines = capsys.readouterr().out.splitlines()
    return {line.split()[0]: line.partition(" ")[2].strip() for line in lines if not line.startswith(" ")}


def install(monkeypatch: pytest.MonkeyPatch, **distributions: str) -> None:
    """Make it look as if these distributions of ibapi, and no others, were installed."""
    known = {name.replace("_", "-"): version for name, version in distributions.items()}

    def version(name: str) -> str:
        if name in known:
            return known[name]
        raise PackageNotFoundError(name)

    def find_spec(name: str) -> ModuleSpec | None:
        return ModuleSpec(name, None) if known else None

    monkeypatch.setattr(_installed, "version", version)
    monkeypatch.setattr(_installed, "find_spec", find_spec)


def test_a_sound_installation(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["doctor"]) == 0
    said = report(capsys)
    assert said["python"].startswith("3.")
    assert said["trio"][0].isdigit()
    assert "speaks server versions up to" in said["ibapi"]
    assert said["requests"] == f"the table has all {len(_doctor.requests_of_ibapi())} of this ibapi"


def test_no_ibapi(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch)
    assert cli.main(["doctor"]) == 1
    said = report(capsys)
    assert said["ibapi"].startswith("PROBLEM: ")
    assert "pip install 'trio-ibtws[stable]'" in said["ibapi"]
    assert "requests" not in said


def test_two_distributions(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    install(monkeypatch, ibapi="9.81.1.post1", ibapi_stable="10.50.2")
    assert cli.main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "ibapi        ibapi 9.81.1.post1, ibapi-stable 10.50.2\n" in out
    assert "PROBLEM: 2 distributions" in out
    assert "pip uninstall -y ibapi ibapi-stable" in out


def test_the_requests_of_ibapi() -> None:
    requests = _doctor.requests_of_ibapi()
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
    assert lines[-2].endswith(f"of the {len(_doctor.requests_of_ibapi())} of this ibapi; it lacks")
