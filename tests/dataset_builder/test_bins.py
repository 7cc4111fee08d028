"""The limits that words begin at: fitted on training subjects only, by a rule with a known answer."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from agir_hf.gait import PARAMETER_NAMES
from agir_hf.rationale.bins import BINS_VERSION, FITTED, PLACES, SCALES, bins_of
from agir_hf.rationale.measures import GROUPS
from dataset_builder.bins import SubjectMeasures, limits_from
from dataset_builder.cli import main
from dataset_builder.examples import example_features
from dataset_builder.manifest import Manifest, file_entry

PACKAGED = Path("agir_hf/rationale/bins.json")


def packaged() -> dict:
    return json.loads((Path(__file__).parents[2] / PACKAGED).read_text(encoding="utf-8"))


def test_the_packaged_limits_are_whole_and_in_order() -> None:
    file = packaged()
    assert file["version"] == BINS_VERSION
    wanted = {
        group: {place for place in PLACES if scale.limit(place) == FITTED}
        for group, scale in SCALES.items()
        if FITTED in {scale.limit(place) for place in PLACES}
    }
    assert {group: set(limits) for group, limits in file["limits"].items()} == wanted
    assert file["fitted_on"]["simulated"] is True and file["fitted_on"]["reference_subjects"] >= 100
    for group, bins in bins_of(file["limits"]).items():
        assert list(bins.limits) == sorted(set(bins.limits)), group
        assert len(bins.words) == len(bins.limits) + 1


def test_limits_of_a_known_cohort() -> None:
    even = np.arange(0.0, 101.0)  # percentiles are the numbers themselves
    numbers = {group: even for group in GROUPS}
    limits = limits_from(SubjectMeasures(numbers, numbers, 101, 101))
    assert limits["step_width"] == {"low": 6.7, "high": 93.3}
    assert limits["stride_time_cv"] == {"high": 93.3}
    # Inner limits of 6.7 and 93: below lie 0 to 6, above 94 to 100.
    assert limits["foot_clearance"] == {"very_low": 3.0, "low": 6.7}
    assert limits["trunk_flexion"] == {"high": 93.0, "very_high": 97.0}
    # Published inner limits: below 26 degrees lie 0 to 25, beyond 2.8 s 3 to 100.
    assert limits["arm_swing"] == {"very_low": 12.0}
    assert limits["turn_duration"] == {"very_high": 51.5}


def _dataset(folder: Path, people: int) -> None:
    """Training people with score 0 whose every measure is their number; others, far off, who must not count."""
    from datasets import Dataset

    def row(subject: int, walk: int, split: str, score: int | None, value: float) -> dict:
        parameters = {name: {"value": value, "reason": None, "low_confidence": None} for name in PARAMETER_NAMES}
        return {
            **{"clip_id": f"{split}-{subject}-{walk}", "subject_id": f"{split}-{subject}", "cohort": "made up"},
            **{"split": split, "licence": "mit", "frame_rate_hz": 100.0, "score": score, "clip_sha256": ""},
            **{"joints_m": np.zeros((2, 22, 3), np.float32), "gait_parameters": parameters},
            **{"evidence": "", "description": "", "rationale": "", "metadata": None},
            "quality": {"walking": True, "strides": 3, "steady_strides": 3, "joints_filled": [], "warnings": []},
        }

    (folder / "data").mkdir(parents=True)
    files = {}
    for split, rows in {
        # Three walks: their median counts, not the outlier.
        "train": [row(p, w, "train", 0, v) for p in range(people) for w, v in enumerate((float(p), float(p), 9999.0))]
        + [row(p, 0, "train", None, 1e6) for p in range(500, 540)],
        "test": [row(p, 0, "test", 0, -1e6) for p in range(people)],
    }.items():
        path = folder / "data" / f"{split}.parquet"
        Dataset.from_list(rows, features=example_features()).to_parquet(str(path))
        files[f"data/{split}.parquet"] = file_entry(path, split)
    Manifest("made_up", {"options": {}}, "0", "mit", "", True, files).write(folder)


def test_only_training_subjects_with_a_score_count(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _dataset(tmp_path, people=101)
    assert main(["bins", str(tmp_path), "--source", "made_up", "--version", "7"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["version"] == "7"
    assert found["fitted_on"]["training_subjects"] == found["fitted_on"]["reference_subjects"] == 101
    assert found["limits"]["step_width"] == {"low": 6.7, "high": 93.3}
    assert found["limits"]["foot_clearance"] == {"very_low": 300.0, "low": 646.7}  # both sides, in centimetres


def test_too_few_people_are_no_cohort(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    _dataset(tmp_path, people=12)
    assert main(["bins", str(tmp_path), "--source", "made_up", "--version", "7"]) == 2
    assert "found 12" in capsys.readouterr().err
    assert main(["bins", str(tmp_path), "--source", "other", "--version", "7"]) == 2
