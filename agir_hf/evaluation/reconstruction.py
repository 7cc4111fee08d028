"""What motion codes keep of a recording: joints, their speed, and what is measured on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..clip import MotionClip
from ..configuration_agir import FEATURE_GROUPS
from ..feature_extraction_agir import AgirFeatureExtractor
from ..gait import measure_gait
from ..modeling_agir_motion_tokenizer import AgirMotionTokenizer
from ..motion.features import features_to_joints
from .metrics import bootstrap_interval

KEPT_MEASURES = {"walking_speed_mps": "speed", "cadence_spm": "cadence", "stride_length_m": "stride"}


@dataclass(frozen=True)
class Rebuilt:
    """One clip after codes and back, against itself on the canonical skeleton at the features' rate.

    Attributes:
        root_aligned_mm: mean distance of the joints, root on root, each motion in its own heading.
        global_mm: mean distance of the joints; both start at the origin, facing +Z.
        velocity_mm_s: mean error of the joints' speed relative to the root, in mm/s.
        codes: (N,).
        relative: |rebuilt / own - 1| of what could be measured on both.
    """

    root_aligned_mm: float
    global_mm: float
    velocity_mm_s: float
    codes: NDArray[np.int64]
    relative: dict[str, float]


def rebuilt(model: AgirMotionTokenizer, extractor: AgirFeatureExtractor, clip: MotionClip) -> Rebuilt:
    """A clip through codes and back; an ``extractor`` with ``max_frames`` cuts longer ones to their middle."""
    features = extractor.normalize(extractor.raw_features(clip))
    codes = model.encode(torch.from_numpy(features).unsqueeze(0).to(model.device))
    after = model.decode(codes)[0].cpu().numpy()
    raw = [extractor.denormalize(one) for one in (features[: len(after)], after)]
    joints = [features_to_joints(one) for one in raw]
    positions = [one[:, slice(*FEATURE_GROUPS["positions"])].reshape(len(one), -1, 3) for one in raw]
    velocities = [np.diff(one, axis=0) * extractor.frame_rate_hz for one in positions]
    measured = [measure_gait(MotionClip(one.astype(np.float32), extractor.frame_rate_hz)).values for one in joints]
    relative = {}
    for name in KEPT_MEASURES:
        own, back = (one[name] for one in measured)
        if own and back is not None:
            relative[name] = abs(back / own - 1.0)
    return Rebuilt(
        root_aligned_mm=extractor.root_aligned_error_mm(features[: len(after)], after),
        global_mm=float(1000.0 * np.linalg.norm(joints[0] - joints[1], axis=-1)[:-1].mean()),
        velocity_mm_s=float(1000.0 * np.linalg.norm(velocities[0] - velocities[1], axis=-1).mean()),
        codes=codes[0].cpu().numpy(),
        relative=relative,
    )


def reconstruction_figures(clips: Sequence[Rebuilt], codebook_size: int) -> dict[str, Any]:
    """Means over clips of the errors, the first with its interval; medians of how far measures are off; codes used."""
    codes = np.concatenate([one.codes for one in clips])
    counts = np.bincount(codes, minlength=codebook_size)
    share = counts[counts > 0] / counts.sum()
    errors = np.array([one.root_aligned_mm for one in clips])
    figures: dict[str, Any] = {
        "clips": len(clips),
        "root_aligned_mm": round(float(errors.mean()), 2),
        "root_aligned_mm_interval_95": [
            round(end, 2) for end in bootstrap_interval(lambda rows: float(errors[rows].mean()), np.arange(len(errors)))
        ],
        "global_mm": round(float(np.mean([one.global_mm for one in clips])), 2),
        "velocity_mm_s": round(float(np.mean([one.velocity_mm_s for one in clips])), 2),
        "codes": len(codes),
        "codes_used_share": round(float((counts > 0).mean()), 4),
        "perplexity": round(float(np.exp(-(share * np.log(share)).sum())), 1),
    }
    for name in KEPT_MEASURES:
        known = [one.relative[name] for one in clips if name in one.relative]
        figures[f"{name}_off"] = {
            "median": round(float(np.median(known)), 4) if known else None,
            "clips": len(known),
        }
    return figures
