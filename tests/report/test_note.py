"""The plain-text notes: what stands in them, and what never does."""

from __future__ import annotations

from agir_hf.gait import PARAMETER_NAMES
from agir_hf.report import assessment_note, measures_note


def values(**known: float) -> dict[str, float | None]:
    return {name: known.get(name) for name in PARAMETER_NAMES}


def assessment(**changes: object) -> dict:
    result = {
        "source": "walk.bvh",
        "score": 2,
        "probabilities": {"0": 0.03, "1": 0.22, "2": 0.61, "3": 0.14},
        "expected_score": 1.86,
        "rationale": "The person walks at 0.78 m/s.",
        "gait_parameters": values(walking_speed_mps=0.78, arm_swing_left_deg=12.0, arm_swing_right_deg=30.0),
        "grounding": {
            "claims": 2,
            "supported": 1,
            "unsupported": [{"text": "It is 2 m/s.", "kind": "number", "stated": "2 m/s", "measured": "0.78 m/s"}],
        },
        "quality": {"walking": True, "in_distribution": True, "reconstruction_mm": 9.1},
        "abstained": False,
        "abstain_reason": None,
        "warnings": ["One warning."],
        "model": "agir-tiny",
        "trained_on": "simulated",
    }
    return {**result, **changes}


def test_scores_that_are_about_equally_likely_are_said_to_be() -> None:
    near = {**assessment(), "probabilities": {"0": 0.05, "1": 0.42, "2": 0.46, "3": 0.07}}
    assert "Scores 1 and 2 are about equally likely." in assessment_note(near)
    assert "equally likely" not in assessment_note(assessment())


def test_an_assessment_says_what_it_is_beside_the_score() -> None:
    lines = assessment_note(assessment()).splitlines()
    assert "Estimated gait score 2" in lines[1] and "2: 61 %" in lines[1]
    assert "trained on simulated people" in lines[2] and "not the MDS-UPDRS" in lines[2]
    text = "\n".join(lines)
    assert "left 12, right 30 degrees" in text
    assert "1 of 2 statements" in text and "It is 2 m/s." in text and "Note: One warning." in text


def test_an_abstention_has_a_reason_and_no_score() -> None:
    note = assessment_note(
        assessment(score=None, probabilities=None, rationale=None, abstained=True, abstain_reason="the person stands")
    )
    assert "No gait score: the person stands" in note
    assert "Estimated" not in note


def test_missing_values_are_named_and_never_zero() -> None:
    note = measures_note(
        {
            "source": "a.npz",
            "gait_parameters": values(walking_speed_mps=0.5, trunk_flexion_deg=-0.2),
            "quality": {"walking": False, "strides": 1, "steady_strides": 0, "native_rate_hz": 30.0},
            "warnings": [],
        }
    )
    assert "not recognised as walking" in note
    assert "Not measurable here: cadence" in note
    assert "-0" not in note and "None" not in note


def test_cautions_and_reasons_stand_beside_the_values() -> None:
    result = {
        "source": "a.npz",
        "gait_parameters": values(swing_percent=36.0, double_support_percent=28.0, foot_clearance_left_m=0.05),
        "low_confidence": dict.fromkeys(("double_support_percent", "swing_percent"), "recorded at 30 Hz")
        | {"foot_clearance_left_m": "from a single swing"},
        "null_reasons": {"foot_clearance_right_m": "filled in", "arm_swing_left_deg": "x", "arm_swing_right_deg": "x"},
        "quality": {"walking": True, "strides": 1, "steady_strides": 0, "native_rate_hz": 30.0},
        "warnings": [],
    }
    text = " ".join(measures_note(result).split())
    cautious = "double support, swing (recorded at 30 Hz); left foot clearance (from a single swing)."
    assert f"Read with care: {cautious}" in text
    assert "right foot clearance (filled in)" in text and "arm swing (x)" in text
