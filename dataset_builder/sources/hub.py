"""Any dataset of the Hub (or a folder that ``load_dataset`` reads) with joints, rate, subject and score in columns."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from agir_hf.errors import AgirError, MotionFormatError
from agir_hf.motion import clip_from_array
from agir_hf.repositories import why_not

from .base import ABOUT, ABOUT_NUMBERS, SPLITS, ClipReference, Licence, SourceClip, declared_licence, split_of

REQUIRED = ("joints_m", "frame_rate_hz", "subject_id", "score")
OPTIONAL = ("clip_id", "cohort", "split", *ABOUT)


@dataclass(frozen=True)
class HubSource:
    """Rows of a dataset.

    Attributes:
        dataset: name on the Hub, or a folder.
        config: its configuration, None where it has one.
        columns: pairs (our column, theirs); columns not named here are looked for under our names.
        name: of the configuration that is built.
        licence_name: as declared by who builds; without one nothing is passed on.

    ``joints_m`` may be (T, 22, 3) joints or keypoints of a known skeleton. Where there is no ``split`` column, splits
    named train, validation and test are kept, and a single split is divided by a hash of the subject.
    """

    dataset: str
    config: str | None = None
    columns: tuple[tuple[str, str], ...] = ()
    name: str = "hub"
    licence_name: str | None = None

    def __post_init__(self) -> None:
        if unknown := sorted({ours for ours, _ in self.columns} - {*REQUIRED, *OPTIONAL}):
            known = ", ".join((*REQUIRED, *OPTIONAL))
            raise AgirError(f"expected columns of {known} on the left of --columns, found {unknown[0]!r}")

    @property
    def licence(self) -> Licence:
        return declared_licence(self.licence_name)

    def recipe(self) -> dict[str, object]:
        return {
            # A folder's place is no part of what it holds.
            "dataset": self.dataset if _is_hub_name(self.dataset) else "a local folder",
            "config": self.config,
            "columns": dict(self.columns),
            "content_sha256": _content_sha256(self),
            "name": self.name,
            "licence": self.licence_name,
        }

    def references(self) -> tuple[ClipReference, ...]:
        found = []
        parts = _loaded(self)
        for part, data in parts.items():
            labels = data.remove_columns([name for name in data.column_names if name == "joints_m"])
            for place, row in enumerate(labels):
                subject, cohort = str(row["subject_id"]), str(row.get("cohort") or self.name)
                split = row.get("split") or (part if len(parts) > 1 or part != "train" else split_of(cohort, subject))
                clip_id = str(row.get("clip_id") or f"{self.name}/{part}/{place:07d}")
                found.append(ClipReference(clip_id, subject, cohort, str(split), f"{part}/{place}"))
        if found and (unknown := sorted({reference.split for reference in found} - set(SPLITS))):
            raise AgirError(
                f"expected splits named {', '.join(SPLITS)} in {self.dataset}, found {unknown[0]!r}: give them in a "
                "column with --columns split=..."
            )
        return tuple(found)

    def read(self, reference: ClipReference) -> SourceClip:
        part, _, place = reference.key.partition("/")
        row = _loaded(self)[part].with_format("numpy")[int(place)]
        score = row["score"]
        if isinstance(score, (float, np.floating)) and np.isnan(score):
            score = None
        if score is not None and score not in (0, 1, 2, 3, 4):
            raise MotionFormatError(f"expected a score of 0 to 4 or none, found {score}")
        joints = np.asarray(row["joints_m"], dtype=np.float32)
        clip = clip_from_array(joints, frame_rate_hz=float(row["frame_rate_hz"]), source=reference.clip_id)
        about: dict[str, str | float | None] = {}
        for name in ABOUT:
            value = row.get(name)
            if value is not None:
                about[name] = float(value) if name in ABOUT_NUMBERS else str(value)
        return SourceClip(clip, None if score is None else int(score), about)


def _is_hub_name(name: str) -> bool:
    from pathlib import Path

    return not Path(name).exists()


@lru_cache(maxsize=1)
def _loaded(source: HubSource) -> dict[str, Any]:
    """The splits of the dataset with our column names, the needed columns only."""
    from datasets import DatasetDict, load_dataset

    try:
        data = load_dataset(source.dataset, source.config)
    except (OSError, ValueError) as error:
        reason = why_not(error, source.dataset, repo_type="dataset")
        raise AgirError(f"expected a dataset that load_dataset reads, found {source.dataset}: {reason}") from error
    parts = dict(data) if isinstance(data, DatasetDict) else {"train": data}
    theirs = dict(source.columns)
    found = {}
    for part, rows in parts.items():
        wanted = {theirs.get(ours, ours): ours for ours in (*REQUIRED, *OPTIONAL)}
        names = set(rows.column_names)
        if missing := [name for name, ours in wanted.items() if name not in names and ours in (*REQUIRED, *theirs)]:
            raise AgirError(
                f"expected a column {missing[0]} in {source.dataset}, found {', '.join(rows.column_names)}: "
                "--columns joints_m=theirs,frame_rate_hz=theirs,subject_id=theirs,score=theirs"
            )
        kept = {name: ours for name, ours in wanted.items() if name in names}
        found[part] = rows.select_columns(list(kept)).rename_columns({n: o for n, o in kept.items() if n != o})
    return found


def _content_sha256(source: HubSource) -> str:
    """Hash of the columns that are used, so that a changed dataset is another recipe."""
    digest = hashlib.sha256()
    for part, data in _loaded(source).items():
        digest.update(part.encode())
        for batch in data.with_format("arrow").iter(100):
            for name in sorted(batch.column_names):
                for chunk in batch.column(name).combine_chunks().to_pylist() if name != "joints_m" else ():
                    digest.update(repr(chunk).encode())
        for row in data.select_columns(["joints_m"]).with_format("numpy"):
            digest.update(np.ascontiguousarray(row["joints_m"], dtype="<f4").tobytes())
    return digest.hexdigest()
