"""The checks on one example, before it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from agir_hf.rationale import StoredParameters, check_grounding

TEXTS = ("evidence", "description", "rationale")
CHECKED_TEXTS = ("description", "rationale")

# Words that tell a score, its scale or a diagnosis; the score has a column of its own.
LABEL_WORDS = re.compile(
    r"\b(?:scor(?:e|ed|es|ing)|updrs|normal(?:ly)?|unimpaired|healthy\s+gait|slight(?:ly)?|mild(?:ly)?|"
    r"moderate(?:ly)?|severe(?:ly)?|severity|grade[ds]?|parkinson\w*)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong.

    Attributes:
        clip_id: of the example; empty where the whole build is meant.
        kind: ``unreadable``, ``not_walking``, ``not_finite``, ``empty``, ``grounding``, ``side``, ``label_leak``,
            ``duplicate_id``, ``duplicate_motion``, ``duplicate_rationale``, ``subject_overlap``, ``no_training_data``,
            ``class_balance``, ``not_rewritten`` or ``not_encoded``; ``file`` when a built dataset is checked again.
        where: the column, or the subject or split.
        detail: what was expected and what was found.
        consequence: ``left out`` (the example), ``build refused``, or ``noted``.
    """

    clip_id: str
    kind: str
    where: str
    detail: str
    consequence: str = "left out"

    def to_dict(self) -> dict[str, str]:
        return asdict(self)


def check_row(row: Mapping[str, Any]) -> list[Failure]:
    """Everything that is wrong with an example by itself."""
    clip_id = str(row["clip_id"])
    if not row["quality"]["walking"]:
        reason = next(iter(row["quality"]["warnings"][-1:]), "no gait cycle could be followed")
        return [Failure(clip_id, "not_walking", "joints_m", reason)]
    failures = _number_failures(clip_id, row)
    failures += [
        Failure(clip_id, "empty", name, "expected a text, found none") for name in TEXTS if not row[name].strip()
    ]
    parameters = StoredParameters.from_row(row)
    for name in CHECKED_TEXTS:
        failures += text_failures(clip_id, name, row[name], parameters)
    return failures


def text_failures(clip_id: str, name: str, text: str, parameters: StoredParameters) -> list[Failure]:
    """Claims of a text that the measurements do not bear out, and words that tell the score."""
    report = check_grounding(text, parameters)
    failures = [
        Failure(
            clip_id,
            "side" if claim.kind == "side" else "grounding",
            name,
            f"{claim.kind}: stated {claim.stated!r}, measured {claim.measured!r}, in {claim.text!r}",
        )
        for claim in report.unsupported
    ]
    failures += [
        Failure(clip_id, "label_leak", name, f"expected movement words, found {match.group()!r}")
        for match in LABEL_WORDS.finditer(text)
    ]
    return failures


def _number_failures(clip_id: str, row: Mapping[str, Any]) -> list[Failure]:
    failures = []
    joints = np.asarray(row["joints_m"])
    if joints.ndim != 3 or joints.shape[1:] != (22, 3) or len(joints) < 2:
        failures.append(Failure(clip_id, "not_finite", "joints_m", f"expected (T, 22, 3), found {joints.shape}"))
    elif not np.isfinite(joints).all():
        bad = int((~np.isfinite(joints)).any(axis=(1, 2)).sum())
        failures.append(Failure(clip_id, "not_finite", "joints_m", f"NaN or infinity in {bad} frames"))
    for name, entry in row["gait_parameters"].items():
        value, reason = entry["value"], entry["reason"]
        if value is not None and not np.isfinite(value):
            failures.append(Failure(clip_id, "not_finite", name, f"expected a finite value or none, found {value}"))
        if value is None and not reason:
            failures.append(Failure(clip_id, "empty", name, "expected a reason beside a missing value, found none"))
    if not np.isfinite(row["frame_rate_hz"]) or row["frame_rate_hz"] <= 0:
        failures.append(Failure(clip_id, "not_finite", "frame_rate_hz", f"found {row['frame_rate_hz']}"))
    return failures
