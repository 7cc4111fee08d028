"""The limits of the bins that no publication gives, fitted on the training subjects of a built dataset."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from agir_hf.errors import AgirError
from agir_hf.rationale.bins import FITTED, PLACES, SCALES, Place
from agir_hf.rationale.measures import GROUPS

from .manifest import Manifest, read_manifest

# What mean +- 1.5 SD, the width of the published usual ranges, leaves out on each side of a normal distribution.
OUTSIDE_PERCENT = 6.7
FEWEST_SUBJECTS = 30
RULE = (
    f"low and high: percentiles {OUTSIDE_PERCENT} and {100 - OUTSIDE_PERCENT} of training subjects whose every score "
    "is 0; very_low and very_high: median of all training subjects with a score who lie beyond low or high; one "
    "number a subject and side, the median of the walks"
)


@dataclass(frozen=True)
class SubjectMeasures:
    """Printed numbers of the training subjects who have a score.

    Attributes:
        reference: measure -> numbers of subjects whose every score is 0; both sides where it has two.
        everyone: measure -> numbers of all of them.
        subjects, reference_subjects: how many there are.
    """

    reference: dict[str, np.ndarray]
    everyone: dict[str, np.ndarray]
    subjects: int
    reference_subjects: int


def fit_bins(output: Path, name: str, version: str) -> str:
    """The text of a ``bins.json``: version, what the limits were fitted on, limits.

    Args:
        output: a dataset's folder.
        name: of the configuration to fit on.
        version: of the bins; texts of two versions are not to be mixed.

    Raises:
        AgirError: no such configuration, or too few training subjects.
    """
    manifest = read_manifest(output, name)
    if manifest is None or manifest.codes_of:
        raise AgirError(f"expected a built source {name} in {output}, found none: build it first")
    measures = _subject_measures(output, manifest)
    if measures.reference_subjects < FEWEST_SUBJECTS:
        raise AgirError(
            f"expected at least {FEWEST_SUBJECTS} training subjects with score 0 only in {name}, found "
            f"{measures.reference_subjects}: fit on a larger cohort"
        )
    options = manifest.recipe["options"] if manifest.may_be_shared else {}
    content = {
        "version": version,
        "fitted_on": {
            "source": name,
            "simulated": name == "simulated",
            "options": options,
            "training_subjects": measures.subjects,
            "reference_subjects": measures.reference_subjects,
            "rule": RULE,
        },
        "limits": limits_from(measures),
    }
    return json.dumps(content, indent=1) + "\n"


def limits_from(measures: SubjectMeasures) -> dict[str, dict[str, float]]:
    """The fitted limits: measure -> place -> printed number."""
    found: dict[str, dict[str, float]] = {}
    for group, scale in SCALES.items():
        own: dict[Place, float] = {}
        decimals = GROUPS[group][0].decimals
        for place in ("low", "high", "very_low", "very_high"):  # the outer limits lean on the inner ones
            if scale.limit(place) != FITTED:
                continue
            inner: Place = "low" if "low" in place else "high"
            if place == inner:
                share = OUTSIDE_PERCENT if place == "low" else 100.0 - OUTSIDE_PERCENT
                number = np.percentile(_known(measures.reference, group), share)
            else:
                known = scale.limit(inner)
                usual = own[inner] if known == FITTED else float(known or 0.0)
                every = _known(measures.everyone, group)
                beyond = every[every < usual] if inner == "low" else every[every > usual]
                if not len(beyond):
                    raise AgirError(f"expected training subjects beyond {usual:g} in {group}, found none")
                number = np.median(beyond)
            own[place] = round(float(number), decimals)
        if own:
            found[group] = {place: own[place] for place in PLACES if place in own}
    return found


def _known(numbers: dict[str, np.ndarray], group: str) -> np.ndarray:
    found = numbers.get(group, np.empty(0))
    if len(found) < FEWEST_SUBJECTS:
        raise AgirError(f"expected {group} of at least {FEWEST_SUBJECTS} training subjects, found {len(found)}")
    return found


def _subject_measures(output: Path, manifest: Manifest) -> SubjectMeasures:
    scores: dict[tuple[str, str], list[int]] = defaultdict(list)
    values: dict[tuple[str, str], dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for path, entry in manifest.files.items():
        if entry["split"] != "train":
            continue
        columns = ["cohort", "subject_id", "score", "gait_parameters"]
        for row in pq.read_table(output / path, columns=columns).to_pylist():
            if row["score"] is None:
                continue
            subject = (row["cohort"], row["subject_id"])
            scores[subject].append(row["score"])
            for measure, value in row["gait_parameters"].items():
                if value["value"] is not None:
                    values[subject][measure].append(value["value"])
    reference = {subject for subject, given in scores.items() if max(given) == 0}
    return SubjectMeasures(
        _numbers(values, reference),
        _numbers(values, set(scores)),
        subjects=len(scores),
        reference_subjects=len(reference),
    )


def _numbers(
    values: dict[tuple[str, str], dict[str, list[float]]], subjects: set[tuple[str, str]]
) -> dict[str, np.ndarray]:
    return {
        group: np.array(
            [
                float(np.median(own)) * measure.scale
                for subject in sorted(subjects)
                for measure in group_measures
                if (own := values[subject].get(measure.name))
            ]
        )
        for group, group_measures in GROUPS.items()
    }
