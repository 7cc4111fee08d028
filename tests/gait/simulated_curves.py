"""The joint angles a simulated person was told to walk with: from the plan, never from a clip."""

from __future__ import annotations

import numpy as np

from agir_hf.gait.cycles import PERCENT
from agir_hf.simulation import SimulatedWalk, simulate_walk
from agir_hf.simulation.feet import foot_track
from agir_hf.simulation.path import PlanOptions
from agir_hf.simulation.people import Person
from agir_hf.simulation.plan import WalkPlan, plan_walk
from agir_hf.simulation.pose import arm_angles, arm_in_chest, pose
from agir_hf.skeleton import JOINT_INDEX

SIDES = ("left", "right")


def straight_walk(person: Person, seed: int, **settings: float) -> tuple[SimulatedWalk, WalkPlan]:
    """A straight walk of 8 s, and the plan it follows."""
    made = simulate_walk(person, seed=seed, duration_s=8.0, **settings)  # type: ignore[arg-type]
    return made, plan_walk(person, PlanOptions(8.0, "none", 0.0, False, False, 0), seed)


def commanded(person: Person, plan: WalkPlan, side: str, times_s: np.ndarray) -> dict[str, np.ndarray]:
    """Angles at some times, each by another way than the measuring: inverse cosines, commanded pitch and swing."""
    index, joints = SIDES.index(side), pose(person, plan, times_s)
    hip, knee, ankle = (joints[:, JOINT_INDEX[f"{side}_{name}"]] for name in ("hip", "knee", "ankle"))
    heading = plan.path.heading(times_s)
    ahead = np.stack([np.sin(heading), np.zeros_like(heading), np.cos(heading)], axis=1)
    thigh = np.degrees(np.arctan2(np.sum((knee - hip) * ahead, axis=1), hip[:, 1] - knee[:, 1]))
    shank = np.degrees(np.arctan2(np.sum((ankle - knee) * ahead, axis=1), knee[:, 1] - ankle[:, 1]))
    upper, lower = np.linalg.norm(knee - hip, axis=1), np.linalg.norm(ankle - knee, axis=1)
    cosine = (np.linalg.norm(ankle - hip, axis=1) ** 2 - upper**2 - lower**2) / (2 * upper * lower)
    _, wrist = arm_in_chest(person, index, arm_angles(person, plan, times_s, index))
    return {
        "hip_flexion_deg": thigh,
        "knee_flexion_deg": np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0))),
        "ankle_dorsiflexion_deg": np.degrees(foot_track(plan.steps, person.body, index, times_s).pitch_rad) - shank,
        "arm_swing_deg": np.degrees(np.arctan2(wrist[:, 2], -wrist[:, 1])),
    }


def commanded_strides(
    person: Person, plan: WalkPlan, side: str, start_s: np.ndarray, end_s: np.ndarray, planned: bool
) -> dict[str, np.ndarray]:
    """(n, 101) of each stride, between the given strikes or the planned ones nearest to them."""
    if planned:
        strikes = plan.steps.strike_s[plan.steps.side == SIDES.index(side)]
        start_s, end_s = (strikes[np.abs(strikes - given[:, None]).argmin(axis=1)] for given in (start_s, end_s))
    times = start_s[:, None] + (end_s - start_s)[:, None] * PERCENT / 100.0
    return {name: c.reshape(times.shape) for name, c in commanded(person, plan, side, times.ravel()).items()}
