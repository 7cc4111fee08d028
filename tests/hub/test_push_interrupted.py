"""Pushes cut off at any request: the next one makes the repository whole, and nothing is public before it is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from hub_stand_in import HubStandIn

PUSH = "import sys; from agir_hf.cli import main; sys.exit(main(['push', 'model', *sys.argv[1:]]))"
LOAD = """
import agir_hf
from transformers import AutoModelForCausalLM, AutoProcessor
model = AutoModelForCausalLM.from_pretrained("lab/model")
AutoProcessor.from_pretrained("lab/model").attach(model)
print(type(model).__name__)
"""
REPO = "lab/model"
FAULTS = ("killed", "killed after")


@pytest.fixture
def hub() -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def undisturbed(tiny_assessor: Path) -> tuple[int, dict[str, bytes]]:
    """How many calls a push takes that nothing disturbs, and what it leaves."""
    with HubStandIn() as stand_in:
        pushed = stand_in.run(PUSH, str(tiny_assessor), REPO, "--public")
        assert pushed.returncode == 0, pushed.stderr
        return len(stand_in.calls), stand_in.files(REPO)


def _cut_off_and_again(hub: HubStandIn, folder: Path, undisturbed: tuple[int, dict[str, bytes]], seed: int) -> None:
    (calls, whole), rng = undisturbed, random.Random(seed)
    fault, after = rng.choice(FAULTS), rng.randrange(calls)
    hub.fail(fault, after=after)  # type: ignore[arg-type]
    assert hub.run(PUSH, str(folder), REPO, "--public").returncode != 0, (fault, after)
    # Killed after the last call, the work is done though nobody was told.
    assert not hub.is_public(REPO) or hub.files(REPO) == whole, (fault, after)
    uploaded, before = set(hub.large_files()), len(hub.calls)
    again = hub.run(PUSH, str(folder), REPO, "--public")
    assert again.returncode == 0, again.stderr
    assert hub.is_public(REPO) and hub.files(REPO) == whole, (fault, after)
    sent = {path.rpartition("/")[2] for method, path in hub.calls[before:] if method == "PUT" and "/lfs/" in path}
    assert not sent & uploaded, "what was there already was sent again"


@pytest.mark.parametrize("seed", range(2))
def test_a_push_that_was_cut_off_is_made_whole_by_the_next(
    hub: HubStandIn, tiny_assessor: Path, undisturbed: tuple[int, dict[str, bytes]], seed: int
) -> None:
    _cut_off_and_again(hub, tiny_assessor, undisturbed, seed)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 120))
def test_twenty_pushes_cut_off_at_random_are_made_whole_and_load(
    hub: HubStandIn, tiny_assessor: Path, undisturbed: tuple[int, dict[str, bytes]], seed: int
) -> None:
    _cut_off_and_again(hub, tiny_assessor, undisturbed, seed)
    loaded = hub.run(LOAD, signed_in=False)
    assert loaded.returncode == 0, loaded.stderr
    assert loaded.stdout.strip() == "AgirForGaitAssessment"


@pytest.mark.slow
def test_a_public_repository_holds_the_old_or_the_new_files_and_nothing_between(
    hub: HubStandIn, assessor_copy: Path
) -> None:
    repo = "lab/updated"
    assert hub.run(PUSH, str(assessor_copy), repo, "--public").returncode == 0
    old = hub.files(repo)
    card = assessor_copy / "README.md"
    card.write_text(card.read_text(encoding="utf-8").replace("Random", "Other"), encoding="utf-8")
    (assessor_copy / "NOTICE").write_text("Something new.\n", encoding="utf-8")
    seen = []
    for after in (2, 4, 5, 6):  # around the commit
        hub.fail("killed", after=after)
        hub.run(PUSH, str(assessor_copy), repo, "--public")
        seen.append(hub.files(repo))
    hub.fail("killed", times=0)
    assert hub.run(PUSH, str(assessor_copy), repo, "--public").returncode == 0
    new = hub.files(repo)
    assert b"Other weights" in new["README.md"] and "NOTICE" in new
    assert all(files in (old, new) for files in seen) and old in seen


@pytest.mark.parametrize(
    "fault", ["dropped", *(pytest.param(one, marks=pytest.mark.slow) for one in ("unavailable", "dropped after"))]
)
def test_a_hub_that_fails_for_a_moment_is_asked_again(hub: HubStandIn, tiny_assessor: Path, fault: str) -> None:
    repo = f"lab/{fault.replace(' ', '-')}"
    hub.fail(fault, after=1, times=2)  # type: ignore[arg-type]
    pushed = hub.run(PUSH, str(tiny_assessor), repo)
    assert pushed.returncode == 0, pushed.stderr
    assert "model.safetensors.index.json" in hub.files(repo) and not hub.is_public(repo)
    assert hub.unknown_calls == []
