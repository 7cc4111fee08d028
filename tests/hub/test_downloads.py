"""Models from the Hub by the command line: revisions, offline the second time, what is said where one is missing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hub_stand_in import HubStandIn

RUN = "import sys; from agir_hf.cli import main; sys.exit(main(sys.argv[1:]))"
REPO = "lab/model"


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tiny_models import make_walk

    path = tmp_path_factory.mktemp("walk") / "walk.npz"
    clip = make_walk(3.0)
    np.savez(path, joints_m=clip.joints_m, frame_rate_hz=clip.frame_rate_hz)
    return path


@pytest.fixture(scope="module")
def hub(tiny_assessor: Path) -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        pushed = stand_in.run(RUN, "push", "model", str(tiny_assessor), REPO)
        assert pushed.returncode == 0, pushed.stderr
        tagged = stand_in.run(f"from huggingface_hub import HfApi; HfApi().create_tag({REPO!r}, tag='v1')")
        assert tagged.returncode == 0, tagged.stderr
        yield stand_in


def test_a_result_names_the_commit_and_the_second_time_needs_no_network(
    hub: HubStandIn, walk: Path, tmp_path: Path
) -> None:
    asked = (RUN, "assess", str(walk), "--model", REPO, "--revision", "v1", "--format", "json")
    first = hub.run(*asked, variables={"HF_HOME": str(tmp_path)})
    assert first.returncode == 0, first.stderr
    model = json.loads(first.stdout)["model"]
    commit = hub.commit(REPO)
    assert model == f"{REPO}@{commit}"
    before = len(hub.calls)
    offline = hub.run(*asked, variables={"HF_HOME": str(tmp_path), "HF_HUB_OFFLINE": "1"})
    assert offline.returncode == 0, offline.stderr
    assert offline.stdout == first.stdout and len(hub.calls) == before


def _said(hub: HubStandIn, walk: Path, *options: str, **how: object) -> str:
    done = hub.run(RUN, "assess", str(walk), *options, **how)  # type: ignore[arg-type]
    assert done.returncode == 2 and done.stdout == ""
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_what_cannot_be_had_is_said_with_what_to_do(hub: HubStandIn, walk: Path) -> None:
    assert "check the name; if it is private, sign in" in _said(hub, walk, "--model", "lab/nothing")
    assert "check the name; if it is private, sign in" in _said(hub, walk, "--model", REPO, signed_in=False)
    assert "no revision 'v9': it has main, v1" in _said(hub, walk, "--model", REPO, "--revision", "v9")
    offline = _said(hub, walk, "--model", REPO, variables={"HF_HUB_OFFLINE": "1"})
    assert "not downloaded yet and HF_HUB_OFFLINE is set" in offline


def test_a_gated_repository_says_where_to_ask(tiny_assessor: Path, walk: Path) -> None:
    with HubStandIn() as hub:
        assert hub.run(RUN, "push", "model", str(tiny_assessor), REPO).returncode == 0
        hub.gate(REPO)
        said = _said(hub, walk, "--model", REPO)
        assert f"{REPO} is gated: ask for access at {hub.endpoint}/{REPO}" in said


@pytest.mark.slow
def test_a_hub_that_is_not_there_is_said(walk: Path) -> None:
    with HubStandIn() as hub:  # only for its environment; huggingface_hub asks six times and says so
        done = hub.run(RUN, "assess", str(walk), "--model", REPO, variables={"HF_ENDPOINT": "http://127.0.0.1:9"})
    assert done.returncode == 2 and "the Hub cannot be reached" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_a_dataset_that_cannot_be_had_is_said(hub: HubStandIn) -> None:
    done = hub.run(RUN, "evaluate", "--data", "lab/no-walks")
    assert done.returncode == 2 and "the Hub shows no dataset lab/no-walks" in done.stderr
