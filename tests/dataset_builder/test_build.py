"""A build: its bytes do not depend on workers or on being stopped, and ``load_dataset`` gives back what was written."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest
from datasets import load_dataset
from folders import contents

from agir_hf.errors import AgirError
from agir_hf.gait import measure_gait
from agir_hf.rationale import StoredParameters
from agir_hf.rationale.bins import BINS_VERSION
from dataset_builder.build import build, report_of
from dataset_builder.cli import main
from dataset_builder.examples import example_features
from dataset_builder.executors import ExecutorSettings, missing_shards, run_shards
from dataset_builder.manifest import read_manifest, read_manifests
from dataset_builder.recipe import BuildRecipe
from dataset_builder.shards import is_whole, plan_shards
from dataset_builder.sources import SimulatedSource

ROOT = Path(__file__).resolve().parents[2]


def command(output: Path, workers: int) -> list[str]:
    return [
        *(sys.executable, "-m", "dataset_builder", "build", "--source", "simulated", "--people", "10", "--walks", "2"),
        *("--output", str(output), "--workers", str(workers), "--seed", "5", "--clips-per-shard", "6"),
    ]


def test_two_workers_make_the_same_bytes(built: Path, tmp_path: Path) -> None:
    done = subprocess.run(command(tmp_path / "two", 2), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "two") == contents(built)
    assert "simulated: built, " in done.stdout and not list((tmp_path / "two").glob(".build-*"))


def test_a_build_killed_at_any_moment_goes_on(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "killed"
    for shards in (1, 3):
        process = subprocess.Popen(
            command(output, 1), cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        while len(list(output.glob(".build-*/shards/*.parquet"))) < shards and process.poll() is None:
            time.sleep(0.01)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    done = subprocess.run(command(output, 1), cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert contents(output) == contents(built)


def test_completed_shards_are_not_repeated(recipe: BuildRecipe, tmp_path: Path) -> None:
    staging, logs = tmp_path / "shards", tmp_path / "logs"
    staging.mkdir()
    assert run_shards(recipe, staging, logs, ExecutorSettings()) == []
    shards = plan_shards(recipe)
    times = {shard.index: shard.path(staging).stat().st_mtime_ns for shard in shards}
    # A marker that outlived its shard, a shard whose marker was lost, and one cut off in the middle.
    shards[0].path(staging).unlink()
    (logs / "completions" / "00001").unlink()
    whole = shards[2].path(staging).read_bytes()
    shards[2].path(staging).write_bytes(whole[: len(whole) // 2])
    assert [shard.index for shard in missing_shards(recipe, staging)] == [0, 2]
    assert run_shards(recipe, staging, logs, ExecutorSettings()) == []
    changed = {shard.index for shard in shards if shard.path(staging).stat().st_mtime_ns != times[shard.index]}
    assert changed == {0, 2}
    assert shards[2].path(staging).read_bytes() == whole


def test_a_finished_build_is_left_alone_and_a_damaged_one_is_made_again(
    built: Path, recipe: BuildRecipe, tmp_path: Path
) -> None:
    output = tmp_path / "again"
    shutil.copytree(built, output)
    (output / "README.md").unlink()
    assert build(recipe, output, ExecutorSettings()).status == "already built"
    assert contents(output) == contents(built)
    next((output / "data" / "simulated").glob("train-*")).unlink()
    assert build(recipe, output, ExecutorSettings()).status == "built"
    assert contents(output) == contents(built)


def test_another_recipe_takes_the_place_of_the_old_data(built: Path, tmp_path: Path) -> None:
    output = tmp_path / "changed"
    shutil.copytree(built, output)
    other = BuildRecipe(SimulatedSource(people=5, walks=1, seed=6), seed=6, clips_per_shard=6)
    assert build(other, output, ExecutorSettings()).status == "built"
    manifest = read_manifest(output, "simulated")
    assert manifest is not None and manifest.recipe_sha256 == other.sha256() and manifest.is_whole(output)
    assert {p.relative_to(output).as_posix() for p in output.rglob("*.parquet")} == set(manifest.files)


def test_shards_hold_one_split_and_fixed_ranges(recipe: BuildRecipe) -> None:
    shards = plan_shards(recipe)
    assert [shard.index for shard in shards] == list(range(len(shards)))
    assert all({r.split for r in shard.references} == {shard.split} for shard in shards)
    assert sum(len(shard.references) for shard in shards) == 20
    assert [s.file_name for s in shards][:3] == [f"train-{i:05d}-of-00003.parquet" for i in range(3)]


def test_load_dataset_restores_every_feature(built: Path) -> None:
    data = load_dataset(str(built))
    assert set(data) == {"train", "validation", "test"}
    for split in data.values():
        assert split.features == example_features()
    assert data["train"].num_rows == 16
    row = data["train"].with_format("numpy")[0]
    assert row["joints_m"].dtype == np.float32 and row["joints_m"].shape[1:] == (22, 3)
    scored = [score for score in data["train"]["score"] if score is not None]
    assert data["train"].filter(lambda r: r["score"] is not None).num_rows == len(scored) >= 8
    mapped = data["train"].map(lambda r: {"frames": len(r["joints_m"])})
    assert mapped.features["joints_m"] == example_features()["joints_m"]
    streamed = load_dataset(str(built), "simulated", split="test", streaming=True)
    assert streamed.features == example_features()
    assert [r["clip_id"] for r in streamed] == list(data["test"]["clip_id"])


def test_every_row_is_what_the_source_and_the_measuring_say(built: Path, recipe: BuildRecipe) -> None:
    rows = load_dataset(str(built), split="test").with_format("numpy")
    references = {r.clip_id: r for r in recipe.source.references()}
    for row in rows:
        clip = recipe.source.read(references[row["clip_id"]])
        assert np.array_equal(row["joints_m"], clip.clip.joints_m)
        assert row["score"] == clip.score and row["frame_rate_hz"] == clip.clip.frame_rate_hz
        assert StoredParameters.from_row(row) == StoredParameters.from_measured(measure_gait(clip.clip))
        assert row["metadata"]["bins_version"] == BINS_VERSION and row["licence"] == "apache-2.0"


def test_report_manifest_and_card_hold_no_machine_and_no_time(built: Path) -> None:
    report = report_of(built, "simulated")
    assert report["examples"] == sum(split["examples"] for split in report["splits"].values()) == 20
    assert report["variety"]["rationale"]["different_texts"] == 20
    assert {f["kind"] for f in report["failures"]} <= {"class_balance"}
    markdown = (built / "reports" / "simulated.md").read_text(encoding="utf-8")
    assert markdown.count("| noted |") == len(report["failures"])
    everything = " ".join(p.read_text(encoding="utf-8") for p in built.rglob("*") if p.suffix in (".json", ".md"))
    assert str(built) not in everything and "worker" not in json.dumps(report)
    assert ElementTree.fromstring((built / "reports" / "simulated.svg").read_text(encoding="utf-8")).tag.endswith("svg")
    card = (built / "README.md").read_text(encoding="utf-8")
    assert card.startswith("---\n") and "license: apache-2.0" in card and "simulated scores" in card


def test_validate_finds_what_was_changed_afterwards(built: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["validate", str(built)]) == 0
    assert "20 examples in" in capsys.readouterr().out
    output = tmp_path / "damaged"
    shutil.copytree(built, output)
    first, second = sorted((output / "data" / "simulated").glob("train-*"))[:2]
    first.unlink()
    shutil.copyfile(second, first)
    assert main(["validate", str(output)]) == 1
    assert "expected the content that was built" in capsys.readouterr().err


def test_wrong_requests_are_one_clear_line(tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    assert main(["build", "--source", "simulated", "--people", "0", "--output", str(tmp_path / "x")]) == 2
    assert main(["validate", str(tmp_path)]) == 2
    slurm = ["--executor", "slurm", "--people", "1", "--walks", "1"]
    assert main(["build", "--source", "simulated", *slurm, "--output", str(tmp_path / "y")]) == 2
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 3 and all(line.startswith("error: expected") for line in lines)
    with pytest.raises(AgirError):
        read_manifests(tmp_path)


def test_a_half_written_file_is_not_whole(built: Path, tmp_path: Path) -> None:
    content = next((built / "data" / "simulated").glob("test-*")).read_bytes()
    path = tmp_path / "half.parquet"
    assert not is_whole(path)
    for length in (0, 10, len(content) - 1):
        path.write_bytes(content[:length])
        assert not is_whole(path)
    path.write_bytes(content)
    assert is_whole(path)
