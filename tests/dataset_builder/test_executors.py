"""The same bytes under Slurm (its commands stood in for by scripts) and under Ray where that is installed."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest
from folders import contents

from dataset_builder.executors import ExecutorSettings, run_shards
from dataset_builder.recipe import BuildRecipe
from dataset_builder.shards import is_whole, plan_shards

ROOT = Path(__file__).resolve().parents[2]

SBATCH = """#!/usr/bin/env python
import os, re, subprocess, sys
script = open(sys.argv[-1], encoding="utf-8").read()
with open(os.environ["SLURM_STAND_IN_LOG"], "a", encoding="utf-8") as log:
    log.write(script)
array = re.search(r"--array=0-(\\d+)", script)
if "launch_pickled_pipeline" in script:
    offset = next((a.split("RUN_OFFSET=")[1] for a in sys.argv if "RUN_OFFSET=" in a), "0")
    for task in range(int(array.group(1)) + 1):
        env = {**os.environ, "SLURM_ARRAY_TASK_ID": str(task), "RUN_OFFSET": offset, "SLURM_NODELIST": "here"}
        subprocess.run(["bash", sys.argv[-1]], env=env, check=True, stdout=sys.stderr)
print("Submitted batch job 7")
"""
SRUN = """#!/usr/bin/env python
import subprocess, sys
sys.exit(subprocess.run(sys.argv[sys.argv.index("launch_pickled_pipeline"):]).returncode)
"""
SCONTROL = """#!/usr/bin/env python
print("here")
"""


def request(output: Path, *options: str) -> list[str]:
    return [
        *(sys.executable, "-m", "dataset_builder", "build", "--source", "simulated", "--people", "10", "--walks", "2"),
        *("--output", str(output), "--seed", "5", "--clips-per-shard", "6", *options),
    ]


def run(command: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))}
    return subprocess.run(command, cwd=ROOT, env=env | environment, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_slurm_submits_what_is_missing_and_the_same_command_finishes(built: Path, tmp_path: Path) -> None:
    commands, output, log = tmp_path / "bin", tmp_path / "out", tmp_path / "submitted"
    commands.mkdir()
    for name, text in (("sbatch", SBATCH), ("srun", SRUN), ("scontrol", SCONTROL)):
        (commands / name).write_text(text, encoding="utf-8")
        (commands / name).chmod(0o755)
    path = os.pathsep.join((str(commands), str(Path(sys.executable).parent), os.environ["PATH"]))
    slurm = ("--executor", "slurm", "--slurm-partition", "short", "--slurm-time", "00:30:00", "--workers", "3")
    done = run(request(output, *slurm), PATH=path, SLURM_STAND_IN_LOG=str(log))
    assert done.returncode == 0, done.stderr
    assert contents(output) == contents(built)
    script = log.read_text(encoding="utf-8")
    assert "--partition=short" in script and "--time=00:30:00" in script and "--array=0-4%3" in script


def test_without_slurm_the_build_says_so(tmp_path: Path) -> None:
    done = run(request(tmp_path / "out", "--executor", "slurm", "--slurm-partition", "x"), PATH="/nowhere")
    assert done.returncode == 2 and "expected sbatch" in done.stderr.splitlines()[-1]


def test_without_ray_the_build_says_what_to_install(tmp_path: Path) -> None:
    if importlib.util.find_spec("ray") is not None:
        pytest.skip("ray is installed")
    done = run(request(tmp_path / "out", "--executor", "ray"))
    assert done.returncode == 2 and "pip install 'ray[default]'" in done.stderr.splitlines()[-1]


@pytest.mark.slow
def test_ray_makes_the_same_bytes(built: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray", reason="ray is not installed: pip install 'ray[default]'")
    done = run(request(tmp_path / "out", "--executor", "ray", "--workers", "2", "--memory-gb", "1"))
    assert done.returncode == 0, done.stderr
    assert contents(tmp_path / "out") == contents(built)


def test_shards_made_elsewhere_are_waited_for(recipe: BuildRecipe, tmp_path: Path, monkeypatch) -> None:
    """What Slurm has not made yet is missing; nothing is finished before it is there."""

    class Submits:
        def run(self) -> None:
            """Returns before any task is done, as sbatch does."""

    monkeypatch.setattr("dataset_builder.executors._executor", lambda *_: Submits())
    staging = tmp_path / "shards"
    staging.mkdir()
    left = run_shards(recipe, staging, tmp_path / "logs", ExecutorSettings(kind="slurm", slurm_partition="x"))
    assert left == list(plan_shards(recipe)) and not any(is_whole(shard.path(staging)) for shard in left)
