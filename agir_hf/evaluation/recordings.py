"""Recordings of real people beside a dataset: are their walks answered, and do diagnoses show in the score?"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import AgirError
from ..motion import MOTION_EXTENSIONS, read_motion
from .abstaining import kept_quiet
from .cohort import HEALTHY, Cohort
from .metrics import auroc, bootstrap_interval
from .protocols import per_subject

MIN_PEOPLE = 5  # in a group, for an interval


def read_recordings(folders: Sequence[str]) -> tuple[dict[str, list[MotionClip]], int]:
    """The clips of each folder, sub-folders included, and how many motion files could not be read alone.

    What needs more than itself (a frame rate, a missing skeleton file) is counted, not guessed.

    Raises:
        AgirError: a folder is not there or nothing in it can be read.
    """
    found: dict[str, list[MotionClip]] = {}
    unread = 0
    for folder in map(Path, folders):
        clips = []
        for path in sorted(p for p in folder.rglob("*") if p.suffix.lower() in MOTION_EXTENSIONS and p.is_file()):
            try:
                clips.append(read_motion(path))
            except AgirError:
                unread += 1
        if not clips:
            raise AgirError(f"expected a folder with motion files at {folder}, found none that can be read")
        found[folder_name(str(folder), folders)] = clips
    return found, unread


def folder_name(folder: str, folders: Sequence[str]) -> str:
    """What a folder is called in a report: its name, with that of its parent where another one has the same."""
    path = Path(folder).resolve()
    alike = sum(Path(other).resolve().name == path.name for other in folders)
    return path.name if alike < 2 else f"{path.parent.name}/{path.name}"


def quiet_figures(assessor: Any, recordings: dict[str, list[MotionClip]]) -> dict[str, Any]:
    """How many walks of each folder are abstained from or flagged; all of them are walks, so each is one too many."""
    quiet = {
        name: [kept_quiet(result) for result in assessor((clip for clip in clips), batch_size=8)]
        for name, clips in recordings.items()
    }
    every = [one for found in quiet.values() for one in found]
    return {
        "walks": len(every),
        "quiet_share": round(float(np.mean(every)), 4),
        "by_folder": {name: {"walks": len(found), "quiet": sum(found)} for name, found in quiet.items()},
    }


def healthy_or_not(cohort: Cohort, results: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """AUROC by person of the expected score, and of walking speed alone, for healthy against each diagnosis and all.

    Args:
        results: of the pipeline, one for each walk of the cohort; abstentions are left out.
    """
    told = [(i, result) for i, result in enumerate(results) if not result["abstained"]]
    rows = []
    for ranking, value_of in (("expected score", _expected), ("walking speed alone", _slowness)):
        values = {i: value for i, result in told if (value := value_of(result)) is not None}
        people = cohort.walks.people()[list(values)]
        diagnoses = np.array([cohort.diagnoses[i].strip().casefold() for i in values], dtype=str)
        healthy = np.isin(diagnoses, sorted(HEALTHY))
        disorders = sorted({diagnosis for diagnosis in diagnoses[~healthy].tolist() if diagnosis})
        against = {"any disorder": disorders, **{one: [one] for one in disorders if len(disorders) > 1}}
        for label, wanted in against.items():
            kept = healthy | np.isin(diagnoses, wanted)
            names, means = per_subject(np.array(list(values.values()))[kept], people[kept].tolist())
            is_healthy = dict(zip(people[kept].tolist(), healthy[kept].tolist(), strict=True))
            ill = np.array([not is_healthy[name] for name in names], dtype=bool)
            rows.append({"ranking": ranking, "against": label, "subjects": len(names), "healthy": int((~ill).sum())})
            rows[-1] |= _auroc(ill, means)
    return rows


def _expected(result: dict[str, Any]) -> float:
    return float(result["expected_score"])


def _slowness(result: dict[str, Any]) -> float | None:
    speed = result["gait_parameters"]["walking_speed_mps"]
    return None if speed is None else -float(speed)


def _auroc(ill: NDArray[np.bool_], ranking: NDArray[np.floating]) -> dict[str, Any]:
    """With a bootstrap interval over people drawn within their group; null where a group is empty, or too small."""
    if not len(ill) or ill.all() or not ill.any():
        return {"value": None, "interval_95": [None, None]}
    found: dict[str, Any] = {"value": round(auroc(ill, ranking), 4), "interval_95": [None, None]}
    if min(int(ill.sum()), int((~ill).sum())) >= MIN_PEOPLE:
        interval = bootstrap_interval(lambda i: auroc(ill[i], ranking[i]), np.arange(len(ill)), strata=ill)
        found["interval_95"] = [round(limit, 4) for limit in interval]
    return found
