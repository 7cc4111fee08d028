"""The whole way from a dataset to a checkpoint that assesses a walk, at smoke size, as a user runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs the train extra")

from agir_hf.cli import main

ROOT = Path(__file__).resolve().parent.parent.parent


def test_smoke_recipe_makes_a_checkpoint_that_assesses(
    gait_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    request = ["train", "tiny", "--smoke", "--output", str(tmp_path), f"data.dataset={gait_dataset}"]
    assert main([*request, "evaluate_walks=4"]) == 0
    assert "motion_tokenizer took" in capsys.readouterr().err
    checkpoint = tmp_path / "checkpoint"
    record = json.loads((checkpoint / "run_record.json").read_text(encoding="utf-8"))
    assert set(record["stages"]) >= {"data", "motion_tokenizer", "quote", "describe", "assess", "evaluation"}
    assert record["recipe"]["evaluate_walks"] == 4 and record["stages"]["data"]["people"]["train"] == 19
    card = (checkpoint / "README.md").read_text(encoding="utf-8")
    assert "simulated people" in card.lower() and "random forest" in card
    assert not list(tmp_path.rglob("checkpoint-*")) and not list(tmp_path.rglob("step-*"))

    walk = str(ROOT / "examples" / "simulated_walk.npz")
    assert main(["assess", walk, "--model", str(checkpoint), "--format", "json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert result["trained_on"] == "simulated" and result["model"] == "checkpoint"
    assert result["gait_parameters"]["walking_speed_mps"] == pytest.approx(0.76, abs=0.02)

    # A finished run is not repeated.
    assert main([*request, "evaluate_walks=4"]) == 0
    told = capsys.readouterr().err
    assert "motion_tokenizer took" not in told and "assess took" not in told


def test_what_is_wrong_with_a_request_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for change, said in (
        ("tokenizer.setps=8", "did you mean 'tokenizer.steps'"),
        ("seed=1", "python -m dataset_builder build"),
        (f"data.dataset={tmp_path / 'nothing'}", "found: "),
    ):
        empty = [] if change.startswith("data") else ["data.dataset="]
        assert main(["train", "tiny", "--smoke", "--output", str(tmp_path / "run"), *empty, change]) == 2
        told = capsys.readouterr().err
        assert said in told and "Traceback" not in told
