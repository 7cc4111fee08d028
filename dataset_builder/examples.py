"""One example of the dataset: its columns, and what they are made from."""

from __future__ import annotations

import hashlib
import random
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from agir_hf.gait import PARAMETER_NAMES, GaitParameters
from agir_hf.rationale import StoredParameters, describe, evidence_block, write_rationale
from agir_hf.rationale.bins import BINS_VERSION

from .sources.base import ABOUT, ABOUT_NUMBERS, ABOUT_TEXTS, ClipReference, Licence, SourceClip

if TYPE_CHECKING:
    from datasets import Features

TEMPLATES = "templates"  # who worded a text: these, or the name of a chat model


@cache
def example_features() -> Features:
    """The columns of a configuration, explicit, so that nothing is guessed from the first rows."""
    from datasets import Array3D, Features, List, Value

    text = Value("string")
    parameter = {"value": Value("float64"), "reason": text, "low_confidence": text}
    return Features(
        {
            "clip_id": text,
            "subject_id": text,
            "cohort": text,
            "split": text,
            "licence": text,
            "frame_rate_hz": Value("float64"),
            "joints_m": Array3D((None, 22, 3), "float32"),
            "gait_parameters": {name: dict(parameter) for name in PARAMETER_NAMES},
            "quality": {
                "walking": Value("bool"),
                "strides": Value("int32"),
                "steady_strides": Value("int32"),
                "joints_filled": List(text),
                "warnings": List(text),
            },
            "evidence": text,
            "description": text,
            "rationale": text,
            "score": Value("int32"),
            "clip_sha256": text,
            "metadata": {
                "bins_version": text,
                "rationale_draw": Value("int32"),
                "description_by": text,
                "rationale_by": text,
                **dict.fromkeys(ABOUT_TEXTS, text),
                **dict.fromkeys(ABOUT_NUMBERS, Value("float64")),
            },
        }
    )


def description_of(parameters: StoredParameters, seed: int, clip_id: str) -> str:
    """The analytic description: movement words and numbers, never the score."""
    return describe(parameters, random.Random(f"{seed}/{clip_id}/description"))


def rationale_of(parameters: StoredParameters, seed: int, clip_id: str, draw: int) -> str:
    """The rationale in its ``draw``-th wording, from 0."""
    return write_rationale(parameters, random.Random(f"{seed}/{clip_id}/rationale/{draw}"))


def evidence_of(parameters: StoredParameters) -> str:
    """The measured block that a prompt shows."""
    return evidence_block(parameters)


def clip_sha256_of(joints_m: NDArray[np.float32], frame_rate_hz: float) -> str:
    """Hash of joints (T, 22, 3) and rate: two clips of one hash are the same motion."""
    digest = hashlib.sha256(repr((tuple(joints_m.shape), float(frame_rate_hz))).encode())
    digest.update(np.ascontiguousarray(joints_m, dtype="<f4").tobytes())
    return digest.hexdigest()


def make_row(
    reference: ClipReference, source_clip: SourceClip, licence: Licence, measured: GaitParameters
) -> dict[str, Any]:
    """The columns of an example that are known before any text is written."""
    parameters, clip = StoredParameters.from_measured(measured), source_clip.clip
    about = {name: source_clip.about.get(name) for name in ABOUT}
    return {
        "clip_id": reference.clip_id,
        "subject_id": reference.subject_id,
        "cohort": reference.cohort,
        "split": reference.split,
        "licence": licence.name,
        "frame_rate_hz": clip.frame_rate_hz,
        "joints_m": clip.joints_m,
        "gait_parameters": {
            name: {
                "value": parameters.values[name],
                "reason": parameters.reasons.get(name),
                "low_confidence": parameters.low_confidence.get(name),
            }
            for name in PARAMETER_NAMES
        },
        "quality": {
            "walking": measured.quality.walking,
            "strides": measured.quality.strides,
            "steady_strides": measured.quality.steady_strides,
            "joints_filled": list(measured.quality.joints_filled),
            "warnings": list(measured.warnings),
        },
        "evidence": "",
        "description": "",
        "rationale": "",
        "score": source_clip.score,
        "clip_sha256": clip_sha256_of(clip.joints_m, clip.frame_rate_hz),
        "metadata": {
            "bins_version": BINS_VERSION,
            "rationale_draw": 0,
            "description_by": TEMPLATES,
            "rationale_by": TEMPLATES,
            **about,
        },
    }
