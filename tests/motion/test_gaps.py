import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from agir_hf.motion.gaps import choose_span, fill_gaps, fill_markers, fill_rigid, longest_run, present, runs

RATE_HZ = 100.0


def swing(frames: int = 200) -> np.ndarray:
    """A foot in swing: (T, 3) metres, half a second per swing."""
    time = np.arange(frames) / RATE_HZ
    return np.stack([0.3 * np.sin(2.0 * np.pi * time), 1.2 * time, 0.05 * np.cos(4.0 * np.pi * time)], axis=-1)


def without(values: np.ndarray, *gaps: tuple[int, int]) -> np.ndarray:
    holed = values.copy()
    for start, end in gaps:
        holed[start:end] = np.nan
    return holed


def test_runs():
    mask = np.array([1, 1, 0, 1, 0, 0, 1, 1], dtype=bool)
    assert runs(mask) == [(0, 2), (3, 4), (6, 8)]
    assert longest_run(mask) == (0, 2)
    assert longest_run(np.zeros(5, dtype=bool)) == (0, 0)


def test_a_cubic_path_is_restored_exactly():
    time = np.arange(80)[:, None] / RATE_HZ
    path = np.array([1.0, -2.0, 0.5]) * time**2 + np.array([0.2, 1.0, 3.0]) * time
    filled, gaps = fill_gaps(without(path, (30, 50)), RATE_HZ)
    assert gaps == [(30, 50)]
    np.testing.assert_allclose(filled, path, atol=1e-10)


def test_a_swing_is_restored_within_millimetres_despite_marker_noise():
    path = swing()
    noisy = path + np.random.default_rng(0).normal(0.0, 0.0002, path.shape)
    for start in range(20, 160, 10):
        filled, _ = fill_gaps(without(noisy, (start, start + 10)), RATE_HZ)
        assert np.abs(filled - path).max() < 0.006


@pytest.mark.parametrize(("max_gap_s", "is_filled"), [(0.2, True), (0.19, False), (0.0, False)])
def test_only_gaps_up_to_the_stated_length_are_filled(max_gap_s, is_filled):
    filled, gaps = fill_gaps(without(swing(), (100, 120)), RATE_HZ, max_gap_s=max_gap_s)
    assert bool(gaps) == is_filled
    assert np.isfinite(filled).all() == is_filled


def test_nothing_is_extrapolated_and_what_was_seen_stays():
    path = swing()
    holed = without(path, (0, 5), (60, 65), (190, 200))
    filled, gaps = fill_gaps(holed, RATE_HZ)
    assert gaps == [(60, 65)]
    assert np.isnan(filled[:5]).all() and np.isnan(filled[190:]).all()
    np.testing.assert_array_equal(filled[present(holed)], path[present(holed)])


def test_a_gap_beside_a_lone_frame_is_filled_with_a_line():
    path = swing()
    filled, gaps = fill_gaps(without(path, (50, 60), (61, 70)), RATE_HZ)
    assert gaps == [(50, 60), (61, 70)]
    np.testing.assert_allclose(filled[55], path[49] + 6.0 / 11.0 * (path[60] - path[49]), atol=1e-12)


def rigid_markers(frames: int = 60) -> list[np.ndarray]:
    shape = np.array([[0.08, 0.0, 0.1], [-0.08, 0.0, 0.1], [0.07, 0.02, -0.09], [-0.07, 0.01, -0.1]])
    time = np.arange(frames) / RATE_HZ
    turns = Rotation.from_euler("yxz", np.stack([2.0 * time, 0.4 * np.sin(9.0 * time), 0.1 * time], axis=-1))
    return [turns.apply(point) + np.stack([time, 1.0 + 0 * time, 2 * time], axis=-1) for point in shape]


def test_a_marker_is_rebuilt_from_the_others_on_its_bone_for_any_time():
    known = rigid_markers()
    holed = [known[0], known[1], without(known[2], (0, 5)), without(known[3], (10, 50))]
    for rebuilt, truth in zip(fill_rigid(holed), known, strict=True):
        np.testing.assert_allclose(rebuilt, truth, atol=1e-9)


def test_two_markers_are_too_few_to_rebuild_the_others():
    known = rigid_markers()
    holed = [known[0], known[1], without(known[2], (10, 50)), without(known[3], (10, 50))]
    rebuilt = fill_rigid(holed)
    assert np.isnan(rebuilt[2][10:50]).all() and np.isnan(rebuilt[3][10:50]).all()


def test_markers_are_filled_together_and_told():
    known = dict(zip("abcd", rigid_markers(), strict=True))
    holed = known | {"d": without(known["d"], (10, 50)), "alone": without(swing(60), (20, 24), (30, 55))}
    filled, gaps = fill_markers(holed, ["abcd"], RATE_HZ, max_gap_s=0.2)
    assert gaps == {"a": [], "b": [], "c": [], "d": [(10, 50)], "alone": [(20, 24)]}
    np.testing.assert_allclose(filled["d"], known["d"], atol=1e-9)


def mask(frames: int, *lost: tuple[int, int]) -> np.ndarray:
    seen = np.ones(frames, dtype=bool)
    for start, end in lost:
        seen[start:end] = False
    return seen


def test_the_longest_span_with_all_required_parts():
    required = {"hip": mask(100, (0, 10)), "knee": mask(100, (30, 40))}
    assert choose_span(required, {}) == ((40, 100), ())
    assert choose_span({"hip": mask(100, (0, 100))}, {"head": mask(100)}) == ((0, 0), ("head",))


def test_an_optional_part_shortens_the_span_a_little_or_is_left_out():
    required = {"hip": mask(100)}
    optional = {"toe": mask(100, (0, 15)), "wrist": mask(100, (0, 40)), "head": mask(100, (98, 100))}
    assert choose_span(required, optional) == ((15, 98), ("wrist",))
