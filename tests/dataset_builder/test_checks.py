"""The checks before writing: planted faults of every kind are caught, and what is right passes."""

from __future__ import annotations

import copy
import random
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from datasets import load_dataset

from dataset_builder.checks import check_row
from dataset_builder.corpus import check_corpus, split_failures
from dataset_builder.recipe import BuildRecipe
from dataset_builder.shards import Shard, plan_shards, rows_to_table, write_table
from dataset_builder.variety import bleu, distinct, self_bleu, tokens, variety


@pytest.fixture
def row(built: Path) -> dict[str, Any]:
    """An example whose person walks slowly, shuffles on the right and swings the left arm less."""
    row = dict(load_dataset(str(built), split="train").with_format("numpy")[0])
    row["quality"] = {"walking": True, "strides": 6, "steady_strides": 6, "joints_filled": [], "warnings": []}
    known = {
        "walking_speed_mps": 0.78,
        "stride_length_m": 0.95,
        "step_length_left_m": 0.50,
        "step_length_right_m": 0.44,
        "arm_swing_left_deg": 12.0,
        "arm_swing_right_deg": 31.0,
        "foot_clearance_left_m": 0.051,
        "foot_clearance_right_m": 0.032,
        "cadence_spm": 99.0,
        "trunk_flexion_deg": 14.0,
    }
    row["gait_parameters"] = {
        name: {"value": known.get(name), "reason": None if name in known else "no evidence", "low_confidence": None}
        for name in row["gait_parameters"]
    }
    row["evidence"] = "walking speed 0.78 m/s"
    row["description"] = "The person walks slowly (0.78 m/s), with a stride length of 0.95 m."
    row["rationale"] = "Walking speed is 0.78 m/s. The left arm swings less than the right."
    return row


def test_what_is_right_passes(row: dict[str, Any]) -> None:
    assert check_row(row) == []


PLANTED = [
    # wrong numbers
    ("Walking speed is 0.98 m/s.", "grounding"),
    ("The person takes strides of 1.15 m.", "grounding"),
    ("Cadence is 119 steps/min.", "grounding"),
    ("The left arm swings 21 degrees.", "grounding"),
    # wrong sides
    ("The right arm swings 12 degrees.", "side"),
    ("On the left, foot clearance is 3.2 cm.", "side"),
    ("The left step is 0.44 m long.", "side"),
    # wrong units
    ("Walking speed is 0.78 km/h.", "grounding"),
    ("Stride length is 0.95 cm.", "grounding"),
    ("The left arm swings 12 cm.", "grounding"),
    # wrong comparisons and directions
    ("The right arm swings less than the left.", "grounding"),
    ("The left step is shorter than the right.", "grounding"),
    ("Walking speed is above the usual range.", "grounding"),
    ("Stride length is within the usual range.", "grounding"),
    ("Foot clearance is higher on the right than on the left.", "grounding"),
    ("Arm swing is equal on both sides.", "grounding"),
    # invented
    ("Knee flexion is 52 degrees.", "grounding"),
    ("A half turn takes 3.1 s.", "grounding"),
    ("Stride time varies by 4.2 percent.", "grounding"),
    ("The usual walking speed is 1.90 m/s.", "grounding"),
    # counts and scores
    ("Of the 4 rated aspects measured, 1 is reduced: arm swing.", "grounding"),
    ("This corresponds to a score of 2.", "grounding"),
    ("The score is 3.", "label_leak"),
    ("The gait is severely impaired.", "label_leak"),
    ("This is a mild impairment on the UPDRS.", "label_leak"),
    ("The gait looks parkinsonian.", "label_leak"),
]


@pytest.mark.parametrize(("sentence", "kind"), PLANTED, ids=[sentence for sentence, _ in PLANTED])
@pytest.mark.parametrize("column", ["description", "rationale"])
def test_a_planted_fault_is_caught(row: dict[str, Any], column: str, sentence: str, kind: str) -> None:
    row[column] = f"{row[column]} {sentence}"
    failures = check_row(row)
    assert kind in {failure.kind for failure in failures} and {failure.where for failure in failures} == {column}
    assert all(failure.consequence == "left out" and failure.detail for failure in failures)


def test_left_and_right_exchanged_in_a_real_text_are_caught(built: Path) -> None:
    exchanged = {"left": "right", "right": "left"}
    for row in load_dataset(str(built), split="train").with_format("numpy"):
        row = dict(row)
        assert check_row(row) == []
        row["rationale"] = re.sub("left|right", lambda match: exchanged[match.group()], row["rationale"])
        assert {failure.kind for failure in check_row(row)} <= {"side", "grounding"} and check_row(row)


def test_numbers_that_are_none_and_texts_that_are_empty(row: dict[str, Any]) -> None:
    joints = np.array(row["joints_m"])
    joints[3, 4, 1] = np.nan
    faults: list[tuple[dict[str, Any], str, str]] = [
        ({"joints_m": joints}, "not_finite", "joints_m"),
        ({"joints_m": joints[:, :21]}, "not_finite", "joints_m"),
        ({"frame_rate_hz": float("nan")}, "not_finite", "frame_rate_hz"),
        ({"description": "  "}, "empty", "description"),
        ({"evidence": ""}, "empty", "evidence"),
    ]
    for change, kind, where in faults:
        assert [(f.kind, f.where) for f in check_row({**row, **change})] == [(kind, where)]
    row["gait_parameters"]["swing_percent"] = {"value": float("inf"), "reason": None, "low_confidence": None}
    row["gait_parameters"]["stride_time_s"] = {"value": None, "reason": None, "low_confidence": None}
    assert {(f.kind, f.where) for f in check_row(row)} == {("not_finite", "swing_percent"), ("empty", "stride_time_s")}


def test_who_does_not_walk_is_left_out_with_the_reason(row: dict[str, Any]) -> None:
    row["quality"] = {**row["quality"], "walking": False, "warnings": ["The body stays in place."]}
    (failure,) = check_row(row)
    assert failure.kind == "not_walking" and failure.detail == "The body stays in place."


def plain_rows(built: Path, count: int) -> list[dict[str, Any]]:
    return [dict(row) for row in load_dataset(str(built), split="train").select(range(count))]


def staged(rows: list[dict[str, Any]], folder: Path) -> list[Shard]:
    """Rows as the one shard of a build."""
    shard = Shard(0, "train", 0, 1, ())
    write_table(rows_to_table(rows), shard.path(folder))
    return [shard]


def test_copies_are_left_out_and_equal_wordings_drawn_anew(built: Path, tmp_path: Path) -> None:
    rows = plain_rows(built, 3)
    same_words, same_motion, same_id = (copy.deepcopy(rows[0]) for _ in range(3))
    same_words |= {"clip_id": "words", "clip_sha256": "another"}
    same_motion |= {"clip_id": "motion"}
    same_id |= {"clip_sha256": "a third"}
    corpus = check_corpus(staged([*rows, same_words, same_motion, same_id], tmp_path), tmp_path, seed=5)
    assert corpus.left_out == {(0, 4), (0, 5)} and not corpus.refused
    found = {(f.clip_id, f.kind) for f in corpus.failures if f.consequence == "left out"}
    assert found == {("motion", "duplicate_motion"), (rows[0]["clip_id"], "duplicate_id")}
    draw, text = corpus.rewritten[0, 3]
    assert draw >= 1 and text != rows[0]["rationale"] and corpus.kept()[3]["rationale"] == text
    # One of another score may read the same: the score is not in the text.
    other_score = {**same_words, "score": 1 if rows[0]["score"] != 1 else 2}
    assert not check_corpus(staged([rows[0], other_score], tmp_path), tmp_path, seed=5).rewritten


def test_wordings_that_run_out_are_recorded(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (row,) = plain_rows(built, 1)
    monkeypatch.setattr("dataset_builder.corpus.rationale_of", lambda *_: row["rationale"])
    copies = [row, {**row, "clip_id": "b", "clip_sha256": "b"}]
    corpus = check_corpus(staged(copies, tmp_path), tmp_path, seed=5)
    assert corpus.left_out == {(0, 1)}
    assert [f.kind for f in corpus.failures if f.consequence == "left out"] == ["duplicate_rationale"]


def test_redrawn_and_left_out_rows_in_the_final_files(recipe: BuildRecipe, built: Path, tmp_path: Path) -> None:
    from dataset_builder.build import _write_final

    rows = plain_rows(built, 3)
    twin = {**copy.deepcopy(rows[0]), "clip_id": "twin", "clip_sha256": "twin"}
    shards = staged([*rows, {**rows[1], "clip_id": "copy"}, twin], tmp_path)
    corpus = check_corpus(shards, tmp_path, seed=5)
    _write_final(shards, tmp_path, tmp_path / "final", corpus)
    final = load_dataset("parquet", data_files=str(shards[0].path(tmp_path / "final")), split="train")
    assert final["clip_id"][:] == [*(r["clip_id"] for r in rows), "twin"]
    assert final.features == load_dataset(str(built), split="train").features
    assert final[3]["metadata"]["rationale_draw"] >= 1 and final[3]["rationale"] != rows[0]["rationale"]
    assert np.array_equal(final.with_format("numpy")[3]["joints_m"], rows[0]["joints_m"])
    assert len(plan_shards(recipe)) == 5


def test_a_subject_in_two_splits_and_rare_scores() -> None:
    def entry(subject: str, split: str, score: int | None, cohort: str = "a") -> dict[str, Any]:
        return {"subject_id": subject, "cohort": cohort, "split": split, "score": score}

    fine = [entry(f"s{i}", "train", i % 3) for i in range(30)]
    assert split_failures(fine) == []
    # The same name in another cohort is another person.
    assert split_failures([*fine, entry("s0", "train", 1, "b")]) == []
    both = split_failures([*fine, *(entry(f"s{i}", "test", i % 3) for i in range(3))])
    assert [f.where for f in both if f.kind == "subject_overlap"] == ["a/s0", "a/s1", "a/s2"]
    assert all(f.consequence == "build refused" for f in both if f.kind == "subject_overlap")
    rare = split_failures([*fine, entry("t", "test", 0), entry("u", "test", None)])
    assert {(f.kind, f.where) for f in rare} == {("class_balance", "test")} and len(rare) == 2
    assert {f.kind for f in split_failures([entry("t", "test", 0)])} == {"no_training_data"}


def test_distinct_and_self_bleu_on_known_texts() -> None:
    same = [["a", "b", "c", "d", "e"]] * 4
    assert distinct(same, 1) == 5 / 20 and distinct(same, 2) == 4 / 16
    assert self_bleu(same) == pytest.approx(1.0)
    apart = [[f"{i}{letter}" for letter in "abcdef"] for i in range(4)]
    assert distinct(apart, 3) == 1.0 and self_bleu(apart) == 0.0
    assert bleu(list("abcd"), [list("abcdabcd")]) == pytest.approx(np.exp(1 - 8 / 4))
    assert tokens("The left arm-swing is 12.5 cm.") == ["the", "left", "arm-swing", "is", "12.5", "cm", "."]
    words = ["slow", "short", "low", "left", "right"]
    rng = random.Random(1)
    texts = [" ".join(rng.choices(words, k=8)) for _ in range(50)]
    figures = variety(texts, sample=20, seed=3)
    assert figures == variety(texts, sample=20, seed=3) and figures["self_bleu_sample"] == 20
    assert figures["words_min"] == figures["words_max"] == 8 and 0 < figures["self_bleu"] < 1
    assert variety([])["texts"] == 0
