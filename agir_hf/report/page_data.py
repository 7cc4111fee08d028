"""What the report page shows of one walk, as plain JSON values."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..gait import measure_gait
from ..gait.cycles import gait_cycles
from ..gait.normal_cycles import normal_cycles
from ..gait.parameters import Evidence
from ..gait.per_stride import gait_evidence, stride_samples
from ..gait.signals import SIDES
from ..motion.retarget import resample_joints
from ..rationale.links import linked_numbers
from ..rationale.measures import MEASURES, as_printed, with_unit
from ..rationale.norms import NORMS
from ..skeleton import JOINT_INDEX, PARENTS
from .note import (
    USUAL,
    WHAT_IT_IS_NOT,
    beside_the_table,
    checked_text,
    estimate_text,
    share_text,
    tie_text,
    word_beside,
)
from .style import ANIMATED, is_animated

SHOWN_RATE_HZ, LOWEST_RATE_HZ = 30.0, 10.0
SHOWN_FRAMES = 3600  # of longer walks fewer a second, so that the page stays small


def page_data(
    clip: MotionClip,
    result: Mapping[str, Any] | None = None,
    *,
    rebuilt: MotionClip | None = None,
    rebuilt_from_s: float = 0.0,
    codes: list[int] | None = None,
    codes_per_s: float = 0.0,
) -> dict[str, Any]:
    """Everything the page needs of one walk.

    Args:
        clip: as it was read.
        result: what the pipeline gave for it; without it the page shows the walk and its measurements only.
        rebuilt: the clip after motion codes and back, from ``rebuilt_from_s`` of the clip on.
        codes: the codes, ``codes_per_s`` of them a second.
    """
    evidence = gait_evidence(clip)
    told: dict[str, Any]
    told = {"source": clip.source, **measure_gait(clip).to_dict()} if result is None else with_reasons(clip, result)
    return {
        "source": str(told["source"]).replace("\\", "/").rpartition("/")[2],
        "result": None if result is None else _shown_result(result),
        "rationale": _sentences(str(told.get("rationale") or "")),
        "measures": _measures(told, evidence),
        "warnings": beside_the_table(told["warnings"]),
        "motion": _motion(clip),
        "rebuilt": None
        if rebuilt is None
        else {**_motion(_aligned(rebuilt, clip, rebuilt_from_s)), "from_s": rebuilt_from_s},
        "parents": list(PARENTS),
        "tall_mm": round(1000.0 * max(0.5, float(np.median(clip.joints_m[:, JOINT_INDEX["head"], 1])) + 0.25)),
        "usual": USUAL,
        "duration_s": round(clip.duration_s, 3),
        "gait": _gait(evidence),
        "curves": _curves(clip),
        "animated": ANIMATED if is_animated(clip) else None,
        "codes": {"numbers": codes or [], "per_s": codes_per_s, "from_s": rebuilt_from_s},
    }


def with_reasons(clip: MotionClip, result: Mapping[str, Any]) -> dict[str, Any]:
    """A result with why values are missing or to be read with care, which one line of the pipeline leaves out."""
    measured = measure_gait(clip).to_dict()
    return {**result, **{name: measured[name] for name in ("null_reasons", "low_confidence") if name in measured}}


def _shown_result(result: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("score", "probabilities", "expected_score", "grounding", "abstained", "abstain_reason")
    shares = result["probabilities"] or {}
    said = {
        "estimate": estimate_text(result),
        "is_not": WHAT_IT_IS_NOT,
        "checked": checked_text(result["grounding"]),
        "shares": {label: share_text(share) for label, share in shares.items()},
        "tie": tie_text(shares),
    }
    return {**{name: result[name] for name in kept}, "said": said}


def _sentences(text: str) -> list[dict[str, Any]]:
    """The text in pieces: plain ones, and numbers with the measures that they speak of."""
    pieces: list[dict[str, Any]] = []
    at = 0
    for link in linked_numbers(text):
        if link.start > at:
            pieces.append({"text": text[at : link.start]})
        pieces.append({"text": text[link.start : link.end], "names": list(link.names), "role": link.role})
        at = link.end
    if at < len(text):
        pieces.append({"text": text[at:]})
    return pieces


def _measures(result: Mapping[str, Any], evidence: Evidence | None) -> list[dict[str, Any]]:
    """One entry a measure: what is printed, the norm, and each stride or step that it is a mean of."""
    samples = stride_samples(evidence)
    reasons, cautions = result.get("null_reasons") or {}, result.get("low_confidence") or {}
    found = []
    for measure in MEASURES:
        value = result["gait_parameters"].get(measure.name)
        number = None if value is None else as_printed(measure, value)
        unit = "%" if measure.unit == "percent" else measure.unit
        norm = NORMS.get(measure.group)
        usual = None
        if norm is not None:
            usual = [norm.usual_low, norm.usual_high]
        found.append(
            {
                "name": measure.name,
                "label": measure.phrase[:1].upper() + measure.phrase[1:],
                "side": measure.side,
                "number": number,
                "text": None if number is None else with_unit(f"{number:.{measure.decimals}f}", unit),
                "unit": unit,
                "decimals": measure.decimals,
                # No verdict on what is to be read with care.
                "word": "" if measure.name in cautions else word_beside(measure.name, number),
                "usual": usual,
                "norm": None if norm is None else f"{norm.source}; {norm.definition}",
                "reason": reasons.get(measure.name),
                "caution": cautions.get(measure.name),
                "samples": [
                    {
                        "side": one.side,
                        "number": round(one.value * measure.scale, measure.decimals + 4),  # printed with fewer
                        "start_s": round(one.start_s, 3),
                        "end_s": round(one.end_s, 3),
                    }
                    for one in samples[measure.name] or ()
                    if math.isfinite(one.value)
                ],
            }
        )
    return found


def _motion(clip: MotionClip) -> dict[str, Any]:
    """The whole walk, frame by frame, at no more than the shown rate: joints in millimetres from the floor under the
    pelvis as 16-bit numbers, which end at 33 m, and that place in the room."""
    rate = min(clip.frame_rate_hz, SHOWN_RATE_HZ, max(LOWEST_RATE_HZ, SHOWN_FRAMES / max(clip.duration_s, 1.0)))
    joints = clip.joints_m
    shown = resample_joints(joints, clip.frame_rate_hz, rate) if rate < clip.frame_rate_hz else joints
    millimetres = np.round(np.asarray(shown, dtype=np.float64) * 1000.0)
    path = millimetres[:, 0, [0, 2]]
    millimetres[..., [0, 2]] -= path[:, None]
    around = np.clip(millimetres, -32767, 32767).astype("<i2")
    return {
        "rate_hz": rate,
        "frames": len(shown),
        "joints_mm": base64.b64encode(around.tobytes()).decode(),
        "path_mm": path.astype(int).ravel().tolist(),
    }


def _aligned(rebuilt: MotionClip, clip: MotionClip, from_s: float) -> MotionClip:
    """Codes know no place in the room: the rebuilt motion starts where the clip is then, facing the same way."""
    first = clip.joints_m[min(round(from_s * clip.frame_rate_hz), clip.num_frames - 1)].astype(np.float64)
    own = rebuilt.joints_m.astype(np.float64)
    turn = _facing(first) - _facing(own[0])
    cosine, sine = np.cos(turn), np.sin(turn)
    matrix = np.array([[cosine, 0.0, sine], [0.0, 1.0, 0.0], [-sine, 0.0, cosine]])
    turned = (own - own[0, 0]) @ matrix.T
    turned[..., 1] = own[..., 1]
    turned[..., 0] += first[0, 0]
    turned[..., 2] += first[0, 2]
    return rebuilt.replace(joints_m=turned.astype(np.float32))


def _facing(joints: NDArray[np.floating]) -> float:
    """Angle of the facing direction about the vertical, 0 along +Z, in radians."""
    across = joints[JOINT_INDEX["left_hip"]] - joints[JOINT_INDEX["right_hip"]]
    # The left hip lies to the left: forward is across turned to the right by a quarter.
    return float(np.arctan2(-across[2], across[0]))


_CURVES = {
    "hip_flexion_deg": "Hip (thigh from the vertical), flexion +",
    "knee_flexion_deg": "Knee, flexion +",
    "ankle_dorsiflexion_deg": "Ankle, dorsiflexion +",
    "arm_swing_deg": "Arm (to the trunk), forwards +",
}
_EVERY = 2  # percent of the cycle


def _curves(clip: MotionClip) -> list[dict[str, Any]]:
    """Single strides and their mean over the gait cycle, with the usual range where one was published."""
    cycles, normal = gait_cycles(clip), normal_cycles()
    found: list[dict[str, Any]] = []
    if cycles is None:
        return found
    for name, label in _CURVES.items():
        curve: dict[str, Any] = {"label": label, "unit": "degrees", "normal": None, "band": None}
        if name in normal:
            curve["normal"] = _rounded(normal[name].angle_deg)
            curve["band"] = [_rounded(limit) for limit in normal[name].usual_deg]
        for side in SIDES:
            own = cycles.of(side)
            angles, mean = own.angles_deg[name], own.mean_deg(name)
            if angles is None or mean is None or not np.isfinite(angles).all() or not len(angles):
                continue
            curve[side] = {
                "mean": _rounded(mean),
                "strides": [_rounded(stride) for stride in angles],
                "off_percent": own.mean_foot_off_percent,
            }
        if "left" in curve or "right" in curve:
            found.append(curve)
    return found


def _rounded(angles: NDArray[np.floating]) -> list[float]:
    return [round(float(angle), 1) for angle in angles[::_EVERY]]


def _gait(evidence: Evidence | None) -> dict[str, Any] | None:
    """Stances, strides, turns and footprints."""
    if evidence is None:
        return None
    used = {(stride.side, stride.start_s) for stride in evidence.used_strides}
    return {
        "stances": [
            {
                "side": side,
                "start_s": round(hold.start_s, 3),
                "end_s": round(hold.end_s, 3),
                # A foot that is never flat has no place.
                "at_m": [round(float(at), 3) for at in hold.ankle_m[::2]] if np.isfinite(hold.ankle_m).all() else None,
                "strike": hold.strike_s is not None,
                "off": hold.off_s is not None,
            }
            for side in SIDES
            for hold in evidence.contacts.footholds[side]
        ],
        "strides": [
            {
                "side": stride.side,
                "start_s": round(stride.start_s, 3),
                "end_s": round(stride.end_s, 3),
                "used": (stride.side, stride.start_s) in used,
            }
            for stride in evidence.strides
        ],
        "turns": [{"start_s": round(turn.start_s, 3), "end_s": round(turn.end_s, 3)} for turn in evidence.turns],
    }


__all__ = ["page_data"]
