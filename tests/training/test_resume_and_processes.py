"""A killed run ends with the weights of an undisturbed one; two processes learn what one learns."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytest.importorskip("trl", reason="needs the train extra")

ROOT = Path(__file__).resolve().parent.parent.parent


def request(what: str, dataset: Path, output: Path, *changes: str) -> list[str]:
    return ["--recipe", "smoke", "--output", str(output), f"data.dataset={dataset}", "evaluate_walks=4", *changes]


def environment() -> dict[str, str]:
    # In bf16 two halves of a batch are rounded otherwise than the whole.
    return {**os.environ, "OMP_NUM_THREADS": "1", "ACCELERATE_MIXED_PRECISION": "no"}


def run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=540, cwd=ROOT, env=environment())
    assert done.returncode == 0, done.stderr[-3000:]


def killed_when(command: list[str], there: Path) -> None:
    """Start, and ``kill`` as soon as a path is there."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not there.exists():
        assert process.poll() is None and time.monotonic() < deadline, f"{there} never came"
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)
    process.wait()


def train(what: str) -> list[str]:
    return [sys.executable, "-m", "agir_hf.cli", "train", what]


def same_weights(one: Path, other: Path) -> None:
    first, second = load_file(one), load_file(other)
    assert set(first) == set(second)
    for name, tensor in first.items():
        assert torch.equal(tensor, second[name]), name


PACKAGED = f"motion_tokenizer={ROOT / 'agir_hf' / 'checkpoints' / 'agir-tiny'}"
TOKENIZER = ("tokenizer.steps=60", "tokenizer.save_steps=15", "tokenizer.eval_steps=30")


@pytest.mark.slow
def test_a_killed_tokenizer_run_ends_with_the_same_weights(gait_dataset: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    run([*train("tokenizer"), *request("tokenizer", gait_dataset, whole, *TOKENIZER)])
    command = [*train("tokenizer"), *request("tokenizer", gait_dataset, broken, *TOKENIZER)]
    for step in (15, 45):
        killed_when(command, broken / "motion_tokenizer" / "checkpoints" / f"step-{step}" / "state.json")
    run(command)
    same_weights(*(folder / "motion_tokenizer" / "model.safetensors" for folder in (whole, broken)))
    logs = [(f / "motion_tokenizer" / "training_log.jsonl").read_text(encoding="utf-8") for f in (whole, broken)]
    steps = [[json.loads(line)["step"] for line in log.splitlines()] for log in logs]
    assert steps[0] == steps[1]


@pytest.mark.slow
def test_a_killed_fine_tuning_ends_with_the_same_weights(gait_dataset: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    changes = (PACKAGED, "stages=[describe]", "describe.save_steps=3")
    run([*train("sft"), *request("sft", gait_dataset, whole, *changes)])
    command = [*train("sft"), *request("sft", gait_dataset, broken, *changes)]
    for step in (3, 6):
        killed_when(command, broken / "describe" / f"checkpoint-{step}" / "trainer_state.json")
    run(command)
    same_weights(*(folder / "describe" / "model.safetensors" for folder in (whole, broken)))


def losses(path: Path) -> list[float]:
    if path.suffix == ".jsonl":
        rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    else:
        rows = json.loads(path.read_text(encoding="utf-8"))["log_history"]
    return [row["loss"] for row in rows if "loss" in row]


def launched(module: str) -> list[str]:
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    return [*launch, "-m", f"agir_hf.training.{module}"]


@pytest.mark.slow
def test_two_processes_learn_what_one_learns(gait_dataset: Path, tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    # Whole batches only: a last one that processes cannot share evenly is filled up with rows from the start.
    changes = (PACKAGED, "stages=[describe]", "log_every=1", "data.train_clips=36", *TOKENIZER)
    run([*train("tokenizer"), *request("tokenizer", gait_dataset, one, *changes)])
    run([*train("sft"), *request("sft", gait_dataset, one, *changes, "describe.batch_size=8")])
    run([*launched("motion_tokenizer"), *request("tokenizer", gait_dataset, two, *changes)])
    run([*launched("sft"), *request("sft", gait_dataset, two, *changes, "describe.batch_size=4")])
    for name in ("motion_tokenizer/training_log.jsonl", "describe/trainer_state.json"):
        first, second = losses(one / name), losses(two / name)
        assert len(first) == len(second) >= 9, name
        assert max(abs(a - b) for a, b in zip(first, second, strict=True)) < 1e-3, (name, first, second)
