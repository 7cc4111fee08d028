"""The simulated cohort as training material: features, and texts grounded in what was measured.

Shards of people are made in worker processes and written once each (temporary name, then renamed), so a stopped build
goes on where it was and never leaves half a shard.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from ..gait import measure_gait
from ..motion.features import joints_to_features
from ..motion.retarget import FEATURE_RATE_HZ, resample_joints, retarget_joints
from ..rationale import describe, evidence_block, write_rationale
from ..simulation import cohort_walk
from .recipe import CohortRecipe

PEOPLE_PER_SHARD = 50
SPLITS = ("train", "validation", "test")
FRAMES_PER_CODE = 4


@dataclass(frozen=True)
class ShardJob:
    """One shard to make: people ``[first, last)`` of the cohort, written to ``stem`` + ``.npz`` / ``.jsonl``."""

    seed: int
    split: str
    first: int
    last: int
    walks_per_person: int
    stem: str


def person_range(recipe: CohortRecipe, split: str) -> range:
    """Indices of the people of a split; the splits follow each other, so nobody is in two."""
    sizes = (recipe.train_people, recipe.validation_people, recipe.test_people)
    start = sum(sizes[: SPLITS.index(split)])
    return range(start, start + sizes[SPLITS.index(split)])


def make_example(cohort_seed: int, person: int, walk: int) -> tuple[NDArray[np.float32], dict[str, Any]] | None:
    """One walk as (features (T', 263), texts and figures); None if the measuring does not recognise it as walking."""
    simulated = cohort_walk(cohort_seed, person, walk)
    parameters = measure_gait(simulated.clip)
    if not parameters.quality.walking:
        return None
    joints = resample_joints(simulated.clip.joints_m, simulated.clip.frame_rate_hz, FEATURE_RATE_HZ)
    features = joints_to_features(retarget_joints(joints))
    frames = len(features) // FRAMES_PER_CODE * FRAMES_PER_CODE
    if frames < FRAMES_PER_CODE:
        return None
    rng = random.Random(f"{cohort_seed}/{person}/{walk}")
    return features[:frames].astype(np.float32), {
        "clip_id": simulated.clip_id,
        "subject_id": simulated.subject_id,
        "person": person,
        "walk": walk,
        "score": simulated.score,
        "frames": frames,
        "parameters": dict(parameters.values),
        "low_confidence": sorted(parameters.low_confidence),
        "evidence": evidence_block(parameters),
        "descriptions": [describe(parameters, rng) for _ in range(2)],
        "rationales": [write_rationale(parameters, rng) for _ in range(2)],
        "rationale_words": write_rationale(parameters, rng, numbers=False),
    }


def make_shard(job: ShardJob) -> str:
    """Make one shard; returns its stem."""
    stem = Path(job.stem)
    features, rows = [], []
    for person in range(job.first, job.last):
        for walk in range(job.walks_per_person):
            example = make_example(job.seed, person, walk)
            if example is not None:
                features.append(example[0])
                rows.append(example[1])
    temporary = stem.with_suffix(f".{os.getpid()}.tmp.npz")
    np.savez(temporary, features=np.concatenate(features) if features else np.zeros((0, 263), np.float32))
    lines = stem.with_suffix(f".{os.getpid()}.tmp.jsonl")
    lines.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    temporary.replace(stem.with_suffix(".npz"))
    lines.replace(stem.with_suffix(".jsonl"))  # last: its presence says that the shard is whole
    return job.stem


@dataclass(frozen=True)
class CohortSplit:
    """A split in memory: ``features`` (sum of frames, 263) of all clips one after the other, and a row per clip."""

    features: NDArray[np.float32]
    rows: list[dict[str, Any]]

    def clip_features(self) -> list[NDArray[np.float32]]:
        """The features of each clip, in the order of ``rows``."""
        ends = np.cumsum([row["frames"] for row in self.rows])
        return [self.features[end - row["frames"] : end] for end, row in zip(ends, self.rows, strict=True)]


def build_cohort(recipe: CohortRecipe, folder: Path, *, workers: int) -> dict[str, CohortSplit]:
    """Make (or go on making) the cohort under ``folder`` and read it back."""
    signature = json.dumps(asdict(recipe), sort_keys=True)
    home = folder / f"cohort-{hashlib.sha256(signature.encode()).hexdigest()[:12]}"
    home.mkdir(parents=True, exist_ok=True)
    jobs: dict[str, list[ShardJob]] = {}
    for split in SPLITS:
        people = person_range(recipe, split)
        jobs[split] = [
            ShardJob(
                recipe.seed,
                split,
                first,
                min(first + PEOPLE_PER_SHARD, people.stop),
                recipe.walks_per_person,
                str(home / f"{split}-{first:06d}"),
            )
            for first in range(people.start, people.stop, PEOPLE_PER_SHARD)
        ]
    todo = [job for split in SPLITS for job in jobs[split] if not Path(job.stem).with_suffix(".jsonl").is_file()]
    if todo:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            for _ in tqdm(pool.map(make_shard, todo), total=len(todo), desc="simulated people", unit="shard"):
                pass
    return {split: _read_split([Path(job.stem) for job in jobs[split]]) for split in SPLITS}


def _read_split(stems: list[Path]) -> CohortSplit:
    features, rows = [], []
    for stem in stems:
        with np.load(stem.with_suffix(".npz"), allow_pickle=False) as content:
            features.append(content["features"])
        rows += [json.loads(line) for line in stem.with_suffix(".jsonl").read_text(encoding="utf-8").splitlines()]
    return CohortSplit(np.concatenate(features), rows)


def data_hash(splits: dict[str, CohortSplit]) -> str:
    """SHA-256 over every feature and row, for the run record."""
    digest = hashlib.sha256()
    for split in SPLITS:
        digest.update(splits[split].features.tobytes())
        digest.update(json.dumps(splits[split].rows, sort_keys=True).encode())
    return digest.hexdigest()
