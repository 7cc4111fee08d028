"""Sources: a folder of the user's own, CARE-PD as it is downloaded, and datasets with other column names."""

from __future__ import annotations

import csv
import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from care_pd_files import RATES_HZ, nine_cohorts, quaternion_joints, save, walk_record
from datasets import load_dataset

from agir_hf.errors import AgirError, MotionFormatError
from agir_hf.motion.care_pd import load_care_pd
from agir_hf.motion.smpl import rest_skeleton, smpl_joints
from agir_hf.simulation import cohort_walk
from agir_hf.skeleton import JOINT_INDEX
from dataset_builder.build import build, report_of
from dataset_builder.cli import main
from dataset_builder.examples import example_features
from dataset_builder.executors import ExecutorSettings
from dataset_builder.manifest import read_manifest
from dataset_builder.recipe import BuildRecipe
from dataset_builder.sources import CarePdSource, FolderSource, HubSource, SimulatedSource, Source, split_of
from dataset_builder.sources.base import declared_licence

# Parts that a clip takes from the body model as they are; the others are placed by anatomy (skeleton.py).
KEPT = [
    f"{side}_{part}" for side in ("left", "right") for part in ("hip", "knee", "ankle", "shoulder", "elbow", "wrist")
]


def metadata(folder: Path, rows: list[dict[str, object]]) -> None:
    with (folder / "metadata.csv").open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three people in BVH-like files of our own format, one file that is no motion."""
    place = tmp_path / "own"
    (place / "walks").mkdir(parents=True)
    rows: list[dict[str, object]] = []
    for person in range(3):
        name = f"walks/{person}.npz"
        walk = cohort_walk(77, person, 0)
        np.savez(place / name, joints=walk.clip.joints_m, frame_rate_hz=walk.clip.frame_rate_hz)
        score = "" if person == 2 else walk.score
        rows.append({"file_name": name, "subject_id": f"p{person}", "score": score, "sex": "female", "age_years": 71.5})
    (place / "walks" / "broken.npz").write_bytes(b"PK\x03\x04 nothing")
    rows.append({"file_name": "walks/broken.npz", "subject_id": "p3", "score": 1, "sex": "", "age_years": ""})
    metadata(place, rows)
    return place


def test_sources_are_sources(tmp_path: Path) -> None:
    for source in (SimulatedSource(1, 1, 1), CarePdSource(tmp_path), FolderSource(tmp_path), HubSource("a/b")):
        assert isinstance(source, Source)


def test_splits_by_hash_are_stable_and_by_subject() -> None:
    assert [split_of("cohort", f"s{i}") for i in range(6)] == [split_of("cohort", f"s{i}") for i in range(6)]
    shares = [split_of("cohort", f"s{i}") for i in range(4000)]
    assert 0.77 < shares.count("train") / 4000 < 0.83 and 0.08 < shares.count("test") / 4000 < 0.12
    # Fixed for good: a changed hash would move people from training to testing.
    assert [split_of("cohort", f"s{i}") for i in range(8)] == json.loads(
        (Path(__file__).parent / "splits.json").read_text(encoding="utf-8")
    )


def test_a_folder_of_ones_own(folder: Path, tmp_path: Path) -> None:
    output = tmp_path / "out"
    arguments = ["build", "--source", "folder", "--path", str(folder), "--output", str(output), "--name", "clinic"]
    assert main([*arguments, "--licence", "cc-by-4.0"]) == 0
    rows = {r["clip_id"]: r for split in load_dataset(str(output), "clinic").values() for r in split}
    assert sorted(rows) == [f"walks/{person}.npz" for person in range(3)]
    assert rows["walks/2.npz"]["score"] is None and rows["walks/0.npz"]["score"] == cohort_walk(77, 0, 0).score
    assert rows["walks/0.npz"]["metadata"]["sex"] == "female" and rows["walks/0.npz"]["metadata"]["age_years"] == 71.5
    assert all(r["split"] == split_of("clinic", r["subject_id"]) for r in rows.values())
    failures = [f for f in report_of(output, "clinic")["failures"] if f["kind"] == "unreadable"]
    assert [f["clip_id"] for f in failures] == ["walks/broken.npz"] and failures[0]["consequence"] == "left out"
    assert str(tmp_path) not in json.dumps(report_of(output, "clinic"))


def test_a_folder_with_splits_keeps_them_and_refuses_a_subject_in_two(folder: Path, tmp_path: Path) -> None:
    splits = ["train", "test", "validation"]
    rows = [{"file_name": f"walks/{i}.npz", "subject_id": f"p{i}", "score": 1, "split": splits[i]} for i in range(3)]
    metadata(folder, rows)
    assert [r.split for r in FolderSource(folder).references()] == splits
    rows[1]["subject_id"] = "p0"
    metadata(folder, rows)
    recipe = BuildRecipe(FolderSource(folder, "twice"), seed=1)
    result = build(recipe, tmp_path / "out", ExecutorSettings())
    assert result.status == "refused" and result.report is not None
    assert "subject_overlap" in result.report.read_text(encoding="utf-8")
    assert not (tmp_path / "out" / "data").exists() and read_manifest(tmp_path / "out", "twice") is None


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"score": "mild"}, "line 2: expected a score of 0 to 4"),
        ({"score": "5"}, "line 2: expected a score of 0 to 4"),
        ({"split": "dev"}, "line 2: expected a split"),
        ({"subject_id": ""}, "found an empty one"),
        ({"file_name": "../secret.npz"}, "expected a file below the folder"),
        ({"file_name": "none.npz"}, "expected a file none.npz"),
        ({"frame_rate_hz": "fast"}, "expected a number as frame_rate_hz"),
        ({"scoer": "1"}, "found 'scoer'"),
    ],
)
def test_metadata_with_a_fault_names_the_line(folder: Path, change: dict[str, str], expected: str) -> None:
    metadata(folder, [{"file_name": "walks/0.npz", "subject_id": "p", "score": "1", **change}])
    with pytest.raises(AgirError, match=r"metadata\.csv") as error:
        FolderSource(folder).references()
    assert expected in str(error.value)


def test_care_pd_cannot_go_through_the_folder_source(folder: Path) -> None:
    save(folder / "BMCLab.pkl", {"SUB01": {"walk": walk_record(30)}})
    metadata(folder, [{"file_name": "BMCLab.pkl", "subject_id": "SUB01", "score": 1}])
    source = FolderSource(folder, licence_name="mit")
    with pytest.raises(MotionFormatError, match="--source care_pd"):
        source.read(source.references()[0])


def test_nine_cohorts_go_through(tmp_path: Path) -> None:
    data, output = nine_cohorts(tmp_path / "care"), tmp_path / "out"
    assert main(["build", "--source", "care_pd", "--path", str(data), "--output", str(output)]) == 0
    rows = [r for split in load_dataset(str(output)).values() for r in split]
    assert {r["cohort"] for r in rows} == set(RATES_HZ) and len(rows) == 18
    assert {r["cohort"]: r["frame_rate_hz"] for r in rows} == {c: float(rate) for c, rate in RATES_HZ.items()}
    assert {r["cohort"] for r in rows if r["score"] is None} == {"DNE", "E-LC", "KUL-DT-T", "T-LTC", "T-SDU"}
    folds = {r["subject_id"]: r["split"] for r in rows if r["cohort"] in ("BMCLab", "PD-GaM")}
    assert folds == {"BMCLab/SUB01": "test", "BMCLab/SUB02": "train", "PD-GaM/SUB01": "train", "PD-GaM/SUB02": "test"}
    assert all(r["licence"] == "cc-by-nc-nd-4.0" and r["metadata"]["medication"] == "off" for r in rows)
    manifest = read_manifest(output, "care_pd")
    assert manifest is not None and not manifest.may_be_shared
    other = CarePdSource(data, fold_set="6fold", fold=2)
    assert {r.clip_id: r.split for r in other.references()}["BMCLab/SUB02/walk_1"] == "train"
    with pytest.raises(AgirError, match="with a fold 9"):
        CarePdSource(data, fold_set="6fold", fold=9).references()


def test_joints_from_pose_agree_with_another_forward_kinematics(tmp_path: Path) -> None:
    nine_cohorts(tmp_path, subjects=1)
    source, (offsets, parents) = CarePdSource(tmp_path), rest_skeleton()
    for reference in source.references():
        motion = load_care_pd(tmp_path / f"{reference.cohort}.pkl")["SUB01/walk_1"].motion
        expected = quaternion_joints(motion.pose, motion.trans_m, offsets, parents)
        found, _ = smpl_joints(motion.pose, motion.trans_m)
        assert np.linalg.norm(found - expected, axis=-1).max() < 1e-4
        kept = [JOINT_INDEX[name] for name in KEPT]
        joints = source.read(reference).clip.joints_m[:, kept]
        # The floor is put at 0: one height for the whole clip.
        lifted = expected[:, kept] + [0.0, float(joints[0, 0, 1] - expected[0, kept[0], 1]), 0.0]
        assert np.linalg.norm(joints - lifted, axis=-1).max() < 1e-4


def test_odd_shapes_are_read_and_what_cannot_be_is_recorded(tmp_path: Path) -> None:
    walk = walk_record(30)
    odd = {
        "as_joints": walk_record(30, seed=1, pose=walk["pose"].reshape(-1, 24, 3)),
        "single": walk_record(30, seed=2, beta=np.zeros(10), fps=np.array([30]), UPDRS_GAIT=np.float64("nan")),
        "float32": walk_record(30, seed=3, pose=walk["pose"].astype(np.float32), UPDRS_GAIT=np.int64(2)),
        "no_beta": walk_record(30, seed=4, beta=..., other="freezer"),
        "cut": walk_record(30, seed=5, pose=walk["pose"][:, :70]),
        "shorter": walk_record(30, seed=6, trans=walk["trans"][:-1]),
        "one_frame": walk_record(30, seed=7, seconds=1 / 30),
        "no_rate": walk_record(30, seed=8, fps=None),
        "nan": walk_record(30, seed=9, pose=np.full_like(walk["pose"], np.nan)),
        "label": walk_record(30, seed=10, UPDRS_GAIT="2?"),
    }
    save(tmp_path / "3DGait.pkl", {7: odd})
    build(BuildRecipe(CarePdSource(tmp_path), seed=1), tmp_path / "out", ExecutorSettings())
    rows = [r for split in load_dataset(str(tmp_path / "out")).values() for r in split]
    assert {r["clip_id"].split("/")[-1] for r in rows} == {"as_joints", "single", "float32", "no_beta"}
    assert {r["subject_id"] for r in rows} == {"3DGait/7"}
    scores = {r["clip_id"].split("/")[-1]: r["score"] for r in rows}
    assert scores["single"] is None and scores["float32"] == 2
    failures = [f for f in report_of(tmp_path / "out", "care_pd")["failures"] if f["kind"] == "unreadable"]
    assert {f["clip_id"].split("/")[-1] for f in failures} == {"cut", "shorter", "one_frame", "no_rate", "nan", "label"}
    assert all("expected" in f["detail"] and str(tmp_path) not in f["detail"] for f in failures)


class Hostile:
    """A pickle that runs a command when it is loaded the ordinary way."""

    def __reduce__(self):
        return os.mkdir, ("ran",)


@pytest.mark.parametrize("place", ["BMCLab.pkl", "folds/UPDRS_Datasets/BMCLab_fixed.pkl"])
def test_a_hostile_pickle_is_refused(
    tmp_path: Path, place: str, capsys: pytest.CaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = nine_cohorts(tmp_path / "care")
    (data / place).write_bytes(pickle.dumps({"SUB01": {"walk_1": Hostile()}, 1: Hostile()}))
    monkeypatch.chdir(tmp_path)
    assert main(["build", "--source", "care_pd", "--path", str(data), "--output", str(tmp_path / "out")]) == 2
    assert "mkdir" in capsys.readouterr().err
    assert not (tmp_path / "ran").exists() and not (tmp_path / "out" / "data").exists()


def test_a_pickle_of_another_name_is_no_cohort(tmp_path: Path) -> None:
    save(tmp_path / "mine.pkl", {})
    with pytest.raises(AgirError, match="named after the cohorts"):
        CarePdSource(tmp_path).references()
    with pytest.raises(AgirError, match="--path FOLDER"):
        CarePdSource(tmp_path / "none").recipe()


def test_a_dataset_with_other_column_names(built: Path, tmp_path: Path) -> None:
    rows = load_dataset(str(built), split="train").select(range(4))
    theirs = rows.select_columns(["joints_m", "frame_rate_hz", "subject_id", "score"])
    theirs = theirs.rename_columns({"joints_m": "keypoints", "score": "label"})
    (tmp_path / "hub").mkdir()
    theirs.to_parquet(str(tmp_path / "hub" / "train.parquet"))
    output = tmp_path / "out"
    request = ["build", "--source", "hub", "--dataset", str(tmp_path / "hub"), "--output", str(output)]
    assert main([*request, "--columns", "joints_m=keypoints"]) == 2
    assert main([*request, "--columns", "joints_m=keypoints,score=label", "--licence", "mit"]) == 0
    found = [r for split in load_dataset(str(output), "hub").with_format("numpy").values() for r in split]
    expected = {r["subject_id"] + str(r["frame_rate_hz"]): r for r in rows.with_format("numpy")}
    assert len(found) == 4
    for row in found:
        before = expected[row["subject_id"] + str(row["frame_rate_hz"])]
        assert np.array_equal(row["score"], before["score"], equal_nan=True)  # a score that nobody gave reads as NaN
        assert np.abs(row["joints_m"] - before["joints_m"]).max() < 1e-3
    assert load_dataset(str(output), "hub")["train"].features == example_features()


def test_the_content_decides_the_recipe(folder: Path, tmp_path: Path) -> None:
    first = BuildRecipe(FolderSource(folder), seed=1).sha256()
    assert BuildRecipe(FolderSource(folder), seed=1).sha256() == first
    assert BuildRecipe(FolderSource(folder), seed=2).sha256() != first
    with (folder / "walks" / "0.npz").open("ab") as stream:
        stream.write(b"x")
    assert BuildRecipe(FolderSource(folder), seed=1).sha256() != first


def test_what_is_not_known_to_be_shareable_is_not_shared() -> None:
    assert declared_licence("CC-BY-4.0").may_be_shared
    for name in (None, "cc-by-nc-nd-4.0", "cc-by-nd-4.0", "other", "unknown", "proprietary"):
        assert not declared_licence(name).may_be_shared
