import numpy as np
import pytest
from test_features import standing_body, turning_walk

from agir_hf.errors import MotionFormatError
from agir_hf.motion import read_motion
from agir_hf.motion.retarget import (
    CANONICAL_LEG_LENGTH_M,
    CANONICAL_OFFSETS_M,
    body_scale,
    resample_joints,
    retarget_joints,
)
from agir_hf.skeleton import JOINT_INDEX, MIRROR_INDEX, PARENTS

LENGTHS = np.linalg.norm(CANONICAL_OFFSETS_M, axis=-1)
TOES = [JOINT_INDEX["left_foot"], JOINT_INDEX["right_foot"]]


def test_canonical_body_is_symmetric_and_of_human_size():
    mirrored = CANONICAL_OFFSETS_M[list(MIRROR_INDEX)] * [-1.0, 1.0, 1.0]
    np.testing.assert_allclose(CANONICAL_OFFSETS_M, mirrored, atol=1e-12)
    assert np.isclose(LENGTHS[4] + LENGTHS[7], CANONICAL_LEG_LENGTH_M)
    assert 0.8 < CANONICAL_LEG_LENGTH_M < 0.87


def test_bones_get_canonical_lengths_and_keep_directions():
    joints = turning_walk() * 0.8
    moved = retarget_joints(joints)
    bones, before = moved - moved[:, list(PARENTS)], joints - joints[:, list(PARENTS)]
    np.testing.assert_allclose(np.linalg.norm(bones[:, 1:], axis=-1), np.tile(LENGTHS[1:], (len(joints), 1)), atol=1e-9)
    cosine = (
        (bones * before).sum(-1)[:, 1:] / np.linalg.norm(bones, axis=-1)[:, 1:] / np.linalg.norm(before, axis=-1)[:, 1:]
    )
    np.testing.assert_allclose(cosine, 1.0, atol=1e-9)


def test_retargeting_twice_changes_nothing():
    once = retarget_joints(turning_walk())
    np.testing.assert_allclose(retarget_joints(once), once, atol=1e-6)


@pytest.mark.parametrize("scale", [0.6, 1.0, 1.3])
def test_size_of_the_body_does_not_matter(scale):
    joints = turning_walk()
    assert np.isclose(body_scale(joints * scale), scale * body_scale(joints))
    np.testing.assert_allclose(retarget_joints(joints * scale), retarget_joints(joints), atol=1e-6)


def test_a_joint_on_its_parent_takes_the_rest_direction():
    joints = np.repeat(standing_body()[None], 4, axis=0)
    joints[:, JOINT_INDEX["head"]] = joints[:, JOINT_INDEX["neck"]]
    moved = retarget_joints(joints)
    np.testing.assert_allclose(moved[:, 15] - moved[:, 12], np.tile(CANONICAL_OFFSETS_M[15], (4, 1)), atol=1e-9)


def test_planted_feet_slide_no_more_than_in_the_recording(shared_data):
    ratios = []
    for path in sorted((shared_data / "style_walk_bvh").glob("*_walk_normal_*.bvh")):
        clip = read_motion(path)
        joints = clip.joints_m.astype(np.float64)
        native, moved = joints / body_scale(joints), retarget_joints(joints)
        speed = np.linalg.norm(np.diff(native[:, TOES], axis=0), axis=-1) * clip.frame_rate_hz
        planted = speed < 0.25
        slide = np.linalg.norm(np.diff(moved[:, TOES][..., [0, 2]], axis=0), axis=-1) * clip.frame_rate_hz
        assert np.median(slide[planted]) < np.median(speed[planted]) + 0.01
        path_native = np.linalg.norm(native[-1, 0] - native[0, 0])
        ratios.append(np.linalg.norm(moved[-1, 0] - moved[0, 0]) / path_native)
        assert -0.01 < np.quantile(moved[:, TOES, 1].min(axis=1), 0.25) < 0.04
    assert len(ratios) >= 3
    np.testing.assert_allclose(ratios, 1.0, atol=0.02)


def test_shape_and_legs_are_checked():
    with pytest.raises(MotionFormatError, match="at least 2 frames"):
        retarget_joints(np.zeros((1, 22, 3)))
    with pytest.raises(MotionFormatError, match="legs of some length"):
        retarget_joints(np.zeros((5, 22, 3)))


def test_resampling_at_the_same_rate_is_the_identity():
    joints = turning_walk()
    np.testing.assert_array_equal(resample_joints(joints, 60.0, 60.0), joints)


@pytest.mark.parametrize(
    ("from_hz", "to_hz"), [(120.0, 20.0), (100.0, 20.0), (59.94, 20.0), (30.0, 20.0), (25.0, 20.0)]
)
def test_resampling_keeps_slow_movement_and_a_steady_path(from_hz, to_hz):
    time_in = np.arange(0.0, 4.0, 1.0 / from_hz)
    values = np.stack([1.3 * time_in, 0.05 * np.sin(2.0 * np.pi * 2.0 * time_in)], axis=-1)
    out = resample_joints(values, from_hz, to_hz)
    time_out = np.arange(len(out)) / to_hz
    assert len(out) == int(np.floor((len(values) - 1) * to_hz / from_hz + 1e-6)) + 1
    np.testing.assert_allclose(out[:, 0], 1.3 * time_out, atol=5e-5)
    np.testing.assert_allclose(out[10:-10, 1], 0.05 * np.sin(2.0 * np.pi * 2.0 * time_out)[10:-10], atol=2e-4)


def test_resampling_removes_what_would_fold_back():
    time_in = np.arange(0.0, 4.0, 1.0 / 120.0)
    out = resample_joints(np.sin(2.0 * np.pi * 18.0 * time_in)[:, None], 120.0, 20.0)
    assert np.abs(out[10:-10]).max() < 1e-3


def test_resampling_short_and_slow_clips():
    assert resample_joints(np.zeros((2, 22, 3)), 100.0, 20.0).shape == (1, 22, 3)
    up = resample_joints(np.arange(5.0)[:, None], 10.0, 20.0)
    np.testing.assert_allclose(up[:, 0], np.arange(0.0, 4.01, 0.5), atol=1e-6)
    with pytest.raises(MotionFormatError, match="positive frame rates"):
        resample_joints(np.zeros((4, 22, 3)), 0.0, 20.0)
