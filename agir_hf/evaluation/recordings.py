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
        found[folder.name] = clips
    return found, unread


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
    answered = np.array([not result["abstained"] for result in results])
    people, diagnoses = cohort.walks.people()[answered], np.array(cohort.diagnoses)[answered]
    told = [result for result in results if not result["abstained"]]
    rankings = {
        "expected score": np.array([result["expected_score"] for result in told]),
        "walking speed alone": np.array([-(result["gait_parameters"]["walking_speed_mps"] or 0.0) for result in told]),
    }
    healthy = np.array([HEALTHY in diagnosis.lower() for diagnosis in diagnoses], dtype=bool)
    disorders = sorted({diagnosis for diagnosis in diagnoses[~healthy].tolist() if diagnosis})
    against = {"any disorder": disorders, **{d.lower(): [d] for d in disorders if len(disorders) > 1}}
    rows = []
    for ranking, values in rankings.items():
        for label, wanted in against.items():
            kept = healthy | np.isin(diagnoses, wanted)
            names, means = per_subject(values[kept], people[kept].tolist())
            is_healthy = dict(zip(people[kept].tolist(), healthy[kept].tolist(), strict=True))
            ill = np.array([not is_healthy[name] for name in names], dtype=bool)
            rows.append({"ranking": ranking, "against": label, "subjects": len(names), "healthy": int((~ill).sum())})
            rows[-1] |= _auroc(ill, means)
    return rows


def _auroc(ill: NDArray[np.bool_], ranking: NDArray[np.floating]) -> dict[str, Any]:
    """With a bootstrap interval over people drawn within their group; null where one group is empty."""
    if ill.all() or not ill.any():
        return {"value": None, "interval_95": [None, None]}
    low, high = bootstrap_interval(lambda i: auroc(ill[i], ranking[i]), np.arange(len(ill)), strata=ill)
    return {"value": round(auroc(ill, ranking), 4), "interval_95": [round(low, 4), round(high, 4)]}
