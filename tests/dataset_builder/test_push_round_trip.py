"""A built dataset pushed in one process and loaded in another, from the Hub stand-in: the same rows and features."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from datasets import Features, load_dataset
from hub_stand_in import HubStandIn
from test_publish import assert_nothing_of_care_pd, both

from agir_hf import packaged_checkpoint
from dataset_builder.codes import build_codes, code_features
from dataset_builder.examples import example_features
from dataset_builder.manifest import read_manifests

__all__ = ["both"]  # the fixture: a folder with a source that may be shared and one that may not

REPO = "tester/gait"
PUSH = "import sys; from dataset_builder.cli import main; sys.exit(main(['push', *sys.argv[1:]]))"
LOAD = """
import hashlib, json, sys
from datasets import get_dataset_config_names, load_dataset

repo = sys.argv[1]
seen = {}
for name in get_dataset_config_names(repo):
    for split, rows in load_dataset(repo, name).items():
        streamed = load_dataset(repo, name, split=split, streaming=True)
        seen[f"{name}/{split}"] = {
            "features": rows.features.to_dict(),
            "streamed_features": streamed.features.to_dict(),
            "rows": [hashlib.sha256(repr(row).encode()).hexdigest() for row in rows],
            "streamed": [row["clip_id"] for row in streamed],
        }
print(json.dumps(seen))
"""


@pytest.fixture(scope="module")
def output(both: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder with motion codes of the source that may be shared, and of the one that may not."""
    folder = tmp_path_factory.mktemp("round_trip") / "out"
    shutil.copytree(both, folder)
    for name in ("simulated", "care_pd"):
        build_codes(folder, name, str(packaged_checkpoint("agir-tiny")))
    return folder


@pytest.fixture(scope="module")
def hub(output: Path) -> Iterator[HubStandIn]:
    with HubStandIn() as stand_in:
        pushed = stand_in.run(PUSH, str(output), "--repo", REPO)
        assert pushed.returncode == 0, pushed.stderr
        assert "files uploaded" in pushed.stdout
        yield stand_in
        assert stand_in.unknown_calls == []


def loaded(hub: HubStandIn) -> dict[str, Any]:
    found = hub.run(LOAD, REPO)
    assert found.returncode == 0, found.stderr
    seen: dict[str, Any] = json.loads(found.stdout.splitlines()[-1])
    return seen


def test_rows_and_features_come_back_as_they_were(hub: HubStandIn, output: Path) -> None:
    seen = loaded(hub)
    assert {name.split("/")[0] for name in seen} == {"simulated", "simulated_motion_codes"}
    assert {name for name in seen if name.startswith("simulated/")} == {
        f"simulated/{split}" for split in ("train", "validation", "test")
    }
    for key, there in seen.items():
        name, split = key.split("/")
        here = load_dataset(str(output), name, split=split)
        expected = code_features() if name.endswith("codes") else example_features()
        assert Features.from_dict(there["features"]) == Features.from_dict(there["streamed_features"]) == expected
        assert there["rows"] == [hashlib.sha256(repr(row).encode()).hexdigest() for row in here]
        assert there["streamed"] == list(here["clip_id"])


def test_nothing_of_the_guarded_source_is_there(hub: HubStandIn, output: Path) -> None:
    files = hub.files(REPO, repo_type="dataset")
    assert_nothing_of_care_pd({n: c for n, c in files.items() if "motion_codes" not in n}, output)
    assert [name for name in files if "care_pd_motion_codes" in name] == ["recipes/care_pd_motion_codes.json"]
    recipe = json.loads(files["recipes/care_pd_motion_codes.json"])
    assert all(set(clip) == {"clip_id", "clip_sha256"} for clip in recipe["clips"])
    guarded = {m.name for m in read_manifests(output) if not m.may_be_shared}
    assert guarded == {"care_pd", "care_pd_motion_codes"}


def test_a_second_push_replaces_what_was_there(hub: HubStandIn, output: Path, tmp_path: Path) -> None:
    before = hub.files(REPO, repo_type="dataset")
    smaller = tmp_path / "smaller"
    shutil.copytree(output, smaller)
    shutil.rmtree(smaller / "data" / "simulated_motion_codes")
    (smaller / "manifests" / "simulated_motion_codes.json").unlink()
    assert hub.run(PUSH, str(smaller), "--repo", REPO).returncode == 0
    after = hub.files(REPO, repo_type="dataset")
    gone = set(before) - set(after)
    assert gone and all("simulated_motion_codes" in name for name in gone)
    assert not any("simulated_motion_codes" in name for name in after)
    same = {name for name in after if name != "README.md"}
    assert all(after[name] == before[name] for name in same)
    assert {name.split("/")[0] for name in loaded(hub)} == {"simulated"}


def test_private_unless_it_is_allowed(hub: HubStandIn, output: Path) -> None:
    assert hub.run(LOAD, REPO, signed_in=False).returncode != 0  # pushed without --public
    refused = hub.run(PUSH, str(output), "--repo", "tester/open", "--public")
    assert refused.returncode == 2 and "--i-have-permission" in refused.stderr
    with pytest.raises(KeyError):
        hub.files("tester/open", repo_type="dataset")
    allowed = hub.run(PUSH, str(output), "--repo", "tester/open", "--public", "--i-have-permission")
    assert allowed.returncode == 0, allowed.stderr
    assert hub.run(LOAD, "tester/open", signed_in=False).returncode == 0
