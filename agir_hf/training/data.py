"""The rationale dataset as training material: features of every clip, and what its texts are made from."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import AgirError
from ..motion import features as motion_features
from ..motion import read_motion, retarget
from ..motion.features import joints_to_features
from ..motion.retarget import FEATURE_RATE_HZ, resample_joints, retarget_joints
from ..rationale import StoredParameters
from ..repositories import why_not
from . import augmentation
from .augmentation import mirrored, varied
from .recipe import DataRecipe

if TYPE_CHECKING:
    from datasets import Dataset

SPLITS = ("train", "validation", "test")
COLUMNS = (
    *("clip_id", "subject_id", "split", "frame_rate_hz", "joints_m", "gait_parameters", "quality"),
    *("evidence", "description", "rationale", "score", "clip_sha256", "metadata", "licence"),
)
HOW_TO_BUILD = (
    "build one with 'python -m dataset_builder build --source simulated --output runs/gait_dataset' and pass "
    "data.dataset=runs/gait_dataset"
)
TEMPLATES = "templates"  # who worded a text that may be worded anew
# Copies for the motion tokenizer: how much faster or slower they are played, and how far parts of the body are turned.
SPEED_FACTORS, STRENGTHS = (0.75, 1.3), (0.3, 1.3)
_MOTION_SUFFIXES = {".bvh", ".c3d", ".trc", ".amc", ".npy", ".npz", ".pkl"}


@dataclass(frozen=True)
class Walk:
    """One clip of the dataset without its joints.

    Attributes:
        measured: what its texts are made from.
        score: None where nobody gave one.
        templated: whether its texts come from templates and may be worded anew.
        motion_codes: (N,) of the clip, once encoded; ``mirrored_codes`` of its mirror image.
    """

    clip_id: str
    subject_id: str
    score: int | None
    measured: StoredParameters
    evidence: str
    description: str
    rationale: str
    templated: bool
    motion_codes: NDArray[np.int64] | None = None
    mirrored_codes: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class Split:
    """A split: walks, features of each (T', 263) and of its mirror image, on disk until they are used."""

    walks: list[Walk]
    features: list[NDArray[np.float32]]
    mirrored_features: list[NDArray[np.float32]]
    varied_features: list[NDArray[np.float32]]

    def with_codes(self, codes: Sequence[NDArray[np.int64]], mirrored_codes: Sequence[NDArray[np.int64]]) -> Split:
        """The same with motion codes."""
        walks = [
            replace(walk, motion_codes=one, mirrored_codes=other)
            for walk, one, other in zip(self.walks, codes, mirrored_codes, strict=True)
        ]
        return replace(self, walks=walks)


def load_rationale_dataset(recipe: DataRecipe) -> dict[str, Dataset]:
    """The splits of the dataset, cut to the asked number of clips.

    Raises:
        AgirError: no dataset was named, it cannot be loaded, or columns are missing.
    """
    from datasets import load_dataset

    if not recipe.dataset:
        raise AgirError(f"expected a rationale dataset to train on, found none: {HOW_TO_BUILD}")
    try:
        loaded = load_dataset(recipe.dataset, recipe.config, revision=recipe.revision or None)
    except (OSError, ValueError) as error:
        reason = why_not(error, recipe.dataset, revision=recipe.revision or None, repo_type="dataset")
        raise AgirError(
            f"expected a rationale dataset with the configuration '{recipe.config}' in {recipe.dataset}, a folder or "
            f"on the Hub, found: {reason}; {HOW_TO_BUILD}"
        ) from error
    limits = {"train": recipe.train_clips, "validation": recipe.validation_clips, "test": recipe.test_clips}
    found = {}
    for split in SPLITS:
        if split not in loaded:
            raise AgirError(f"expected the splits {', '.join(SPLITS)} in {recipe.dataset}, found {', '.join(loaded)}")
        data = loaded[split]
        if missing := [name for name in COLUMNS if name not in data.column_names]:
            raise AgirError(f"expected a column {missing[0]} in {recipe.dataset}, found {', '.join(data.column_names)}")
        found[split] = data.select(range(min(limits[split] or len(data), len(data))))
    return found


def load_splits(recipe: DataRecipe, *, workers: int) -> dict[str, Split]:
    """Walks and features of every split; features are made once and kept in the cache of ``datasets``."""
    return {
        split: _split(data, workers=workers, varied_copies=recipe.varied_copies if split == "train" else 0)
        for split, data in load_rationale_dataset(recipe).items()
    }


def _split(data: Dataset, *, workers: int, varied_copies: int) -> Split:
    from datasets import Array2D, Features, Value

    shape = Array2D((None, 263), "float32")
    columns = Features({"place": Value("int32"), "kind": Value("string"), "motion_features": shape})
    made = data.select_columns(["clip_id", "joints_m", "frame_rate_hz"]).map(
        clip_features,
        with_indices=True,
        batched=True,
        batch_size=50,
        fn_kwargs={"varied_copies": varied_copies, "made_by": _code_sha256()},
        remove_columns=["clip_id", "joints_m", "frame_rate_hz"],
        features=columns,
        num_proc=min(workers, max(len(data) // 50, 1)) if workers > 1 else None,
        desc="motion features",
    )
    features = _mapped(made)
    kinds, places = made["kind"], made["place"]
    by_kind: dict[str, list[NDArray[np.float32]]] = {"plain": [], "mirrored": [], "varied": []}
    kept = []
    for kind, place, one in zip(kinds, places, features, strict=True):
        by_kind[kind].append(one)
        if kind == "plain":
            kept.append(place)
    rows = data.remove_columns(["joints_m"])
    return Split([_walk(rows[place]) for place in kept], by_kind["plain"], by_kind["mirrored"], by_kind["varied"])


def _code_sha256() -> str:
    """Of the code that features hang on: ``datasets`` knows a function by its name and would keep old results."""
    digest = hashlib.sha256()
    for module in (augmentation, motion_features, retarget):
        digest.update(inspect.getsource(module).encode())
    digest.update(inspect.getsource(varied_copy).encode())
    return digest.hexdigest()


def clip_features(
    batch: dict[str, list[Any]], indices: list[int], varied_copies: int, made_by: str = ""
) -> dict[str, list[Any]]:
    """For ``datasets.map``: features of each clip, its mirror image and varied copies; short clips are left out.

    ``made_by`` names the code, so that results of other code are not taken from the cache.
    """
    made: dict[str, list[Any]] = {"place": [], "kind": [], "motion_features": []}
    for place, clip_id, joints, rate in zip(
        indices, batch["clip_id"], batch["joints_m"], batch["frame_rate_hz"], strict=True
    ):
        joints = np.asarray(joints, dtype=np.float32)
        plain = canonical(joints, rate)
        if len(plain) <= 4:
            continue
        kinds = {"plain": [plain], "mirrored": [mirrored(plain)]}
        rng = np.random.default_rng(int.from_bytes(hashlib.sha256(str(clip_id).encode()).digest()[:8], "big"))
        kinds["varied"] = [varied_copy(joints, rate, rng) for _ in range(varied_copies)]
        for kind, motions in kinds.items():
            for motion in motions:
                if len(motion) > 4:
                    made["place"].append(place)
                    made["kind"].append(kind)
                    made["motion_features"].append(joints_to_features(motion))
    return made


def canonical(joints_m: NDArray[np.floating], frame_rate_hz: float) -> NDArray[np.floating]:
    """(T, 22, 3) on the canonical skeleton at the features' rate."""
    return retarget_joints(resample_joints(joints_m, frame_rate_hz, FEATURE_RATE_HZ))


def varied_copy(joints_m: NDArray[np.floating], frame_rate_hz: float, rng: np.random.Generator) -> NDArray[np.floating]:
    """The clip played at another speed, with parts of the body turned, half of the time mirrored."""
    motion = canonical(joints_m, frame_rate_hz * float(rng.uniform(*SPEED_FACTORS)))
    if len(motion) > 4:
        motion = varied(motion, rng, frame_rate_hz=FEATURE_RATE_HZ, strength=float(rng.uniform(*STRENGTHS)))
    return mirrored(motion) if rng.random() < 0.5 else motion


def recordings_features(folders: Sequence[str], *, copies: int, seed: int) -> list[NDArray[np.float32]]:
    """Features of all motion files below folders, of their mirror images and of varied copies.

    Raises:
        AgirError: a folder is not there or holds no motion.
    """
    found: list[NDArray[np.float32]] = []
    rng = np.random.default_rng(seed)
    for folder in map(Path, folders):
        files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _MOTION_SUFFIXES)
        if not files:
            raise AgirError(f"expected motion files in {folder}, found none")
        for path in files:
            clip = read_motion(path)
            plain = canonical(clip.joints_m, clip.frame_rate_hz)
            motions = [plain, mirrored(plain)]
            motions += [varied_copy(clip.joints_m, clip.frame_rate_hz, rng) for _ in range(copies)]
            found += [joints_to_features(motion) for motion in motions if len(motion) > 4]
    return found


def clips_of(data: Dataset, places: Sequence[int]) -> list[MotionClip]:
    """Rows of the dataset as clips."""
    rows = data.select_columns(["clip_id", "joints_m", "frame_rate_hz"]).with_format("numpy")
    return [
        MotionClip(row["joints_m"], float(row["frame_rate_hz"]), source=str(row["clip_id"]))
        for row in (rows[int(place)] for place in places)
    ]


def evaluated_places(data: Dataset, limit: int) -> list[int]:
    """Places of at most ``limit`` rows with a score: every person's first walk, then the second ones, and so on."""
    turns: dict[str, int] = {}
    order = []
    for place, (subject, score) in enumerate(zip(data["subject_id"], data["score"], strict=True)):
        if score is not None:
            turns[subject] = turns.get(subject, -1) + 1
            order.append((turns[subject], place))
    return [place for _, place in sorted(order)[:limit]]


def data_sha256(data: dict[str, Dataset]) -> str:
    """Hash over the ids, hashes and texts of all rows, for the run record."""
    digest = hashlib.sha256()
    for split, rows in data.items():
        digest.update(split.encode())
        for column in ("clip_id", "clip_sha256", "evidence", "description", "rationale", "score"):
            for value in rows[column]:
                digest.update(repr(value).encode())
    return digest.hexdigest()


def _walk(row: dict[str, Any]) -> Walk:
    worded_by = {row["metadata"]["description_by"], row["metadata"]["rationale_by"]}
    return Walk(
        clip_id=row["clip_id"],
        subject_id=row["subject_id"],
        score=row["score"],
        measured=StoredParameters.from_row(row),
        evidence=row["evidence"],
        description=row["description"],
        rationale=row["rationale"],
        templated=worded_by == {TEMPLATES},
    )


def _mapped(made: Dataset) -> list[NDArray[np.float32]]:
    """Views of the features (T', 263) in the memory-mapped file."""
    found: list[NDArray[np.float32]] = []
    for chunk in made.data.column("motion_features").chunks:
        storage = chunk.storage
        ends = storage.offsets.to_numpy()
        numbers = storage.values.values.to_numpy()
        found += [numbers[263 * start : 263 * end].reshape(-1, 263) for start, end in pairwise(ends)]
    return found
