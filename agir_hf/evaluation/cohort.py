"""Walks to evaluate on: a rationale dataset, from a folder or the Hub, or motion files beside a ``metadata.csv``."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clip import PARAMETER_NAMES, MotionClip
from ..errors import AgirError, require
from ..gait import measure_gait
from ..motion import read_motion
from ..repositories import why_not
from .protocols import Walks

METADATA = "metadata.csv"
HEALTHY = frozenset({"healthy", "control", "healthy control"})  # diagnoses that are none
NO_SCORE = -1
_DATASET_COLUMNS = ("clip_id", "subject_id", "cohort", "split", "score", "rationale", "gait_parameters")


@dataclass(frozen=True)
class Cohort:
    """Walks and what is known of them; motion is read when it is asked for.

    Attributes:
        name: of the dataset or folder.
        simulated: whether its people are; figures on them are called so.
        walks: who walked, where from, and in which split.
        scores: (N,) given scores, ``NO_SCORE`` where there is none.
        parameters: measured, name -> value or None.
        rationales: reference texts; "" where there is none.
        diagnoses: "" where none is known.
        read: makes the clip of a place.
    """

    name: str
    simulated: bool
    walks: Walks
    scores: NDArray[np.int64]
    parameters: tuple[dict[str, float | None], ...]
    rationales: tuple[str, ...]
    diagnoses: tuple[str, ...]
    read: Callable[[int], MotionClip]

    def __len__(self) -> int:
        return len(self.scores)

    def rows(self, places: Sequence[int]) -> list[dict[str, Any]]:
        """``parameters`` and ``score`` of some walks, as the baselines on measures take them."""
        return [{"parameters": self.parameters[i], "score": int(self.scores[i])} for i in places]

    def first_walks(self, places: NDArray[np.int64], limit: int) -> NDArray[np.int64]:
        """At most ``limit`` of the places with a score: everybody's first walk, then the second ones; 0 for all."""
        turns: dict[str, int] = {}
        order = []
        people = self.walks.people()
        for place in places.tolist():
            if self.scores[place] != NO_SCORE:
                turn = turns[people[place]] = turns.get(people[place], -1) + 1
                order.append((turn, place))
        chosen = [place for _, place in sorted(order)]
        return np.array(chosen[:limit] if limit else chosen, dtype=np.int64)


def load_cohort(source: str, config: str = "simulated", revision: str = "") -> Cohort:
    """A cohort by the name or folder of a dataset, or a folder of motion files with ``metadata.csv``.

    Raises:
        AgirError: there is none, or columns are missing.
    """
    if (Path(source) / METADATA).is_file():
        return _from_files(Path(source))
    return _from_dataset(source, config, revision)


def _from_dataset(source: str, config: str, revision: str) -> Cohort:
    datasets = require("datasets", "evaluate")
    try:
        loaded = datasets.load_dataset(source, config, revision=revision or None)
    except (OSError, ValueError) as error:
        reason = why_not(error, source, revision=revision or None, repo_type="dataset")
        raise AgirError(
            f"expected a rationale dataset with the configuration '{config}', or a folder with {METADATA}, in "
            f"{source}, found: {reason}"
        ) from error
    data = datasets.concatenate_datasets([loaded[split] for split in loaded])
    if missing := [name for name in _DATASET_COLUMNS if name not in data.column_names]:
        raise AgirError(f"expected a column {missing[0]} in {source}, found {', '.join(data.column_names)}")
    motion = data.select_columns(["clip_id", "joints_m", "frame_rate_hz"]).with_format("numpy")

    def read(place: int) -> MotionClip:
        row = motion[place]
        return MotionClip(row["joints_m"], float(row["frame_rate_hz"]), source=str(row["clip_id"]))

    scores = [NO_SCORE if score is None else score for score in data["score"]]
    return Cohort(
        name=Path(source).resolve().name if Path(source).exists() else source,
        simulated=config == "simulated",
        walks=Walks(tuple(data["cohort"]), tuple(data["subject_id"]), tuple(data["split"])),
        scores=np.array(scores, dtype=np.int64),
        parameters=tuple(
            {name: measured[name]["value"] for name in PARAMETER_NAMES} for measured in data["gait_parameters"]
        ),
        rationales=tuple(text or "" for text in data["rationale"]),
        diagnoses=("",) * len(data),
        read=read,
    )


def _from_files(folder: Path) -> Cohort:
    """``metadata.csv`` has ``file_name`` and ``subject_id``, ``score`` or ``diagnosis`` or both, maybe ``split``."""
    try:
        # A spreadsheet marks UTF-8 with a byte order mark.
        with (folder / METADATA).open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file, restval=""))
    except UnicodeDecodeError as error:
        raise AgirError(f"expected {folder / METADATA} in UTF-8, found another encoding: save it as UTF-8") from error
    if not rows or not {"file_name", "subject_id"} <= set(rows[0]):
        found = ", ".join(rows[0]) if rows else "no row"
        raise AgirError(f"expected the columns file_name and subject_id in {folder / METADATA}, found {found}")
    root = folder.resolve()
    paths = [(root / row["file_name"]).resolve() for row in rows]
    if outside := next((path for path in paths if not path.is_relative_to(root)), None):
        raise AgirError(f"expected files inside {folder}, found {outside.name} outside of it")
    clips = [read_motion(path) for path in paths]
    if bad := next((row["score"] for row in rows if row.get("score") and not row["score"].strip().isdigit()), None):
        raise AgirError(f"expected whole numbers as scores in {folder / METADATA}, found '{bad}'")
    return Cohort(
        name=root.name,
        simulated=False,
        walks=Walks(
            (root.name,) * len(rows),
            tuple(row["subject_id"] for row in rows),
            tuple(row.get("split") or "test" for row in rows),
        ),
        scores=np.array([int(row["score"]) if row.get("score") else NO_SCORE for row in rows], dtype=np.int64),
        parameters=tuple(dict(measure_gait(clip).values) for clip in clips),
        rationales=("",) * len(rows),
        diagnoses=tuple(row.get("diagnosis", "") for row in rows),
        read=clips.__getitem__,
    )
