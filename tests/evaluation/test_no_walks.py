"""Spoiled clips are spoiled as they say, and nothing else about them changes."""

from __future__ import annotations

import numpy as np
import pytest

from agir_hf.clip import MotionClip
from agir_hf.evaluation.no_walks import KINDS_FOR_CHOICES, KINDS_KEPT, spoiled
from agir_hf.skeleton import JOINT_INDEX, MIRROR_INDEX, PARENTS

KINDS = KINDS_FOR_CHOICES | KINDS_KEPT
RIGID = ("standing", "sitting", "shuffled frames", "sliding feet")


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    from agir_hf.simulation import simulate_person, simulate_walk

    person = simulate_person(4, score=1)
    return simulate_walk(person, seed=4, frame_rate_hz=50.0, duration_s=5.0, turn="none").clip


def bones(joints: np.ndarray) -> np.ndarray:
    """(T, 21) lengths."""
    return np.linalg.norm(joints[:, 1:] - joints[:, list(PARENTS)[1:]], axis=-1)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_kind_is_as_long_as_the_clip_and_comes_out_the_same(clip: MotionClip, kind: str) -> None:
    joints, rate_hz = spoiled(clip, kind, seed=3)
    assert joints.shape == clip.joints_m.shape and joints.dtype == np.float32 and rate_hz == clip.frame_rate_hz
    assert np.array_equal(joints, spoiled(clip, kind, seed=3)[0], equal_nan=True)
    assert not np.array_equal(joints, clip.joints_m, equal_nan=True)


@pytest.mark.parametrize("kind", RIGID)
def test_bones_keep_their_length(clip: MotionClip, kind: str) -> None:
    own, made = bones(clip.joints_m), bones(spoiled(clip, kind, seed=5)[0])
    if kind in ("standing", "sitting"):  # one pose of a clip whose joints are measured with noise
        assert np.ptp(made, axis=0).max() < 0.01
        assert ((made > own.min(0) - 0.01) & (made < own.max(0) + 0.01)).all()
    else:
        assert np.allclose(np.sort(made, 0), np.sort(own, 0), atol=1e-4)


def test_who_stands_stays(clip: MotionClip) -> None:
    joints, _ = spoiled(clip, "standing", seed=6)
    assert np.ptp(joints[:, JOINT_INDEX["pelvis"]], axis=0).max() < 0.03
    assert np.ptp(joints[:, JOINT_INDEX["head"]], axis=0).max() > 0.003


def test_who_sits_has_level_thighs(clip: MotionClip) -> None:
    joints, _ = spoiled(clip, "sitting", seed=7)
    thigh = joints[:, JOINT_INDEX["left_knee"]] - joints[:, JOINT_INDEX["left_hip"]]
    assert np.abs(thigh[:, 1]).max() < 0.03 and joints[..., 1].min() > -0.01


def test_who_squats_goes_down_over_feet_that_stay(clip: MotionClip) -> None:
    joints, _ = spoiled(clip, "squatting", seed=8)
    assert np.ptp(joints[:, JOINT_INDEX["left_ankle"]], axis=0).max() < 1e-5
    assert np.ptp(joints[:, JOINT_INDEX["pelvis"], 1]) > 0.15


def test_who_steps_in_place_goes_nowhere(clip: MotionClip) -> None:
    joints, _ = spoiled(clip, "stepping in place", seed=9)
    assert np.ptp(joints[:, JOINT_INDEX["pelvis"], ::2], axis=0).max() < 1e-5
    assert np.ptp(joints[:, JOINT_INDEX["left_ankle"], 1]) > 0.03


def test_frames_sides_scale_and_gaps(clip: MotionClip) -> None:
    own = clip.joints_m
    shuffled = spoiled(clip, "shuffled frames", seed=1)[0]
    assert np.array_equal(np.sort(shuffled.reshape(len(own), -1), 0), np.sort(own.reshape(len(own), -1), 0))
    swapped = spoiled(clip, "swapped limbs", seed=1)[0]
    mirrored = (swapped == own[:, list(MIRROR_INDEX)]).all((1, 2))
    assert 0.2 < mirrored.mean() < 0.8 and (mirrored | (swapped == own).all((1, 2))).all()
    scale = spoiled(clip, "ten-fold scale", seed=1)[0] / own
    assert np.allclose(scale[np.abs(own) > 0.01], 10.0, rtol=1e-3) or np.allclose(
        scale[np.abs(own) > 0.01], 0.1, rtol=1e-3
    )
    lost = np.isnan(spoiled(clip, "lost frames", seed=1)[0]).all((1, 2))
    assert lost.mean() > 0.5
