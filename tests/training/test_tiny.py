"""The whole way from simulated people to a checkpoint that assesses a walk, at smoke size, as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("trl", reason="needs the train extra")

ROOT = Path(__file__).resolve().parent.parent.parent


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "agir_hf.cli", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=540, cwd=ROOT, encoding="utf-8")


def test_smoke_recipe_makes_a_checkpoint_that_assesses(tmp_path: Path) -> None:
    done = run("train", "tiny", "--smoke", "--output", str(tmp_path), "cohort.train_people=8")
    assert done.returncode == 0, done.stderr[-2000:]
    checkpoint = tmp_path / "checkpoint"
    record = json.loads((checkpoint / "run_record.json").read_text(encoding="utf-8"))
    assert set(record["stages"]) >= {"cohort", "motion_tokenizer", "quote", "describe", "assess", "evaluation"}
    assert record["recipe"]["cohort"]["train_people"] == 8
    card = (checkpoint / "README.md").read_text(encoding="utf-8")
    assert "simulated people only" in card.lower() or "simulated people" in card
    assert "random forest" in card

    assessed = run("assess", "examples/simulated_walk.npz", "--model", str(checkpoint), "--format", "json")
    assert assessed.returncode == 0, assessed.stderr[-2000:]
    result = json.loads(assessed.stdout)
    assert result["trained_on"] == "simulated" and result["model"] == "checkpoint"
    assert result["gait_parameters"]["walking_speed_mps"] == pytest.approx(0.76, abs=0.02)

    # A finished run is not repeated.
    again = run("train", "tiny", "--smoke", "--output", str(tmp_path), "cohort.train_people=8")
    assert again.returncode == 0, again.stderr[-2000:]
    assert "motion_tokenizer took" not in again.stderr and "assess took" not in again.stderr


def test_unknown_key_stops_before_anything_is_made(tmp_path: Path) -> None:
    done = run("train", "tiny", "--smoke", "--output", str(tmp_path / "run"), "cohort.poeple=8")
    assert done.returncode == 2
    assert "unknown recipe key" in done.stderr and "Traceback" not in done.stderr
    assert not (tmp_path / "run").exists()
