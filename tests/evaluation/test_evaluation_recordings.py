"""Recordings beside a dataset: names of folders, diagnoses however they are written, speeds that were not measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.evaluation.cohort import NO_SCORE, Cohort, load_cohort
from agir_hf.evaluation.protocols import Walks
from agir_hf.evaluation.recordings import folder_name, healthy_or_not


def cohort(diagnoses: list[str]) -> Cohort:
    count = len(diagnoses)
    return Cohort(
        name="made",
        simulated=False,
        walks=Walks(("made",) * count, tuple(map(str, range(count)))),
        scores=np.full(count, NO_SCORE),
        parameters=({},) * count,
        rationales=("",) * count,
        diagnoses=tuple(diagnoses),
        read=lambda place: pytest.fail("not read"),
    )


def result(expected: float, speed: float | None) -> dict[str, Any]:
    return {"abstained": False, "expected_score": expected, "gait_parameters": {"walking_speed_mps": speed}}


def test_diagnoses_are_told_apart_by_what_they_say() -> None:
    found = healthy_or_not(
        cohort(["Healthy", " healthy ", "unhealthy", "PD", "pd"]),
        [result(0.1, 1.2), result(0.2, 1.1), result(0.3, 1.0), result(0.4, 0.9), result(0.5, 0.8)],
    )
    rows = {(row["ranking"], row["against"]): row for row in found}
    assert rows["expected score", "pd"]["subjects"] == 4 and rows["expected score", "unhealthy"]["subjects"] == 3
    assert rows["expected score", "any disorder"]["healthy"] == 2 and rows["expected score", "pd"]["value"] == 1.0
    assert rows["expected score", "pd"]["interval_95"] == [None, None]  # of two against two


def test_who_has_no_speed_is_not_the_slowest() -> None:
    found = healthy_or_not(cohort(["healthy", "pd", "pd"]), [result(0.1, 1.2), result(0.9, None), result(0.8, 1.3)])
    speed = next(row for row in found if row["ranking"] == "walking speed alone")
    assert speed["subjects"] == 2 and speed["value"] == 0.0


def test_folders_of_one_name_keep_apart() -> None:
    folders = ["a/walks", "b/walks", "b/other"]
    assert [folder_name(folder, folders) for folder in folders] == ["a/walks", "b/walks", "other"]


def test_a_sheet_from_a_spreadsheet_and_one_in_another_encoding(tmp_path: Path) -> None:
    sheet = tmp_path / "metadata.csv"
    sheet.write_bytes("file_name,subject_id,score\nnone.bvh,é,1.5\n".encode("utf-8-sig"))
    with pytest.raises(AgirError, match=r"none\.bvh"):  # the header was understood
        load_cohort(str(tmp_path))
    sheet.write_bytes("file_name,subject_id,score\nnone.bvh,é,1\n".encode("latin-1"))
    with pytest.raises(AgirError, match="in UTF-8, found another encoding"):
        load_cohort(str(tmp_path))
