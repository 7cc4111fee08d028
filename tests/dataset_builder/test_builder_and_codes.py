"""The builder class for use in code, and motion codes as a configuration of their own."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from datasets import load_dataset
from folders import contents

from agir_hf import packaged_checkpoint
from agir_hf.clip import MotionClip
from agir_hf.errors import AgirError
from agir_hf.feature_extraction_agir import AgirFeatureExtractor
from agir_hf.modeling_agir_motion_tokenizer import AgirMotionTokenizer
from dataset_builder import GaitRationaleBuilder
from dataset_builder.build import build
from dataset_builder.cli import main
from dataset_builder.codes import code_features
from dataset_builder.examples import example_features
from dataset_builder.executors import ExecutorSettings
from dataset_builder.manifest import read_manifest
from dataset_builder.recipe import BuildRecipe
from dataset_builder.sources import SimulatedSource


def test_the_builder_gives_what_the_command_writes(built: Path, recipe: BuildRecipe, tmp_path: Path) -> None:
    builder = GaitRationaleBuilder(recipe, cache_dir=str(tmp_path / "cache"))
    assert builder.hash == recipe.sha256()
    builder.download_and_prepare()
    data = builder.as_dataset()
    expected = load_dataset(str(built))
    assert set(data) == set(expected)
    for split in data:
        assert data[split].features == example_features()
        for found, wanted in zip(data[split].with_format("numpy"), expected[split].with_format("numpy"), strict=True):
            assert np.array_equal(found.pop("joints_m"), wanted.pop("joints_m"))
            assert repr(found) == repr(wanted)
    other = GaitRationaleBuilder(
        BuildRecipe(SimulatedSource(people=10, walks=2, seed=6), seed=5, clips_per_shard=6),
        cache_dir=str(tmp_path / "cache"),
    )
    assert other.cache_dir != builder.cache_dir


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The packaged tokenizer with its feature extractor, in a folder of its own."""
    folder = tmp_path_factory.mktemp("tokenizer")
    model = packaged_checkpoint("agir-tiny")
    AgirMotionTokenizer.from_pretrained(model).save_pretrained(folder)
    AgirFeatureExtractor.from_pretrained(model).save_pretrained(folder)
    return folder


def test_codes_are_keyed_by_the_weights_and_made_anew_with_others(
    built: Path, tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    output = tmp_path / "out"
    shutil.copytree(built, output)
    request = ["codes", str(output), "--source", "simulated", "--codes"]
    assert main([*request, str(tokenizer)]) == 0
    assert "20 clips encoded, 0 failures" in capsys.readouterr().out
    codes = load_dataset(str(output), "simulated_motion_codes")
    assert {split: codes[split].features for split in codes} == dict.fromkeys(codes, code_features())
    motion = load_dataset(str(output), "simulated", split="test").with_format("numpy")
    assert list(codes["test"]["clip_id"]) == list(motion["clip_id"])
    model, extractor = (
        AgirMotionTokenizer.from_pretrained(tokenizer).eval(),
        AgirFeatureExtractor.from_pretrained(tokenizer),
    )
    for row, clip in zip(codes["test"], motion, strict=True):
        features = extractor(MotionClip(clip["joints_m"], float(clip["frame_rate_hz"])))["motion_features"]
        assert row["motion_codes"] == model.encode(features)[0].tolist() and row["clip_sha256"] == clip["clip_sha256"]
    before = contents(output)
    assert main([*request, str(tokenizer)]) == 0 and contents(output) == before
    assert "already there" in capsys.readouterr().out
    # The whole repository has the same tokenizer.
    assert main([*request, str(packaged_checkpoint("agir-tiny"))]) == 0 and contents(output) == before
    with torch.no_grad():
        model.motion_codebook.codebook += 0.5
    model.save_pretrained(tmp_path / "changed")
    extractor.save_pretrained(tmp_path / "changed")
    capsys.readouterr()
    assert main([*request, str(tmp_path / "changed")]) == 0
    assert "20 clips encoded" in capsys.readouterr().out
    old = json.loads(before["manifests/simulated_motion_codes.json"])["recipe"]["tokenizer_sha256"]
    new = load_dataset(str(output), "simulated_motion_codes", split="train")
    assert set(new["tokenizer_sha256"]).isdisjoint({old}) and main(["validate", str(output)]) == 0


def test_codes_of_motion_that_is_gone_go_too(built: Path, tokenizer: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    shutil.copytree(built, output)
    assert main(["codes", str(output), "--source", "simulated", "--codes", str(tokenizer)]) == 0
    build(BuildRecipe(SimulatedSource(3, 1, 9), seed=9), output, ExecutorSettings())
    assert read_manifest(output, "simulated_motion_codes") is None
    assert not (output / "data" / "simulated_motion_codes").exists()
    assert "motion_codes" not in (output / "README.md").read_text(encoding="utf-8")


def test_no_tokenizer_and_no_source_are_one_clear_line(
    built: Path, tokenizer: Path, tmp_path: Path, capsys: pytest.CaptureFixture
) -> None:
    with pytest.raises(AgirError, match="expected a motion tokenizer"):
        from dataset_builder.codes import build_codes

        build_codes(built, "simulated", str(tmp_path))
    assert main(["codes", str(built), "--source", "care_pd", "--codes", str(tokenizer)]) == 2
    assert "expected a built source" in capsys.readouterr().err
