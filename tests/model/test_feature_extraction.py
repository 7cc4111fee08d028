from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tiny_models import make_walk

from agir_hf.clip import MotionClip
from agir_hf.errors import AgirError
from agir_hf.feature_extraction_agir import AgirFeatureExtractor
from agir_hf.motion.features import joints_to_features
from agir_hf.motion.retarget import retarget_joints


@pytest.fixture(scope="module")
def extractor() -> AgirFeatureExtractor:
    made = AgirFeatureExtractor()
    return made.fit([made.raw_features(make_walk(seed=seed)) for seed in range(3)])


def test_batch_is_padded_on_the_right_and_equals_single(extractor: AgirFeatureExtractor, walk: MotionClip) -> None:
    short = walk.replace(joints_m=walk.joints_m[:120])
    batch = extractor([walk, short])
    alone = extractor(short)
    frames = int(batch["motion_attention_mask"][1].sum())
    assert batch["motion_features"].shape[-1] == 263
    assert frames == alone["motion_features"].shape[1] < batch["motion_features"].shape[1]
    assert batch["motion_features"][1, :frames].equal(alone["motion_features"][0])
    assert (batch["motion_features"][1, frames:] == 0).all()
    assert (batch["motion_attention_mask"][1, frames:] == 0).all()


def test_an_array_with_its_rate_equals_the_clip(extractor: AgirFeatureExtractor, walk: MotionClip) -> None:
    given = extractor(walk.joints_m, frame_rate_hz=walk.frame_rate_hz)
    assert given["motion_features"].equal(extractor(walk)["motion_features"])
    with pytest.raises(AgirError, match="frame_rate_hz"):
        extractor(walk.joints_m)


def test_features_are_those_of_the_retargeted_motion_and_invertible(
    extractor: AgirFeatureExtractor, walk: MotionClip
) -> None:
    at_20 = walk.replace(joints_m=walk.joints_m[::3], frame_rate_hz=20.0)
    raw = extractor.raw_features(at_20)
    np.testing.assert_allclose(raw, joints_to_features(retarget_joints(at_20.joints_m), 20.0), atol=1e-6)
    normalized = extractor(at_20, return_tensors="np")["motion_features"][0]
    np.testing.assert_allclose(extractor.denormalize(normalized), raw, atol=1e-4)
    joints = extractor.joints(normalized)
    assert joints.shape == (len(raw) + 1, 22, 3)
    canonical = extractor.canonical_joints(at_20)
    lengths = [np.linalg.norm(j[:, 4] - j[:, 1], axis=-1) for j in (joints, canonical)]  # left thigh
    np.testing.assert_allclose(lengths[0], lengths[1], atol=1e-4)


def test_statistics_normalise_and_survive_saving(
    extractor: AgirFeatureExtractor, walk: MotionClip, tmp_path: Path
) -> None:
    positions = np.concatenate([extractor.normalize(extractor.raw_features(make_walk(seed=s))) for s in range(3)])
    np.testing.assert_allclose(positions.mean(axis=0), 0, atol=0.02)
    assert len(set(extractor.feature_std[4:67])) == 1  # one scale a group
    extractor.save_pretrained(tmp_path)
    loaded = AgirFeatureExtractor.from_pretrained(tmp_path)
    assert loaded.to_dict() == extractor.to_dict()
    assert loaded(walk)["motion_features"].equal(extractor(walk)["motion_features"])


def test_a_long_clip_is_cut_to_the_middle_or_to_the_window() -> None:
    extractor = AgirFeatureExtractor(max_frames=40)
    walk = make_walk(seconds=6.0, frame_rate_hz=20.0)
    with pytest.warns(UserWarning, match="window_s"):
        middle = extractor(walk)["motion_features"]
    assert middle.shape[1] == 40
    start, end = extractor.middle_window_s(walk) or (0.0, 0.0)
    assert extractor(walk, window_s=(start, end))["motion_features"].equal(middle)
    assert extractor(walk, window_s=(0.5, 1.5))["motion_features"].shape[1] == 20
    with pytest.raises(AgirError, match="window_s"):
        extractor(walk, window_s=(2.0, 1.0))


def test_arrays_are_checked_as_files_are(extractor: AgirFeatureExtractor, walk: MotionClip) -> None:
    metres = extractor(walk.joints_m, frame_rate_hz=walk.frame_rate_hz)["motion_features"]
    millimetres = extractor(walk.joints_m * 1000, frame_rate_hz=walk.frame_rate_hz)["motion_features"]
    assert (metres - millimetres).abs().max() < 1e-2
    with pytest.raises(AgirError, match="read_motion"):
        extractor("walk.bvh")
    with pytest.raises(AgirError, match="inside the clip"):
        extractor(walk, window_s=(100.0, 101.0))


def test_too_little_motion_is_refused(walk: MotionClip) -> None:
    with pytest.raises(AgirError, match=r"at least 0\.25 s"):
        AgirFeatureExtractor()(walk.replace(joints_m=walk.joints_m[:6]))
    with pytest.raises(AgirError, match="263"):
        AgirFeatureExtractor(feature_mean=[0.0, 1.0])


def test_error_in_millimetres_is_that_of_shifted_joints() -> None:
    extractor = AgirFeatureExtractor()
    features = np.zeros((10, 263), dtype=np.float32)
    moved = features.copy()
    moved[:, 4:67:3] += 0.02  # every joint 2 cm aside, the root stays
    assert extractor.root_aligned_error_mm(features, moved) == pytest.approx(20.0, rel=1e-5)
    raised = features.copy()
    raised[:, 3] += 0.05
    raised[:, 5:67:3] += 0.05  # the whole body 5 cm up: nothing moves relative to the root
    assert extractor.root_aligned_error_mm(features, raised) == pytest.approx(0.0, abs=1e-4)
