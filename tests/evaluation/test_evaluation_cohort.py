"""Cohorts from files beside a metadata.csv, and which walks come first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.evaluation.cohort import NO_SCORE, Cohort, load_cohort
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import simulate_person, simulate_walk


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("cohort")
    rows = ["file_name,subject_id,diagnosis,score"]
    for person in range(3):
        clip = simulate_walk(simulate_person(person, score=1), seed=person, duration_s=5.0, turn="none").clip
        for walk in range(1 + (person == 0)):
            write_motion(clip, home / f"{person}_{walk}.npz")
            rows.append(
                f"{person}_{walk}.npz,p{person},{'Healthy' if person else 'Disorder'},{person if person else ''}"
            )
    (home / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    return home


def test_files_and_what_is_known_of_them(folder: Path) -> None:
    cohort = load_cohort(str(folder))
    assert isinstance(cohort, Cohort) and len(cohort) == 4 and not cohort.simulated
    assert cohort.scores.tolist() == [NO_SCORE, NO_SCORE, 1, 2]
    assert cohort.diagnoses == ("Disorder", "Disorder", "Healthy", "Healthy")
    assert all(measured["walking_speed_mps"] for measured in cohort.parameters)
    assert cohort.read(2).duration_s == pytest.approx(5.0, abs=0.1)
    assert cohort.first_walks(np.arange(4), 0).tolist() == [2, 3]  # those with a score


def test_everybodys_first_walk_comes_first(folder: Path) -> None:
    from dataclasses import replace

    cohort = replace(load_cohort(str(folder)), scores=np.array([0, 1, 2, 3]))
    assert cohort.first_walks(np.array([0, 1, 2, 3]), 3).tolist() == [0, 2, 3]
    assert cohort.first_walks(np.array([1, 0, 3]), 0).tolist() == [1, 3, 0]


def test_files_outside_the_folder_and_missing_columns_are_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "metadata.csv").write_text(f"file_name,subject_id\n../{folder.name}/0_0.npz,p\n", encoding="utf-8")
    with pytest.raises(AgirError, match=r"files inside .*, found 0_0.npz outside of it"):
        load_cohort(str(tmp_path))
    (tmp_path / "metadata.csv").write_text("file,subject_id\na,b\n", encoding="utf-8")
    with pytest.raises(AgirError, match=r"the columns file_name and subject_id in .*, found file, subject_id"):
        load_cohort(str(tmp_path))


def test_no_dataset_is_one_line(tmp_path: Path) -> None:
    pytest.importorskip("datasets", reason="needs the evaluate extra")
    with pytest.raises(AgirError, match=r"or a folder with metadata\.csv") as caught:
        load_cohort(str(tmp_path / "none"))
    assert "\n" not in str(caught.value)
