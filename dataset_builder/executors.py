"""The same steps under datatrove's local, Slurm and Ray executors.

datatrove keeps completion markers in a logging folder, one empty file for each task. They name a rank, not what it
made: a marker outlives its shard, and a task killed between its shard and its marker is done twice. So the shard itself
is the truth here: before each run the markers are made to agree with the shards that are whole. Folder and markers
belong to one recipe (its hash is in the folder's name) and go when the build is finished; the logs with their time
stamps never get near the data.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agir_hf.errors import AgirError, MissingDependencyError, require

from .recipe import BuildRecipe
from .shards import Shard, is_whole, plan_shards

ExecutorKind = Literal["local", "slurm", "ray"]
EXECUTORS: tuple[ExecutorKind, ...] = ("local", "slurm", "ray")


@dataclass(frozen=True)
class ExecutorSettings:
    """Where the tasks run; nothing here changes what they make.

    Attributes:
        kind: local, slurm or ray.
        workers: tasks at a time.
        slurm_partition: partition for ``sbatch``.
        slurm_time: time limit of a task, as ``sbatch`` writes it.
        memory_gb: for each task, under Slurm and Ray.
        verbose: whether datatrove's log is shown as well.
    """

    kind: ExecutorKind = "local"
    workers: int = 1
    slurm_partition: str = ""
    slurm_time: str = "02:00:00"
    memory_gb: int = 2
    verbose: bool = False

    def __post_init__(self) -> None:
        if self.kind not in EXECUTORS:
            raise AgirError(f"expected an executor of {', '.join(EXECUTORS)}, found {self.kind!r}")
        if self.workers < 1:
            raise AgirError(f"expected at least 1 worker, found {self.workers}")
        if self.kind == "slurm" and not self.slurm_partition:
            raise AgirError("expected a partition for Slurm, found none: --slurm-partition NAME (sinfo lists them)")


def missing_shards(recipe: BuildRecipe, staging: Path) -> list[Shard]:
    """Shards that are not there yet, or not whole."""
    return [shard for shard in plan_shards(recipe) if not is_whole(shard.path(staging))]


def run_shards(recipe: BuildRecipe, staging: Path, logs: Path, settings: ExecutorSettings) -> list[Shard]:
    """Make the missing shards; returns those still missing, which under Slurm are all that were just submitted.

    Raises:
        MissingDependencyError: datatrove, or ray for its executor, is not installed.
        AgirError: Slurm's commands are not there.
    """
    quiet_logs(settings.verbose)
    require("datatrove", "dataset")
    missing = missing_shards(recipe, staging)
    _settle_markers(logs, len(plan_shards(recipe)), {shard.index for shard in missing})
    if not missing:
        return []
    executor = _executor(recipe, staging, logs, settings, len(missing))
    try:
        executor.run()
    except FileNotFoundError as error:
        if settings.kind == "slurm" and error.filename == "sbatch":
            raise AgirError("expected sbatch on this machine, found none: start from a login node of Slurm") from error
        raise
    return missing_shards(recipe, staging)


def _settle_markers(logs: Path, tasks: int, missing: set[int]) -> None:
    markers = logs / "completions"
    markers.mkdir(parents=True, exist_ok=True)
    for rank in range(tasks):
        marker = markers / f"{rank:05d}"
        if rank in missing:
            marker.unlink(missing_ok=True)
        else:
            marker.touch()


def _executor(recipe: BuildRecipe, staging: Path, logs: Path, settings: ExecutorSettings, missing: int) -> Any:
    from .steps import QuietLocalExecutor, build_steps

    steps, tasks = build_steps(recipe, staging), len(plan_shards(recipe))
    workers = min(settings.workers, missing)
    if settings.kind == "local":
        from datatrove.executor.local import LocalPipelineExecutor

        return (LocalPipelineExecutor if settings.verbose else QuietLocalExecutor)(
            pipeline=steps, tasks=tasks, workers=workers, logging_dir=str(logs), start_method="spawn"
        )
    if settings.kind == "ray":
        try:
            import ray
        except ImportError as error:
            # Large, and of use with a cluster only: no extra of ours brings it.
            raise MissingDependencyError(
                f"ray is needed for its executor and cannot be imported ({error}); run: pip install 'ray[default]'"
            ) from error
        from datatrove.executor.ray import RayPipelineExecutor

        if not ray.is_initialized():
            # RAY_ADDRESS names a cluster; without one Ray starts on this machine.
            ray.init(address=os.environ.get("RAY_ADDRESS"), include_dashboard=False, log_to_driver=False)
        return RayPipelineExecutor(
            pipeline=steps, tasks=tasks, workers=workers, logging_dir=str(logs), mem_per_cpu_gb=settings.memory_gb
        )
    from datatrove.executor.slurm import SlurmPipelineExecutor

    activate = Path(sys.prefix) / "bin" / "activate"
    return SlurmPipelineExecutor(
        pipeline=steps,
        tasks=tasks,
        workers=workers,
        time=settings.slurm_time,
        partition=settings.slurm_partition,
        mem_per_cpu_gb=settings.memory_gb,
        job_name="gait-dataset",
        logging_dir=str(logs),
        slurm_logs_folder=str(logs / "slurm"),
        venv_path=str(activate) if activate.is_file() else None,
    )


def quiet_logs(verbose: bool) -> None:
    """Keep datatrove's log off the terminal unless asked for; its files under the logging folder have it all."""
    if not verbose:
        os.environ.setdefault("LOGURU_LEVEL", "WARNING")
