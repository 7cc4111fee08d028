"""``agir evaluate`` as a user runs it, at its quick size, on a small simulated dataset and on files."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

pytest.importorskip("datasets", reason="needs the evaluate extra")
pytest.importorskip("sklearn", reason="needs the evaluate extra")
pytest.importorskip("sacrebleu", reason="needs the evaluate extra")

from agir_hf import packaged_checkpoint
from agir_hf.cli import main
from agir_hf.errors import AgirError
from agir_hf.evaluation.run import read_report
from agir_hf.hub.card import write_assessor_card
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import simulate_person, simulate_walk


@pytest.fixture(scope="module")
def output(gait_dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluation")
    model = shutil.copytree(packaged_checkpoint("agir-tiny"), folder / "model")
    recorded = folder / "recorded"
    recorded.mkdir()
    rows = ["file_name,subject_id,diagnosis"]
    for person, diagnosis in enumerate(("Healthy", "Healthy", "Some disorder")):
        walk = simulate_walk(simulate_person(person), seed=person, frame_rate_hz=30.0, duration_s=4.0).clip
        write_motion(walk, recorded / f"{person}.bvh")
        rows.append(f"{person}.bvh,{person},{diagnosis}")
    (recorded / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    request = ["--model", str(model), "--data", str(gait_dataset), "--recordings", str(recorded), "--quick"]
    assert main(["evaluate", *request, "--output", str(folder / "report")]) == 0
    return folder / "report"


def test_a_quick_report_is_whole(output: Path) -> None:
    report = read_report(output)
    assert report["simulated"] and report["quick"] and report["trained_on"] == "simulated"
    systems = report["systems"]
    assert {"most frequent score", "random forest on measures", "AGIR, motion only"} <= set(systems)
    for figures in systems.values():
        assert figures["walks"] == report["test_walks"]
        if "confusion" in figures:
            assert np.sum(figures["confusion"]) == figures["answered"] == figures["walks"] - figures["abstained"]
            low, high = figures["accuracy"]["interval_95"]
            if figures["subjects"] == 1:
                assert low is None and high is None
            else:
                assert 0.0 <= low <= figures["accuracy"]["value"] <= high <= 1.0
    assert report["rationales"]["claims"] > 0 and report["reconstruction"]["root_aligned_mm"] > 0.0
    assert [one["clips"] for one in report["spoiled"].values()] == [9, 9]
    assert report["recordings"]["walks"] == 3
    assert {row["subjects"] for row in report["diagnoses"]["recorded"]["auroc"]} == {3}
    text = (output / "report.md").read_text(encoding="utf-8")
    assert "on simulated people" in text and "random forest on measures" in text
    assert {path.suffix for path in output.iterdir()} == {".json", ".md", ".svg"}


def test_the_card_has_the_figures_of_the_report(output: Path) -> None:
    report = read_report(output)
    model = output.parent / "model"
    write_assessor_card(model, json.loads((model / "run_record.json").read_text(encoding="utf-8")), report)
    _, front, text = (model / "README.md").read_text(encoding="utf-8").split("---\n", 2)
    (index,) = yaml.safe_load(front)["model-index"]
    told = {metric["type"]: metric["value"] for metric in index["results"][0]["metrics"]}
    main_system = report["systems"][report["main_system"]]
    assert told["macro_f1"] == main_system["macro_f1"]["value"] and told["ece"] == main_system["ece"]["value"]
    assert f"{told['macro_f1']:.3f}" in text and "simulated test people" in text and "any disorder" in text


def test_a_report_does_not_differ_from_itself(output: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--compare", str(output), str(output)]) == 0
    assert "figures did not change beyond noise." in capsys.readouterr().out


def test_people_with_a_diagnosis_only(output: Path, tmp_path: Path) -> None:
    recorded = output.parent / "recorded"
    assert main(["evaluate", "--data", str(recorded), "--quick", "--output", str(tmp_path)]) == 0
    report = read_report(tmp_path)
    assert not report["simulated"] and report["systems"] == {}
    (score, speed) = report["diagnoses"]["recorded"]["auroc"]
    assert score["subjects"] == speed["subjects"] == 3 and score["healthy"] == 2
    assert 0.0 <= score["value"] <= 1.0 and score["interval_95"] == [None, None]
    assert "Healthy or not, by person: recorded" in (tmp_path / "report.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("request_", "said"),
    [
        (["--also", "AGIR=x"], "a name of its own"),
        (["--also", "=x"], "a name of its own"),
        (["--also", "one=x", "--also", "one=y"], "a name of its own"),
        (["--card", "--quick"], "without --quick"),
        (["--walks", "-1"], "0 or more"),
    ],
)
def test_a_request_that_cannot_be_meant(request_: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        assert main(["evaluate", "--data", str(Path("no") / "where"), *request_]) == 2
    except SystemExit as stopped:
        assert stopped.code == 2
    assert said in capsys.readouterr().err


def test_no_report_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "report.json").write_text(json.dumps({"some": "thing"}), encoding="utf-8")
    with pytest.raises(AgirError, match="found something else"):
        read_report(tmp_path)
    assert main(["evaluate", "--compare", str(tmp_path), str(tmp_path)]) == 2
    assert main(["evaluate"]) == 2
    error = capsys.readouterr().err.splitlines()
    assert len(error) == 2 and "expected --data DATASET_OR_FOLDER" in error[1]
