"""Clips in which nobody walks stay in place and keep the feet down."""

from __future__ import annotations

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.simulation import NOT_WALKING_KINDS, simulate_not_walking
from agir_hf.skeleton import JOINT_INDEX, PARENTS


@pytest.mark.parametrize("kind", NOT_WALKING_KINDS)
@pytest.mark.parametrize("seed", range(4))
def test_stays_in_place(kind, seed):
    clip = simulate_not_walking(kind, seed=seed, noise_m=0.0)
    joints = clip.joints_m.astype(float)
    for side in ("left", "right"):
        ankle = joints[:, JOINT_INDEX[f"{side}_ankle"]]
        assert np.ptp(ankle[:, [0, 2]], axis=0).max() < 0.35
    pelvis = joints[:, 0]
    assert np.ptp(pelvis[:, [0, 2]], axis=0).max() < 0.75
    for joint in range(1, 22):
        assert np.ptp(np.linalg.norm(joints[:, joint] - joints[:, PARENTS[joint]], axis=1)) < 1e-4
    assert joints[..., 1].min() > 0.0


def test_standing_keeps_both_feet_still():
    joints = simulate_not_walking("standing", seed=1, noise_m=0.0).joints_m
    feet = joints[:, [JOINT_INDEX[name] for name in ("left_ankle", "right_ankle", "left_foot", "right_foot")]]
    assert np.ptp(feet, axis=0).max() < 1e-6


def test_sitting_ends_on_a_chair():
    joints = simulate_not_walking("sitting", seed=2, noise_m=0.0).joints_m
    assert joints[-1, 0, 1] < 0.75 * joints[0, 0, 1]
    knee, hip = joints[-1, JOINT_INDEX["left_knee"]], joints[-1, JOINT_INDEX["left_hip"]]
    assert abs(hip[1] - knee[1]) < 0.1


def test_stepping_in_place_lifts_both_feet_in_turn():
    joints = simulate_not_walking("stepping_in_place", seed=3, noise_m=0.0).joints_m.astype(float)
    left, right = (joints[:, JOINT_INDEX[f"{side}_foot"], 1] for side in ("left", "right"))
    assert np.ptp(left) > 0.02 and np.ptp(right) > 0.02
    assert np.corrcoef(left, right)[0, 1] < 0.0


def test_unknown_kind():
    with pytest.raises(AgirError, match="expected one of standing"):
        simulate_not_walking("flying", seed=1)


def test_same_seed_same_clip():
    one, two = (simulate_not_walking("squatting", seed=5).joints_m for _ in range(2))
    assert np.array_equal(one, two)
