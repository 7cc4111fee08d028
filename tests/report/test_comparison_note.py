"""The note on two visits: what stands in it, and what never does."""

from __future__ import annotations

from agir_hf.gait import PARAMETER_NAMES
from agir_hf.report.comparison_note import comparison_note


def change(verdict: str = "not measured", **known: object) -> dict[str, object]:
    empty = dict.fromkeys(("first", "second", "change", "standard_error", "noise_floor", "limit", "strides", "reason"))
    return {**empty, "verdict": verdict, **known}


def comparison(**changes: dict[str, object]) -> dict[str, object]:
    visit = {
        "source": "a.bvh",
        "walking": True,
        "strides": 12,
        "steady_strides": 10,
        "native_rate_hz": 60.0,
        "leg_length_m": 0.85,
        "low_confidence": {},
    }
    return {
        "first": visit,
        "second": {**visit, "source": "b.bvh", "walking": False},
        "confidence": 0.95,
        "changes": {name: changes.get(name, change()) for name in PARAMETER_NAMES},
        "warnings": ["One warning."],
    }


def row(note: str, start: str) -> list[str]:
    line = next(line for line in note.splitlines() if line.strip().startswith(start))
    return line.removeprefix(line[: line.index(start)] + start).split()


FULL = comparison(
    walking_speed_mps=change("higher", first=0.8, second=1.104, change=0.304, standard_error=0.0312, limit=0.1612),
    stride_time_s=change("lower", first=1.3, second=1.1, change=-0.2, limit=0.09),
    arm_swing_left_deg=change("no change beyond measurement noise", first=30.1, second=30.4, change=0.3, limit=12.44),
    arm_swing_right_deg=change("not enough strides to tell", first=20.0, second=24.0, change=4.0, noise_floor=6.0),
    freezing_episodes=change("no noise estimate", first=0, second=2, change=2),
)


def test_values_changes_limits_and_verdicts_stand_in_one_row() -> None:
    note = comparison_note(FULL)
    assert row(note, "Walking speed, m/s") == ["0.80", "1.10", "+0.30", "0.03", "0.16", *"higher, beyond noise".split()]
    assert row(note, "Stride time, s") == ["1.30", "1.10", "-0.20", "-", "0.09", *"lower, beyond noise".split()]
    assert row(note, "Arm swing, left, deg") == ["30", "30", "0", "-", "12.4", "within", "noise"]
    assert row(note, "Arm swing, right, deg") == ["20", "24", "+4", "-", "-", *"too few strides to tell".split()]
    assert row(note, "Freezing episodes") == ["0", "2", "+2", "-", "-", "no", "noise", "estimate"]


def test_the_note_says_what_the_limits_are_and_how_many_values_exceed_them_by_chance() -> None:
    note = comparison_note(FULL)
    text = " ".join(note.split())
    assert "Visit 1: a.bvh, 12 strides (10 steady and straight), 60 frames a second." in text
    assert "Visit 2: b.bvh" in text and "not recognised as walking" in text
    assert "3 values were compared; about 5 % of values that did not change exceed their limit by chance." in text
    assert "Other days" in text and "not a judgement" in text and "Note: One warning." in text
    assert max(len(line) for line in note.splitlines()) <= 100


def test_missing_values_are_named_and_no_word_judges() -> None:
    text = " ".join(comparison_note(FULL).split())
    assert "Not measured on both visits: cadence, stride length, step length, left, step length, right" in text
    assert "None" not in text and "nan" not in text
    for word in ("improv", "worse", "better", "deteriorat"):
        assert word not in text.lower()
    nothing = comparison_note(comparison())
    assert "values were compared" not in nothing and "Not measured on both visits: walking speed" in nothing
