"""Evidence, descriptions and rationales: what they say, what they never say, and that printed numbers decide."""

from __future__ import annotations

import random
import re

import pytest
from rationale_people import known_person, parameters, some_person

from agir_hf.gait import PARAMETER_NAMES, GaitParameters
from agir_hf.rationale import check_grounding, describe, evidence_block, write_rationale
from agir_hf.rationale.aspects import ASPECTS, aspects_with
from agir_hf.rationale.bins import BINS, relation_to_norm, word_for
from agir_hf.rationale.measures import BY_NAME, MEASURES, measure_of, printed
from agir_hf.rationale.norms import NORMS

LABEL_WORDS = re.compile(
    r"\b(score\w*|updrs|normal\w*|slight\w*|mild\w*|moderate\w*|severe\w*|severity|parkinson\w*)\b", re.I
)
DRIVERS = {"walking_speed", "stride_length", "foot_clearance", "foot_strike_angle", "turn_duration", "arm_swing"}
NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
SENTENCE_ENDS = re.compile(r"(?<=\.) ")
SIDES = ("left", "right")
# What stands in a sentence that compares them.
COMPARED = {
    "step length": r"\bstep.* shorter than ",
    "foot clearance": r"\b(foot (lifts|rises)|clearance is) .*(less|lower) than ",
    "foot-strike angle": r"\bfoot-strike angle .*smaller than ",
    "arm swing": r"\b(arm swings|arm swing is) .*(less|smaller) than ",
}


def test_every_parameter_is_printed_once() -> None:
    assert sorted(BY_NAME) == sorted(PARAMETER_NAMES)
    lines = evidence_block(known_person()).splitlines()
    assert len(lines) - 11 == len(MEASURES) == len(PARAMETER_NAMES)  # the last eleven lines sum up


def test_evidence_block_is_fixed() -> None:
    lines = evidence_block(known_person()).splitlines()
    assert lines[:6] == [
        "walking speed 0.78 m/s, slow",
        "stride length 0.95 m, short",
        "left step length 0.45 m, short",
        "right step length 0.50 m, short",
        "step length asymmetry 10 percent, even",
        "left foot clearance 4.1 cm, low",
    ]
    assert lines[-11:] == [
        "smaller step length: left",
        "smaller foot clearance: left",
        "smaller foot-strike angle: left",
        "smaller arm swing: left",
        "below usual: walking speed, stride length, left foot-strike angle, left arm swing",
        "above usual: turn duration",
        "within usual: none",
        "foot lift: low on the left",
        "reduced 6 of 6: walking speed, stride length, foot lift, heel strike, turning speed, arm swing",
        "preserved: none",
        "not measured: none",
    ]
    some = parameters({"cadence_spm": 101.6, "trunk_flexion_deg": -0.2}, uncertain=("cadence_spm",))
    lines = evidence_block(some).splitlines()
    assert "cadence 102 steps/min, below, uncertain" in lines
    assert "trunk flexion 0 degrees" in lines
    assert "walking speed not measured" in lines
    assert "foot lift: not measured" in lines and "below usual: none" in lines


def test_one_degree_is_singular() -> None:
    assert printed(parameters({"arm_swing_left_deg": 1.2}), measure_of("arm_swing", "left")) == "1 degree"


def test_norms_only_where_definitions_match() -> None:
    assert set(NORMS) == DRIVERS - {"foot_clearance"} | {"cadence", "swing", "double_support"}
    for norm in NORMS.values():
        assert norm.source and norm.definition and norm.basis
        assert float(norm.mean_text) == norm.mean
        assert relation_to_norm(norm.group, norm.mean) == "within"


@pytest.mark.parametrize("group", sorted(set(BINS) & set(NORMS)))
def test_bins_and_norms_agree(group: str) -> None:
    decimals = next(m.decimals for m in MEASURES if m.group == group)
    for step in range(0, 2000):
        number = round(step * 10.0**-decimals, decimals)
        usual = relation_to_norm(group, number) == "within"
        assert usual == (word_for(group, number) == "usual") or word_for(group, number) in BINS[group].usual


def test_known_words() -> None:
    assert [word_for("walking_speed", v) for v in (0.59, 0.60, 0.96, 0.97, 1.51, 1.52)] == [
        "very slow",
        "slow",
        "slow",
        "usual",
        "usual",
        "brisk",
    ]
    assert [word_for("turn_duration", v) for v in (2.8, 2.9, 3.9, 4.0)] == ["usual", "slow", "slow", "very slow"]


def test_aspects_of_a_known_person() -> None:
    assert len(aspects_with(known_person(), "reduced")) == len(ASPECTS) == 6
    only = parameters({"walking_speed_mps": 1.3, "arm_swing_left_deg": 9.0})
    assert aspects_with(only, "preserved") == ("walking speed",)
    assert aspects_with(only, "reduced") == ("arm swing",)
    assert len(aspects_with(only, "not measured")) == 4


def test_rationale_of_a_known_person_reads_as_intended() -> None:
    text = write_rationale(known_person(), random.Random(0))
    for part in ("0.78 m/s", "0.95 m", "3.4 s", "12 degrees", "31 degrees", "aspects measured", "norm"):
        assert part in text, text
    words = write_rationale(known_person(), random.Random(0), numbers=False)
    assert not NUMBER.search(words), words
    assert "slowly" in words and "all" in words


@pytest.mark.parametrize("seed", range(0, 200, 1))
def test_texts_of_random_people(seed: int) -> None:
    person = some_person(seed, missing=(0.0, 0.1, 0.3)[seed % 3])
    allowed = set(NUMBER.findall(evidence_block(person)))
    counts = {str(n) for n in range(7)}
    norms = {norm.mean_text for norm in NORMS.values()}
    description = describe(person, random.Random(seed))
    assert 2 <= len(re.findall(r"[.](?: |$)", description)) <= 5
    assert set(NUMBER.findall(description)) <= allowed
    for numbers in (True, False):
        text = write_rationale(person, random.Random(seed), numbers=numbers)
        assert not LABEL_WORDS.search(text), text
        assert len(text.split()) <= 170
        assert set(NUMBER.findall(text)) <= (allowed | norms | counts if numbers else set())
        if numbers and seed % 3 == 0:
            assert len(text.split()) >= 90
            report = check_grounding(text, person)
            assert report.claims >= 12 and len(NUMBER.findall(text)) >= 5
            assert re.search(r"\bleft\b.*\bright\b|\bright\b.*\bleft\b", text)
    assert not LABEL_WORDS.search(description)


def test_printed_numbers_decide_the_text() -> None:
    """What a reader of the evidence sees is all that counts: rounding the values first changes no word."""
    for seed in range(150):
        person = some_person(seed)
        rounded = {}
        for measure in MEASURES:
            value = person.values[measure.name]
            rounded[measure.name] = (
                None if value is None else round(value * measure.scale, measure.decimals) / measure.scale
            )
        same = parameters(rounded, uncertain=tuple(person.low_confidence))
        if evidence_block(same) != evidence_block(person):
            continue  # an exact half rounded twice
        assert describe(same, random.Random(seed)) == describe(person, random.Random(seed))
        for numbers in (True, False):
            first = write_rationale(person, random.Random(seed), numbers=numbers)
            assert write_rationale(same, random.Random(seed), numbers=numbers) == first


def _with(person: GaitParameters, **changes: float | None) -> GaitParameters:
    return parameters({**person.values, **changes})


def test_posture_and_freezing_never_enter_the_reasoning() -> None:
    person = known_person()
    summary = re.compile(r"[^.]*aspects measured[^.]*\.$")
    for changes in (
        {"trunk_flexion_deg": 40.0},
        {"freezing_episodes": 5.0},
        {"cadence_spm": 60.0},
        {"step_width_m": 0.4},
    ):
        first = summary.search(write_rationale(person, random.Random(1)))
        second = summary.search(write_rationale(_with(person, **changes), random.Random(1)))
        assert first and second and first.group() == second.group()


def test_a_rationale_says_relations_as_the_evidence_does() -> None:
    """What a model must say of sides and norms stands in its evidence word by word."""
    for seed in range(60):
        person = some_person(seed)
        evidence, text = evidence_block(person), write_rationale(person, random.Random(seed))
        for name, compared in COMPARED.items():
            side = re.search(rf"^smaller {name}: (.*)$", evidence, re.M)
            found = [one for one in SENTENCE_ENDS.split(text) if re.search(compared, one, re.I)]
            first = [re.search(r"left|right", one) for one in found]
            assert side and [m and m.group() for m in first] == ([side.group(1)] if side.group(1) in SIDES else [])
        lift = re.search(r"foot lift: (.*)", evidence)
        assert lift and (lift.group(1) == "not measured" or f" is {lift.group(1)}." in text)


def test_wording_varies() -> None:
    texts = {write_rationale(known_person(), random.Random(seed)) for seed in range(60)}
    assert len(texts) >= 50
    assert len({describe(known_person(), random.Random(seed)) for seed in range(60)}) >= 50


def test_uncertain_values_are_hedged() -> None:
    person = parameters({**known_person().values}, uncertain=("walking_speed_mps", "arm_swing_left_deg"))
    text = write_rationale(person, random.Random(3))
    assert "about 0.78 m/s" in text and "about 12 degrees" in text
    assert "about 0.95" not in text


def test_little_or_no_walking() -> None:
    nothing = parameters({}, walking=False, strides=0, steady_strides=0)
    text = write_rationale(nothing, random.Random(0))
    assert "None of the aspects" in text
    assert check_grounding(text, nothing).unsupported == ()
    assert "does not walk" in describe(nothing, random.Random(0))
    unsteady = parameters(dict(known_person().values), strides=2, steady_strides=0)
    text = write_rationale(unsteady, random.Random(0))
    assert text.startswith("No steady straight walking")
    assert check_grounding(text, unsteady).unsupported == ()
    one = parameters({"walking_speed_mps": 1.0})
    for seed in range(4):
        text = write_rationale(one, random.Random(seed)) + " " + describe(one, random.Random(seed))
        assert check_grounding(text, one).unsupported == (), text


def test_nearly_still_arms_are_not_called_both_equal_and_uneven() -> None:
    person = parameters(
        {
            "arm_swing_left_deg": 3.0,
            "arm_swing_right_deg": 5.0,
            "arm_swing_asymmetry_percent": 40.0,
            "walking_speed_mps": 1.0,
        }
    )
    for seed in range(10):
        text = write_rationale(person, random.Random(seed))
        assert "about equal" in text and "differ" not in text and "symmetry" not in text
