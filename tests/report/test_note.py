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
    text = "\n".join(lines)
    beside = " ".join(" ".join(lines[2:5]).split())
    assert "trained on simulated people: how often its percentages are right for real people is unknown" in beside
    assert "not the MDS-UPDRS" in beside and "does not mean a normal walk" in text
    assert "0:\u00a03" not in text and "<1 %" in assessment_note(
        assessment(probabilities={"0": 0.996, "1": 0.002, "2": 0.001, "3": 0.001}, score=0)
    )
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


def test_what_is_usual_stands_beside_what_was_measured() -> None:
    result = {
        "source": "a.npz",
        "gait_parameters": values(
            walking_speed_mps=0.5,
            cadence_spm=110.0,
            arm_swing_left_deg=12.0,
            arm_swing_right_deg=80.0,
            foot_strike_angle_left_deg=8.0,
            foot_strike_angle_right_deg=9.0,
            foot_clearance_left_m=0.0512,
            stride_time_s=1.0,
            trunk_flexion_deg=1.2,
            turn_duration_180_s=3.4,
        ),
        "quality": {"walking": True, "strides": 8, "steady_strides": 8, "native_rate_hz": 60.0},
        "warnings": [],
    }
    lines = {line[2:30].strip(): " ".join(line[31:].split()) for line in measures_note(result).splitlines()}
    assert lines["Walking speed"] == "0.50 m/s very slow; usual 0.97 to 1.51"
    assert lines["Cadence"] == "110 steps/min usual 107 to 120"
    assert lines["Arm swing"] == "left 12, right 80 degrees left very small, right above; usual 26 to 59"
    assert lines["Foot strike angle"] == "left 8, right 9 degrees both low; usual 17 to 29"
    assert lines["Turn, scaled to 180 degrees"] == "3.4 s slow; usual up to 2.8"
    assert lines["Foot clearance"] == "left 5.1, right - cm" and lines["Stride time"] == "1.00 s"
    assert lines["Trunk flexion"] == "1 degree"


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
