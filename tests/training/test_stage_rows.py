"""What the stages learn from: every text true of what its prompt shows, mirrored walks included."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("datasets", reason="needs the train extra")

from agir_hf.gait import PARAMETER_NAMES, measure_gait
from agir_hf.motion.features import joints_to_features
from agir_hf.rationale import SCORE_PREFIX, StoredParameters, StoredQuality, check_grounding, evidence_block
from agir_hf.simulation import deep_cohort_walk
from agir_hf.skeleton import JOINT_INDEX, PARENTS
from agir_hf.training.augmentation import mirrored, varied
from agir_hf.training.data import (
    Split,
    Walk,
    canonical,
    clips_of,
    evaluated_places,
    load_rationale_dataset,
    load_splits,
    recordings_features,
)
from agir_hf.training.mixed_measurements import mixed_measurements
from agir_hf.training.recipe import DataRecipe
from agir_hf.training.run import stage_rows
from agir_hf.training.stage_rows import (
    APART,
    assess_rows,
    describe_rows,
    quote_rows,
    swapped_sides,
    told_rows,
)


def measured(offset: float = 0.0) -> StoredParameters:
    values: dict[str, float | None] = {name: 10.0 + offset + place for place, name in enumerate(PARAMETER_NAMES)}
    doubtful = {"foot_clearance_left_m": "made up"}
    return StoredParameters(values, {}, doubtful, StoredQuality(walking=True, strides=5, steady_strides=5))


def walk(score: int | None = 2, *, templated: bool = True, offset: float = 0.0) -> Walk:
    own = measured(offset)
    return Walk(
        clip_id="a",
        subject_id="p",
        score=score,
        measured=own,
        evidence=evidence_block(own),
        description="The left arm swings less.",
        rationale="Left first.",
        templated=templated,
        motion_codes=np.array([1, 2]),
        mirrored_codes=np.array([3, 4]),
    )


def motion_text(codes: np.ndarray) -> str:
    return "".join(f"<motion_{code}>" for code in codes)


def real_walks(people: int) -> list[Walk]:
    found = []
    for person in range(people):
        made, labels = deep_cohort_walk(31, person, 0)
        own = StoredParameters.from_measured(measure_gait(made.clip))
        found.append(replace(walk(labels.score), measured=own, evidence=evidence_block(own)))
    return found


def test_a_mirror_swaps_measurements_and_words() -> None:
    own = measured()
    other = own.mirrored()
    assert other.values["arm_swing_left_deg"] == own.values["arm_swing_right_deg"]
    assert other.values["walking_speed_mps"] == own.values["walking_speed_mps"]
    assert set(other.low_confidence) == {"foot_clearance_right_m"}
    assert other.mirrored() == own
    assert swapped_sides("Left foot: LEFT, right; leftover") == "Right foot: RIGHT, left; leftover"


def test_measuring_a_mirrored_clip_gives_the_mirrored_measurements() -> None:
    clip = deep_cohort_walk(31, 3, 0)[0].clip
    own = StoredParameters.from_measured(measure_gait(clip))
    seen = StoredParameters.from_measured(measure_gait(clip.replace(joints_m=mirrored(clip.joints_m))))
    expected = own.mirrored()
    for name, value in seen.values.items():
        if value is None:
            assert expected.values[name] is None, name
        else:
            assert value == pytest.approx(expected.values[name], abs=0.011), name


def test_assess_rows_show_what_their_texts_say() -> None:
    walks = real_walks(14)
    rows = assess_rows(walks, motion_text, seed=0)
    scored = [one for one in walks if one.score is not None]
    assessed = [row for row in rows if not row["prompt"].startswith("Task: tell")]
    assert len(assessed) == 2 * len(scored) and len(rows) - len(assessed) == round(0.15 * len(assessed))
    by_evidence: dict[str, StoredParameters] = {}
    for one in walks:
        for shown in (one.measured, one.measured.mirrored()):
            for other in walks:
                mixed = replace(
                    shown,
                    values={**shown.values, **{name: other.measured.values[name] for name in APART}},
                    low_confidence={
                        **{k: v for k, v in shown.low_confidence.items() if k not in APART},
                        **{k: v for k, v in other.measured.low_confidence.items() if k in APART},
                    },
                )
                by_evidence[evidence_block(mixed)] = mixed
    checked, exchanged = 0, 0
    for row in assessed:
        assert "Score" not in row["prompt"] and row["completion"][-8:-1] == "\nScore:"
        found = [text for text in by_evidence if text in row["prompt"]]
        if found:
            report = check_grounding(row["completion"].rpartition("\nScore:")[0], by_evidence[found[0]])
            assert report.claims > 5 and not report.unsupported
            checked += 1
            own = {evidence_block(p) for one in walks for p in (one.measured, one.measured.mirrored())}
            exchanged += found[0] not in own
        else:
            assert "walking speed" not in row["prompt"]  # motion alone: no numbers in the answer either
            assert not any(character.isdigit() for character in row["completion"].rpartition("\nScore:")[0])
    assert checked > len(assessed) / 2 and exchanged >= 2
    assert {"<motion_1>" in row["prompt"] for row in assessed} == {True, False}
    assert any("<motion_3>" in row["prompt"] for row in assessed)


def test_validation_rows_show_each_walk_as_it_is() -> None:
    rows = assess_rows([walk(1), walk(None), walk(3)], motion_text, seed=0, vary=False)
    assert len(rows) == 2 and not any("<motion_3>" in row["prompt"] for row in rows)
    described = describe_rows([walk()], motion_text, seed=0, vary=False)
    assert {row["completion"] for row in described} >= {"<motion_1><motion_2>"} and len(described) == 2


def test_settling_goes_on_with_other_rows_of_the_same_walks() -> None:
    split = Split([walk(score) for score in (0, 1, 2, 3)], [], [], [])
    vocabulary = SimpleNamespace(codes_to_text=motion_text)
    assess, settle = (stage_rows(stage, split, vocabulary, 0) for stage in ("assess", "settle"))
    scores = [
        sorted(row["completion"][-1] for row in rows if SCORE_PREFIX in row["completion"]) for rows in (assess, settle)
    ]
    assert scores[0] == scores[1] == list("00112233")
    assert {row["completion"] for row in assess} != {row["completion"] for row in settle}


def test_texts_of_a_chat_model_are_used_as_they_are() -> None:
    rows = assess_rows([walk(templated=False)] * 60, motion_text, seed=0)
    own = [row for row in rows if not row["prompt"].startswith("Task: tell")]
    texts = {row["completion"].partition("\n")[0]: row for row in own}
    assert set(texts) == {"Left first.", "Right first."}
    for text, codes in (("Left first.", "<motion_1>"), ("Right first.", "<motion_3>")):
        shown = [row for row in own if row["completion"].startswith(text) and "<motion_" in row["prompt"]]
        assert shown and all(codes in row["prompt"] for row in shown)
    described = describe_rows([walk(templated=False)] * 30, motion_text, seed=0)
    told = {row["completion"] for row in described if "<motion" in row["prompt"]}
    assert told == {"The left arm swings less.", "The right arm swings less."}


def test_quoting_repeats_the_lines_shown_in_another_order() -> None:
    (one,) = quote_rows([walk()], seed=1)
    shown = one["prompt"].splitlines()[2:-1]
    assert sorted(shown) == sorted(one["completion"].splitlines())
    assert len(set(shown)) == 6 and set(shown) <= set(walk().evidence.splitlines())


def test_mixed_measurements_come_from_several_walks_and_agree_with_themselves() -> None:
    given = [measured(float(offset)) for offset in range(4)]
    given[0] = replace(given[0], values={**given[0].values, "turn_duration_180_s": None})
    rng = random.Random(3)
    mixtures = [mixed_measurements(given, rng) for _ in range(60)]
    for mixed in mixtures:
        for name, value in mixed.values.items():
            if "asymmetry" not in name:
                assert value in {one.values[name] for one in given}
        left, right = mixed.values["arm_swing_left_deg"], mixed.values["arm_swing_right_deg"]
        assert left is not None and right is not None
        assert mixed.values["arm_swing_asymmetry_percent"] == pytest.approx(100 * abs(left - right) / max(left, right))
        assert set(mixed.reasons) == {name for name, value in mixed.values.items() if value is None}
    assert len({mixed.values["walking_speed_mps"] for mixed in mixtures}) == 4


def test_what_is_told_of_mixtures_is_what_their_evidence_says() -> None:
    walks = real_walks(4)
    told, rng = told_rows(walks, 20, seed=2), random.Random(3)
    for one in told:
        mixed = mixed_measurements([own.measured for own in walks], random.Random(0))
        assert len(evidence_block(mixed).splitlines()) == len(walks[0].evidence.splitlines())
        assert one["completion"].strip() and "Score" not in one["completion"]
    del rng


@pytest.mark.parametrize("seed", range(3))
def test_varied_motion_keeps_every_bone_and_the_floor(seed: int) -> None:
    clip = deep_cohort_walk(31, seed, 0)[0].clip
    plain = canonical(clip.joints_m, clip.frame_rate_hz)
    other = varied(plain, np.random.default_rng(seed), frame_rate_hz=20.0)
    parents = np.array(PARENTS[1:])
    lengths = [np.linalg.norm(motion[:, 1:] - motion[:, parents], axis=-1) for motion in (plain, other)]
    assert np.abs(lengths[0] - lengths[1]).max() < 1e-9
    feet = [JOINT_INDEX[f"{side}_foot"] for side in ("left", "right")]
    assert abs(np.percentile(other[:, feet, 1], 2) - np.percentile(plain[:, feet, 1], 2)) < 0.02
    moved = np.linalg.norm((other - other[:, :1]) - (plain - plain[:, :1]), axis=-1).mean()
    assert 0.005 < moved < 0.3
    # Legs that swing further or less far carry the body further or less far: planted feet slide no more than before.
    slides = [np.linalg.norm(np.diff(motion[:, feet], axis=0)[..., ::2], axis=-1).min(1) for motion in (plain, other)]
    assert np.median(slides[1]) < np.median(slides[0]) + 0.005
    again = varied(plain, np.random.default_rng(seed), frame_rate_hz=20.0)
    assert np.array_equal(other, again)
    assert np.array_equal(mirrored(mirrored(plain)), plain)


def test_features_of_the_dataset_are_those_of_its_clips(gait_dataset: Path) -> None:
    recipe = DataRecipe(dataset=str(gait_dataset), varied_copies=2, train_clips=12)
    data = load_rationale_dataset(recipe)
    splits = load_splits(recipe, workers=1)
    train = splits["train"]
    assert len(train.walks) == len(train.features) == len(train.mirrored_features) == 12
    assert len(train.varied_features) == 24 and not splits["test"].varied_features
    assert {one.subject_id for one in train.walks}.isdisjoint(one.subject_id for one in splits["test"].walks)
    for place, clip in enumerate(clips_of(data["train"], range(3))):
        assert clip.source == train.walks[place].clip_id
        plain = canonical(clip.joints_m, clip.frame_rate_hz)
        assert np.allclose(train.features[place], joints_to_features(plain), atol=1e-5)
        assert np.allclose(train.mirrored_features[place], joints_to_features(mirrored(plain)), atol=1e-5)
    places = evaluated_places(data["validation"], 100)
    assert all(data["validation"]["score"][place] is not None for place in places)
    subjects = [data["validation"]["subject_id"][place] for place in places]
    first_turn = subjects[: len(set(subjects))]
    assert len(set(first_turn)) == len(first_turn)


def test_recordings_are_read_beside_the_dataset() -> None:
    found = recordings_features(["examples"], copies=1, seed=0)
    assert found and all(one.shape[1] == 263 for one in found)
