"""Small inputs under the names that the documentation uses, made when a block first mentions them."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from docs_blocks import ROOT, Block

import agir_hf
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import simulate_person, simulate_walk

EXAMPLE = ROOT / "examples" / "simulated_walk.npz"
SECONDS = 4.0


def _walk(seed: int) -> agir_hf.MotionClip:
    return simulate_walk(simulate_person(41, score=2), seed=seed, duration_s=SECONDS).clip


def _motion(path: Path) -> None:
    write_motion(_walk(2 if path.stem == "after" else 1), path)


def _array(path: Path) -> None:
    np.save(path, _walk(1).joints_m)


def _recordings(folder: Path) -> None:
    folder.mkdir()
    write_motion(_walk(1), folder / "walk.bvh")


def _clinic(folder: Path) -> None:
    folder.mkdir()
    rows = ["file_name,subject_id,score"]
    for place, letter in enumerate("abcdef"):
        write_motion(_walk(place + 1), folder / f"{letter}.npz")
        rows.append(f"{letter}.npz,p{place + 1:02},{place % 3}")
    (folder / "metadata.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")


def _care_pd(folder: Path) -> None:
    sys.path.insert(0, str(ROOT / "tests" / "dataset_builder"))
    from care_pd_files import nine_cohorts

    nine_cohorts(folder)


def _tiny(folder: Path) -> None:
    folder.symlink_to(agir_hf.packaged_checkpoint("agir-tiny"), target_is_directory=True)


def _report(folder: Path) -> None:
    shutil.copytree(ROOT / "benchmarks" / "results" / "agir-tiny", folder)


def _example(path: Path) -> None:
    shutil.copyfile(EXAMPLE, path)


MAKERS: dict[str, Callable[[Path], None]] = {
    "examples/simulated_walk.npz": _example,
    "walk.bvh": _motion,
    "before.bvh": _motion,
    "after.bvh": _motion,
    "walk.npy": _array,
    "joints.npy": _array,
    "recordings": _recordings,
    "my_recordings": _recordings,
    "lab": _recordings,
    "clinic": _clinic,
    "CARE-PD": _care_pd,
    "runs/mine/checkpoint": _tiny,
    "runs/mine/motion_tokenizer": _tiny,
    "runs/base/checkpoint": _tiny,
    "OWNER/NAME": _tiny,
    "runs/before": _report,
    "runs/after": _report,
}
DATASETS = ("gait_dataset", "runs/gait_dataset")


def make_inputs(block: Block, here: Path, build: Callable[[Path], Any]) -> None:
    """Make what a block mentions and what is not there yet, except where the block makes it itself."""
    text = block.text.replace("\\\n", " ")
    for name, make in {**MAKERS, **dict.fromkeys(DATASETS, build)}.items():
        place = here / name
        mentioned = re.search(rf"(?<![\w./-]){re.escape(name)}(?![\w.-])", text)
        made_here = re.search(rf"--output {re.escape(name)}(?![\w.-])", text)
        if mentioned and not made_here and not place.exists():
            place.parent.mkdir(parents=True, exist_ok=True)
            make(place)
