"""The grounding check: true texts of any wording pass, planted faults are found and named, nothing breaks it."""

from __future__ import annotations

import random
import re
import time

import pytest
from rationale_people import known_person, parameters, some_person

from agir_hf.rationale import check_grounding, describe, write_rationale

# True of ``known_person``, in words that are not ours.
TRUE = """The patient's gait velocity is 0.78 m/s, well below the normative 1.24 m/s.
Gait speed was 0.78 meters per second; cadence was 98 steps per minute.
She walks with a stride length of 95 cm.
Her left arm swings through 12°, whereas the right arm swings through 31°.
Arm swing is markedly reduced on the left (12 degrees) compared with the right (31 degrees).
The left and right arms swing 12 and 31 degrees, respectively.
There is a 61% arm swing asymmetry.
With 12 degrees on the left and 31 degrees on the right, arm swing is clearly asymmetric.
The 180-degree turn took 3.4 seconds, longer than the 2.2 s of healthy older adults.
No freezing episodes were observed.
Double support accounts for 34.2% of the gait cycle.
The left step (0.45 m) is shorter than the right step (0.50 m).
Compared with the right, the left arm swings less.
Toe clearance is 4.1 cm on the left and 5.8 cm on the right.
Stride length is reduced at 0.95 m (norm 1.33 m).
Walking is slow at 0.78 m/s.
The person walks 0.46 m/s slower than the healthy mean of 1.24 m/s.
The step length difference between sides is 0.05 m.
Right arm swing is 19 degrees larger than left arm swing.
The gait speed of 0.78 m/s is lower than expected for healthy older adults (1.24 m/s).
Heel strike angle is 11 degrees on the left foot, below the normative 23.1 degrees.
Reduced left arm swing, short strides and slow turning are evident.
All six rated aspects are reduced.
Arm swing on the right side is 31 degrees. On the left it is only 12 degrees.
Stance: the base of support is 0.11 m.
Over 9 strides, stride time variability was 3.4 percent.
The swing phase lasts 32.9% of each stride.
Overall the pattern is consistent with a gait score of 2 on item 3.10 of the MDS-UPDRS.
Score: 2
Foot lift is lower on the left than on the right.
Arm swing is not symmetric.
Cadence is lower than in healthy older adults (98 vs 113.8 steps/min).
The left heel strike is flatter than the right.
The subject takes 3.4 s to turn around.
The right step is 5 cm longer than the left one.""".splitlines()

# Not true of ``known_person``, with the kind of the fault.
PLANTED = [
    ("The patient's gait velocity is 0.87 m/s.", "number"),
    ("Double support takes 43.2 percent of the stride.", "number"),
    ("The turn took 34 seconds.", "number"),
    ("Arm swing asymmetry is 16 percent.", "number"),
    ("The difference between the arms is 30 degrees.", "number"),
    ("Two freezing episodes were seen.", "number"),
    ("Cadence is 113.8 steps/min.", "number"),
    ("Left arm swing is 31 degrees and right arm swing is 12 degrees.", "side"),
    ("Her left arm swings through 31°, whereas the right arm swings through 12°.", "side"),
    ("The left and right arms swing 31 and 12 degrees, respectively.", "side"),
    ("Foot clearance of 4.1 cm on the right is reduced.", "side"),
    ("Gait speed is 0.78 cm/s.", "unit"),
    ("Gait speed is 0.78 m.", "unit"),
    ("Cadence is 98 m/s.", "unit"),
    ("Trunk flexion is 12 percent.", "unit"),
    ("Arm swing is 12 cm on the left.", "unit"),
    ("The foot clearance is 4.1 m on the left.", "unit"),
    ("Gait speed is 0.78 m/s, above the norm of 1.24 m/s.", "comparison"),
    ("The left arm swings more than the right.", "comparison"),
    ("Arm swing is symmetric.", "comparison"),
    ("Walking speed is normal.", "comparison"),
    ("Stride length is within the usual range.", "comparison"),
    ("The left step is longer than the right.", "comparison"),
    ("Turning is quick.", "comparison"),
    ("Turning takes 3.4 s, shorter than in healthy older adults.", "comparison"),
    ("Stride length is 0.95 m, close to the norm.", "comparison"),
    ("Knee flexion peaks at 45 degrees.", "invented"),
    ("Her heart rate was 80 bpm.", "invented"),
    ("A resting tremor is visible in the right hand.", "invented"),
    ("Turn duration could not be measured.", "invented"),
    ("She walked 10 m.", "invented"),
    ("Gait speed is 0.78 m/s (norm 1.34 m/s).", "norm"),
    ("Foot clearance is below the norm of 6 cm.", "norm"),
    ("Healthy older adults walk at 1.33 m/s.", "norm"),
    ("Arm swing (norm 29.2 degrees) is reduced.", "norm"),
    ("Walking speed has no published norm.", "norm"),
    ("Three of the six rated aspects are reduced.", "count"),
    ("Of the 6 rated aspects measured, 6 are reduced: walking speed and arm swing.", "count"),
    ("The gait score is 3.", "score"),
    ("This is a severely impaired gait.", "score"),
]


@pytest.mark.parametrize("text", TRUE)
def test_true_text_passes(text: str) -> None:
    report = check_grounding(text, known_person(), score=2)
    assert report.unsupported == () and report.claims == report.supported > 0
    assert report.shown == text


@pytest.mark.parametrize(("text", "kind"), PLANTED)
def test_planted_fault_is_named(text: str, kind: str) -> None:
    report = check_grounding(f"Cadence is 98 steps/min. {text}", known_person(), score=2)
    assert kind in {claim.kind for claim in report.unsupported}, report.unsupported
    assert {claim.text for claim in report.unsupported} == {text}
    assert report.shown == "Cadence is 98 steps/min."
    assert report.claims == report.supported + len(report.unsupported)


def test_unmeasured_values_are_invented() -> None:
    person = parameters({"walking_speed_mps": 1.1, "arm_swing_left_deg": 30.0})
    for text in ("Stride length is 1.20 m.", "Stride length is reduced.", "The right arm swings 20 degrees."):
        assert {c.kind for c in check_grounding(text, person).unsupported} == {"invented"}
    assert check_grounding("The right arm swing could not be measured.", person).unsupported == ()


def test_a_norm_relation_without_a_side_must_hold_on_both() -> None:
    person = parameters({"foot_strike_angle_left_deg": 18.4, "foot_strike_angle_right_deg": 14.7})
    unsided = "The foot-strike angle is below the usual range of healthy older adults."
    sided = "The right foot-strike angle is below the usual range of healthy older adults."
    assert [fault.kind for fault in check_grounding(unsided, person).unsupported] == ["comparison"]
    assert not check_grounding(sided, person).unsupported
    assert not check_grounding("The foot-strike angle is not above the usual range.", person).unsupported


def test_a_score_nobody_gave_is_not_supported() -> None:
    assert check_grounding("The gait score is 2.", known_person()).unsupported[0].kind == "score"
    assert check_grounding("The gait score is 2.", known_person(), score=2).unsupported == ()


def _texts(seed: int) -> list[str]:
    person = some_person(seed, missing=(0.0, 0.1, 0.3)[seed % 3])
    rng = random.Random(seed)
    return [describe(person, rng), write_rationale(person, rng), write_rationale(person, rng, numbers=False)]


def _assert_supported(seeds: range) -> None:
    claims = 0
    for seed in seeds:
        person = some_person(seed, missing=(0.0, 0.1, 0.3)[seed % 3])
        for text in _texts(seed):
            report = check_grounding(text, person)
            assert report.unsupported == (), (seed, report.unsupported)
            assert report.shown == text
            claims += report.claims
    assert claims > 60 * len(seeds)


def test_generated_texts_are_supported() -> None:
    _assert_supported(range(200))


@pytest.mark.slow
def test_generated_texts_of_many_people_are_supported() -> None:
    _assert_supported(range(200, 2200))


_FLIPS = {
    "less": "more",
    "shorter": "longer",
    "lower": "higher",
    "smaller": "larger",
    "flatter": "steeper",
    "below": "above",
    "reduced": "preserved",
    "slow": "brisk",
}
_FLIPS |= {value: key for key, value in _FLIPS.items()}
_FLIPPED = re.compile(r"\b(" + "|".join(_FLIPS) + r")\b")
_QUOTED = re.compile(r"(\d+(?:\.\d+)?)(?= (?:m/s|m|cm|s|steps/min|percent|degrees?)\b)")


def _missed(change: str, seeds: range) -> tuple[int, list[str]]:
    """How many single changes were planted in generated texts, and the changed sentences that passed."""
    planted, missed = 0, []
    for seed in seeds:
        person = some_person(seed, missing=0.05)
        rng = random.Random(seed)
        text = write_rationale(person, rng) + " " + describe(person, rng)
        pattern = {"number": _QUOTED, "word": _FLIPPED}[change]
        for match in pattern.finditer(text):
            old = match.group()
            if change == "word":
                new = _FLIPS[old]
            else:
                decimals = len(old.partition(".")[2])
                new = f"{float(old) * 1.25 + 3 * 10.0**-decimals:.{decimals}f}"
            changed = text[: match.start()] + new + text[match.end() :]
            planted += 1
            if not check_grounding(changed, person).unsupported:
                missed.append(changed[max(0, match.start() - 80) : match.end() + 40])
    return planted, missed


def test_a_changed_number_is_found() -> None:
    planted, missed = _missed("number", range(12))
    assert planted > 200
    assert missed == []


def test_a_turned_comparison_is_found() -> None:
    planted, missed = _missed("word", range(25))
    assert planted > 150
    assert len(missed) <= 0.02 * planted, missed


def test_swapped_sides_are_found() -> None:
    swap = {"left": "right", "right": "left", "Left": "Right", "Right": "Left"}
    planted = missed = 0
    for seed in range(60):
        person = some_person(seed, missing=0.0)
        for sentence in re.split(r"(?<=\.) ", write_rationale(person, random.Random(seed))):
            both_differ = " than " in sentence and "left" in sentence.lower() and "right" in sentence.lower()
            if not both_differ:
                continue
            planted += 1
            swapped = re.sub(r"\b(left|right)\b", lambda m: swap[m.group()], sentence, flags=re.I)
            missed += not check_grounding(swapped, person).unsupported
    assert planted > 60 and missed == 0


def test_the_evidence_of_another_person_is_found() -> None:
    for seed in range(40):
        person, other = some_person(seed, missing=0.0), some_person(seed + 1000, missing=0.0)
        report = check_grounding(write_rationale(other, random.Random(seed)), person)
        assert len(report.unsupported) >= 4
        assert {"number", "side"} & {claim.kind for claim in report.unsupported}


def test_report_as_json() -> None:
    report = check_grounding("Walking speed is 0.50 m/s.", known_person()).to_dict()
    assert report == {
        "claims": 1,
        "supported": 0,
        "unsupported": [
            {
                "text": "Walking speed is 0.50 m/s.",
                "kind": "number",
                "stated": "0.50 m/s",
                "measured": "walking speed 0.78 m/s",
            }
        ],
    }


@pytest.mark.parametrize(
    "text", ["", "   ", "\n\n", "....", "the the the", "\x00 é ½", "-", "(((", "than than than left"]
)
def test_texts_without_claims(text: str) -> None:
    report = check_grounding(text, known_person())
    assert (report.claims, report.supported, report.unsupported) == (0, 0, ())


def test_garbage_numbers_are_claims() -> None:
    for text in ("9" * 5000, "1e999 m/s", "0.78.12 m/s", "<motion_5><motion_7>", "speed 0.78 0.78 0.99"):
        report = check_grounding(text, known_person())
        assert report.unsupported and report.claims == report.supported + len(report.unsupported)


def test_time_grows_linearly() -> None:
    def seconds(pieces: int) -> float:
        begin = time.process_time()
        check_grounding("the left arm swings 0.78 m/s less than " * pieces, known_person())
        return time.process_time() - begin

    seconds(100)
    assert seconds(4000) < 12 * max(seconds(1000), 0.02)
