"""The matrix of calls, each in a clean process, with and without the package; every run of the tests makes a few."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from call_matrix import CALLS, WITH, WITHOUT, Call, repositories, run_call
from hub_stand_in import HubStandIn


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[HubStandIn, Path]]:
    folder = tmp_path_factory.mktemp("matrix")
    with HubStandIn() as hub, repositories(hub, folder):
        yield hub, folder
        assert hub.unknown_calls == []


# Every run of the tests makes the quick call where more can go wrong: without the package.
@pytest.mark.parametrize(
    ("call", "where"),
    [
        pytest.param(
            call, where, id=f"{call.name}-{where}", marks=() if call.quick and where == WITHOUT else pytest.mark.slow
        )
        for call in CALLS
        for where in (WITH, WITHOUT)
    ],
)
def test_call(place: tuple[HubStandIn, Path], call: Call, where: str) -> None:
    if where not in call.where:
        pytest.skip("does not apply")
    if call.needs and find_spec(call.needs) is None:
        pytest.skip(f"needs {call.needs}")
    hub, folder = place
    assert run_call(hub, call, where, folder) == ""
