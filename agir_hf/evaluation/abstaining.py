"""Does the model keep quiet where it should? Clips that are no walk, made from walks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..clip import MotionClip
from ..errors import AgirError
from .no_walks import KINDS_FOR_CHOICES, KINDS_KEPT, spoiled


def kept_quiet(result: dict[str, Any]) -> bool:
    """Abstained, or answered with a doubt about whether the motion is a walk like those learned from."""
    return bool(result["abstained"]) or not result["quality"].get("in_distribution", True)


def spoiled_figures(
    assessor: Any, clips: Sequence[MotionClip], *, count: int, seed: int, kept: bool = True
) -> dict[str, Any]:
    """Share of spoiled clips that the model keeps quiet about, for each kind.

    A clip that cannot be read at all, as a file of it could not, counts as refused.

    Args:
        clips: walks to spoil, for each kind in a random order of its own.
        count: of spoiled clips, shared evenly by the kinds.
        kept: with the kinds that are kept for the end; without them while limits are chosen.
    """
    kinds = [*KINDS_FOR_CHOICES, *(KINDS_KEPT if kept else ())]
    quiet: dict[str, list[bool]] = {kind: [] for kind in kinds}
    orders = {kind: np.random.default_rng([seed, place]).permutation(len(clips)) for place, kind in enumerate(kinds)}
    for number in range(count):
        kind = kinds[number % len(kinds)]
        clip = clips[orders[kind][number // len(kinds) % len(clips)]]
        joints, rate_hz = spoiled(clip, kind, seed=seed + number)
        try:
            result = assessor({"joints_m": joints, "frame_rate_hz": rate_hz})
        except AgirError:
            quiet[kind].append(True)
        else:
            quiet[kind].append(kept_quiet(result))
    every = [one for found in quiet.values() for one in found]
    return {
        "clips": len(every),
        "quiet_share": round(float(np.mean(every)), 4) if every else None,
        "by_kind": {
            kind: {
                "clips": len(found),
                "quiet_share": round(float(np.mean(found)), 4) if found else None,
                "kept_for_the_end": kind in KINDS_KEPT,
            }
            for kind, found in quiet.items()
        },
    }
