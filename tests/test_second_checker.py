"""The second checker passes a faultless text and finds each planted fault, whatever the wording."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MEASURES: dict[str, Any] = {
    "walking_speed_mps": 0.665,
    "cadence_spm": 82.7,
    "stride_length_m": 0.965,
    "stride_time_cv_percent": None,
    "step_length_left_m": 0.546,
    "step_length_right_m": 0.422,
    "step_length_asymmetry_percent": 22.7,
    "step_width_m": 0.111,
    "arm_swing_left_deg": 28.9,
    "arm_swing_right_deg": 41.2,
    "arm_swing_asymmetry_percent": 29.9,
    "trunk_flexion_deg": 0.5,
    "foot_clearance_left_m": 0.065,
    "foot_clearance_right_m": 0.061,
    "foot_strike_angle_left_deg": 17.3,
    "foot_strike_angle_right_deg": 24.3,
    "turn_duration_180_s": None,
    "freezing_episodes": None,
}
NORMS = """measure,unit,healthy_older_mean,healthy_older_sd
walking_speed,m/s,1.24,0.18
stride_length,m,1.33,0.11
cadence,steps/min,113.8,4.3
arm_swing_range_of_motion,deg,42.3,3.2
foot_strike_angle,deg,23.1,4.0
"""
TEXT = (
    "The person walks at 0.67 m/s, taking strides of 0.97 m. "
    "The left step is 0.55 m long, longer than the right (0.42 m). "
    "Foot clearance is about equal, 6.5 cm left and 6.1 cm right. "
    "On the left, the foot-strike angle is 17 degrees, smaller than on the right (24 degrees). "
    "The left arm swings less than the right, 29 degrees against 41 degrees. "
    "Below the usual range: walking speed (mean 1.24 m/s), stride length, left arm swing. "
    "Foot-strike angle is within the usual range. Asymmetry shows in arm swing (30 percent). "
    "Cadence is 83 steps/min, below the usual range. Trunk flexion is 0 degrees. Turning speed could not be measured. "
    "Of the 5 rated aspects measured, 3 are reduced: walking speed, stride length and arm swing; "
    "foot lift and heel strike are preserved."
)
FAULTS = {
    "number": ("0.67 m/s", "0.76 m/s"),
    "invented decimals": ("0.97 m.", "0.951 m."),
    "sides of numbers": ("6.5 cm left and 6.1 cm right", "6.1 cm left and 6.5 cm right"),
    "sides of a pair": ("29 degrees against 41 degrees", "41 degrees against 29 degrees"),
    "unit": ("0.55 m long", "0.55 cm long"),
    "unit of another dimension": ("strides of 0.97 m.", "strides of 0.97 m/s."),
    "comparison": ("longer than", "shorter than"),
    "comparison by side": ("smaller than on", "larger than on"),
    "equality": (
        "The left arm swings less than the right, 29",
        "The arms swing about equally, left 29 degrees, right 29",
    ),
    "norm direction": ("Cadence is 83 steps/min, below", "Cadence is 83 steps/min, above"),
    "norm, within": ("Foot-strike angle is within", "Stride length is within"),
    "norm mean": ("mean 1.24 m/s", "mean 1.42 m/s"),
    "norm without a row": ("Foot-strike angle is within", "Foot clearance is within"),
    "measure without a value": ("Trunk flexion is 0 degrees", "Stride time variability is 2.1 percent"),
    "invented measure": ("Trunk flexion is 0 degrees", "Hip rotation is 12 degrees"),
    "count": ("3 are reduced", "2 are reduced"),
    "count of aspects": ("Of the 5", "Of the 6"),
    "aspect": ("3 are reduced: walking speed, stride length", "3 are reduced: walking speed, heel strike"),
    "missing value": ("Turning speed could", "Arm swing could"),
    "asymmetry": ("(30 percent)", "(13 percent)"),
}


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    path = Path(__file__).resolve().parents[1] / "benchmarks" / "second_checker.py"
    spec = importlib.util.spec_from_file_location("second_checker", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def run(
    checker: ModuleType, folder: Path, capsys: pytest.CaptureFixture[str], text: str, removed: tuple[str, ...] = ()
) -> tuple[int, dict[str, Any]]:
    """Exit code and printed summary for one file."""
    line = {"source": "a.bvh", "rationale": text, "grounding": {"unsupported": [{"text": t} for t in removed]}}
    (folder / "assess.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    (folder / "measure.jsonl").write_text(
        json.dumps({"source": "a.bvh", "gait_parameters": MEASURES}) + "\n", encoding="utf-8"
    )
    (folder / "norms.csv").write_text(NORMS, encoding="utf-8")
    names = [str(folder / name) for name in ("assess.jsonl", "measure.jsonl", "norms.csv")]
    code = checker.main([*names[:2], "--norms", names[2], "--json"])
    return code, json.loads(capsys.readouterr().out)


def test_faultless_text(checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, summary = run(checker, tmp_path, capsys, TEXT)
    assert code == 0
    assert summary["disagreements"] == summary["not_understood"] == summary["partly_not_understood"] == []
    assert summary["numeric_per_file_min"] == 13 and summary["left_right_per_file_min"] == 5
    assert summary["supported_share_of_decided"] == 1.0 and not summary["few_claims"]


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_fault_is_found(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], fault: str
) -> None:
    good, bad = FAULTS[fault]
    assert TEXT.count(good) == 1
    code, summary = run(checker, tmp_path, capsys, TEXT.replace(good, bad))
    assert code == 1 and summary["disagreements"]


@pytest.mark.parametrize(
    "sentence",
    [
        "Arm swing is smaller on the left than on the right (29 against 41 degrees).",
        "With 0.97 m strides at 0.67 m/s, the gait is slow.",
        "The right arm swings more, 41 degrees, than the left at 29 degrees.",
        "The left side has the longer step and the smaller arm swing.",
        "Smaller on the left than on the right: arm swing, foot-strike angle.",
        "Walking speed is below and foot-strike angle within the usual range.",
        "Below the usual range are walking speed and cadence; within it: foot-strike angle.",
        "Cadence, at 83 steps per minute, is below the healthy mean of 113.8 steps per minute.",
        "No turn was seen.",
    ],
)
def test_other_wordings_are_understood(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str], sentence: str
) -> None:
    code, summary = run(checker, tmp_path, capsys, sentence)
    assert code == 0 and summary["supported_share_of_decided"] == 1.0, summary
    assert not summary["not_understood"]


def test_removed_sentences_and_what_is_not_understood(
    checker: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    removed = ("The left step is 0.55 m long, shorter than the right (0.42 m).", "Step width is 0.11 m.")
    code, summary = run(checker, tmp_path, capsys, TEXT + " The gnarl is 7 degrees. A pleasant day.", removed)
    assert code == 0
    assert summary["removed_with_fault_share"] == 0.5
    assert summary["disagreements"] == ["a.bvh: removed, no fault found: Step width is 0.11 m."]
    assert summary["not_understood"] == ["a.bvh: A pleasant day."] and len(summary["partly_not_understood"]) == 1
    assert summary["supported_share"] < 1.0
