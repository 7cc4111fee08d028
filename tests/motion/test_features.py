import time

import numpy as np
import pytest

from agir_hf.errors import MotionFormatError
from agir_hf.motion import clip_from_array
from agir_hf.motion.features import (
    CONTACT_SLICE,
    FEATURE_DIM,
    POSITION_SLICE,
    ROTATION_SLICE,
    VELOCITY_SLICE,
    features_to_joints,
    joints_to_features,
)
from agir_hf.motion.retarget import CANONICAL_OFFSETS_M
from agir_hf.skeleton import JOINT_INDEX, PARENTS


def standing_body() -> np.ndarray:
    joints = np.zeros((22, 3))
    for joint in range(1, 22):
        joints[joint] = joints[PARENTS[joint]] + CANONICAL_OFFSETS_M[joint]
    joints[:, 1] += 1.0
    return joints


def turning_walk(frames: int = 90, seed: int = 0) -> np.ndarray:
    """A body that walks along a circle of changing speed, joints shaken."""
    rng = np.random.default_rng(seed)
    angle = 0.7 + np.cumsum(rng.normal(0.03, 0.01, frames))
    path = np.cumsum(np.stack([np.sin(angle), 0.0 * angle, np.cos(angle)], axis=-1) * 0.05, axis=0)
    body = standing_body() + rng.normal(0.0, 0.01, (frames, 22, 3))
    turned = np.empty_like(body)
    cosine, sine = np.cos(angle)[:, None], np.sin(angle)[:, None]
    turned[..., 0] = cosine * body[..., 0] + sine * body[..., 2]
    turned[..., 1] = body[..., 1]
    turned[..., 2] = cosine * body[..., 2] - sine * body[..., 0]
    return turned + path[:, None]


def test_the_published_sample_is_reproduced(shared_data):
    reference = np.load(shared_data / "humanml3d_sample" / "012314_features.npy")
    joints = np.load(shared_data / "humanml3d_sample" / "012314_joints.npy")
    recovered = features_to_joints(reference)
    np.testing.assert_allclose(recovered[:-1], joints, atol=1e-5)
    # All 263 numbers of all frames, from all 171 joint frames behind them.
    features = joints_to_features(recovered)
    np.testing.assert_allclose(features, reference, atol=1e-4)
    # The published joints lack the last frame, which the smoothed heading of the last two seconds feels: all else is
    # the same without it, and these as well with that frame continued from the three before.
    short = joints_to_features(joints)
    for part in (slice(0, 4), VELOCITY_SLICE, CONTACT_SLICE):
        np.testing.assert_allclose(short[:, part], reference[:-1, part], atol=5e-4)
    np.testing.assert_allclose(short[:100], reference[:100], atol=1e-4)
    continued = np.concatenate([joints, 3.0 * joints[-1:] - 3.0 * joints[-2:-1] + joints[-3:-2]])
    np.testing.assert_allclose(joints_to_features(continued)[:-1], reference[:-1], atol=5e-4)
    # Features -> joints -> features.
    np.testing.assert_allclose(joints_to_features(features_to_joints(features)), features, atol=1e-5)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_joints_features_joints_features_is_exact(seed):
    joints = turning_walk(seed=seed)
    features = joints_to_features(joints)
    again = features_to_joints(features)
    assert again.shape == joints.shape
    np.testing.assert_allclose(joints_to_features(again), features, atol=1e-5)
    # Distances within a frame survive; only place and facing of the start are normalised.
    spread = np.linalg.norm(joints - joints[:, :1], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(again - again[:, :1], axis=-1), spread, atol=1e-5)
    np.testing.assert_allclose(again[0, 0, [0, 2]], 0.0, atol=1e-7)


def test_recovered_clip_starts_facing_ahead():
    joints = features_to_joints(joints_to_features(turning_walk()))
    to_left = joints[0, 1] - joints[0, 2] + joints[0, 16] - joints[0, 17]
    assert to_left[0] > 0.1
    assert abs(to_left[2]) < 1e-5


def test_features_do_not_depend_on_place_and_facing():
    joints = turning_walk()
    turn = np.array([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [-1.0, 0.0, 0.0]])
    np.testing.assert_allclose(
        joints_to_features(joints @ turn.T + [3.0, 0.0, -7.0]), joints_to_features(joints), atol=1e-5
    )


def test_known_numbers_of_a_straight_glide():
    frames = 40
    joints = np.repeat(standing_body()[None], frames, axis=0)
    joints[..., 2] += 0.06 * np.arange(frames)[:, None]
    features = joints_to_features(joints)
    assert features.shape == (frames - 1, FEATURE_DIM)
    np.testing.assert_allclose(features[:, 0], 0.0, atol=1e-6)
    np.testing.assert_allclose(features[:, 1:3], np.tile([0.0, 0.06], (frames - 1, 1)), atol=1e-6)
    np.testing.assert_allclose(features[:, 3], joints[0, 0, 1], atol=1e-6)
    local = joints[0, 1:] - joints[0, 0] * [1.0, 0.0, 1.0]
    np.testing.assert_allclose(features[5, POSITION_SLICE].reshape(21, 3), local, atol=1e-6)
    np.testing.assert_allclose(features[5, VELOCITY_SLICE].reshape(22, 3), np.tile([0, 0, 0.06], (22, 1)), atol=1e-6)
    # 6 cm a frame is 36 cm^2, above the contact threshold of 20 cm^2; at rest all four are in contact.
    assert not features[:, CONTACT_SLICE].any()
    assert joints_to_features(joints[[0, 0, 0]])[:, CONTACT_SLICE].all()


def test_contacts_keep_their_meaning_at_another_rate():
    joints = np.repeat(standing_body()[None], 20, axis=0)
    joints[..., 2] += 0.04 * np.arange(20)[:, None]
    assert joints_to_features(joints, 20.0)[:, CONTACT_SLICE].all()
    assert not joints_to_features(joints, 40.0)[:, CONTACT_SLICE].any()


def test_rotations_are_orthonormal_and_point_bones():
    features = joints_to_features(turning_walk())
    columns = features[:, ROTATION_SLICE].reshape(-1, 21, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(columns, axis=-1), 1.0, atol=1e-5)
    np.testing.assert_allclose((columns[:, :, 0] * columns[:, :, 1]).sum(-1), 0.0, atol=1e-5)


def test_a_bone_opposite_to_its_rest_direction_is_finite():
    joints = np.repeat(standing_body()[None], 5, axis=0)
    knee, hip = JOINT_INDEX["left_knee"], JOINT_INDEX["left_hip"]
    joints[:, knee] = joints[:, hip] + [0.0, 0.4, 0.0]
    features = joints_to_features(joints)
    assert np.isfinite(features).all()
    columns = features[:, ROTATION_SLICE].reshape(-1, 21, 2, 3)
    np.testing.assert_allclose(np.linalg.norm(columns, axis=-1), 1.0, atol=1e-5)


def test_crossing_half_a_turn_leaves_no_jump():
    joints = turning_walk(frames=200)
    features = joints_to_features(joints)
    assert np.abs(features[1:, 0]).max() < 0.1


@pytest.mark.parametrize("shape", [(1, 22, 3), (5, 21, 3), (22, 3), (0, 22, 3)])
def test_wrong_joint_shapes_are_refused(shape):
    with pytest.raises(MotionFormatError, match="expected at least 2 frames"):
        joints_to_features(np.zeros(shape))


@pytest.mark.parametrize("shape", [(0, 263), (4, 262), (263,)])
def test_wrong_feature_shapes_are_refused(shape):
    with pytest.raises(MotionFormatError, match=r"\(T, 263\)"):
        features_to_joints(np.zeros(shape))


def test_speed():
    joints = turning_walk(frames=2000)
    joints_to_features(joints)
    start = time.perf_counter()
    joints_to_features(joints)
    # Far below what is measured on an idle core (over 100,000), so that a busy machine does not fail it.
    assert len(joints) / (time.perf_counter() - start) > 15_000


def test_features_as_a_clip(shared_data):
    features = np.load(shared_data / "humanml3d_sample" / "012314_features.npy")
    clip = clip_from_array(features, frame_rate_hz=None)
    assert clip.frame_rate_hz == 20.0
    assert clip.joints_m.shape == (len(features) + 1, 22, 3)
