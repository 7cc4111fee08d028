"""The cohort: determinism, overlap of the scores, rates and lengths, picklable results."""

from __future__ import annotations

import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.simulation import (
    FRAME_RATES_HZ,
    cohort_person,
    cohort_walk,
    simulate_cohort,
    simulate_person,
    simulate_walk,
)
from agir_hf.simulation.path import PlanOptions
from agir_hf.simulation.plan import plan_walk
from agir_hf.simulation.truth import truth_of

PEOPLE = 400


def _rank(values):
    return np.argsort(np.argsort(np.asarray(values, dtype=float))).astype(float)


def _rank_correlation(x, y):
    """Spearman's, with mean ranks for the tied scores."""
    y = np.asarray(y, dtype=float)
    order = _rank(y)
    ranks = np.array([order[y == value].mean() for value in y])
    return np.corrcoef(_rank(x), ranks)[0, 1]


@pytest.fixture(scope="module")
def people():
    return [cohort_person(5, index) for index in range(PEOPLE)]


@pytest.fixture(scope="module")
def scores(people):
    return np.array([person.score for person in people])


def test_same_seed_same_person_and_clip():
    assert simulate_person(3) == simulate_person(3)
    assert simulate_person(3) != simulate_person(4)
    person = simulate_person(3, score=2)
    first, second = simulate_walk(person, seed=7), simulate_walk(person, seed=7)
    assert np.array_equal(first.clip.joints_m, second.clip.joints_m)
    assert first.truth == second.truth
    assert not np.array_equal(first.clip.joints_m, simulate_walk(person, seed=8).clip.joints_m)


def test_random_access_equals_iteration():
    iterated = list(simulate_cohort(3, 2, seed=11))
    assert len({walk.clip_id for walk in iterated}) == 6
    assert len({walk.subject_id for walk in iterated}) == 3
    for index, walk in enumerate(iterated):
        again = cohort_walk(11, index // 2, index % 2)
        assert walk.clip_id == again.clip_id
        assert np.array_equal(walk.clip.joints_m, again.clip.joints_m)
        assert walk.truth == again.truth


def test_score_argument_is_kept_and_checked():
    assert [simulate_person(1, score=score).score for score in range(4)] == [0, 1, 2, 3]
    with pytest.raises(AgirError, match="score of 0, 1, 2 or 3, found 4"):
        simulate_person(1, score=4)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"turn": "up"}, "turn"),
        ({"duration_s": 0.1}, "duration"),
        ({"frame_rate_hz": 0.0}, "frame rate"),
        ({"noise_m": -1.0}, "noise"),
    ],
)
def test_arguments_out_of_range(change, message):
    with pytest.raises(AgirError, match=message):
        simulate_walk(simulate_person(1), seed=1, **change)


def test_walks_vary_in_rate_length_and_turn():
    walks = [cohort_walk(3, index, 0) for index in range(30)]
    rates = {walk.clip.frame_rate_hz for walk in walks}
    assert rates <= set(FRAME_RATES_HZ) and len(rates) >= 5
    durations = [walk.clip.duration_s for walk in walks]
    assert min(durations) >= 2.9 and max(durations) <= 12.01 and np.ptp(durations) > 5.0
    assert 0.2 < np.mean([walk.truth.turn_s is not None for walk in walks]) < 0.8


def test_walks_are_picklable():
    walk = cohort_walk(3, 0, 0)
    again = pickle.loads(pickle.dumps(walk))
    assert again.truth == walk.truth and again.person == walk.person
    assert np.array_equal(again.clip.joints_m, walk.clip.joints_m)


def test_spawned_workers_make_the_same_walks():
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        walk = pool.submit(cohort_walk, 3, 1, 0).result()
    assert np.array_equal(walk.clip.joints_m, cohort_walk(3, 1, 0).clip.joints_m)


def test_bodies_range_from_children_to_tall_adults(people):
    heights = np.array([person.body.height_m for person in people])
    assert heights.min() < 1.42 and heights.max() > 1.9
    assert 0.85 < np.mean((heights >= 1.45) & (heights <= 2.02)) < 0.99


def test_speed_falls_with_the_score_and_overlaps(people, scores):
    speed = np.array([person.style.walking_speed_mps for person in people])
    assert -0.78 < _rank_correlation(speed, scores) < -0.50
    for score in range(3):
        slow_here = np.quantile(speed[scores == score], 0.2)
        fast_next = np.quantile(speed[scores == score + 1], 0.8)
        assert fast_next > slow_here, f"scores {score} and {score + 1} do not overlap in speed"


@pytest.mark.parametrize(
    ("sign", "measure"),
    [
        (-1, lambda style: style.stride_length_m),
        (-1, lambda style: min(style.arm_swing_deg)),
        (-1, lambda style: np.mean(style.lift_m)),
        (-1, lambda style: np.mean(style.strike_angle_deg)),
        (1, lambda style: style.turn_duration_180_s),
        (1, lambda style: abs(style.step_length_bias_m) / style.stride_length_m),
    ],
    ids=["stride", "arm swing", "lift", "strike angle", "turn", "step asymmetry"],
)
def test_every_rated_aspect_carries_the_score_but_not_all_of_it(people, scores, sign, measure):
    correlation = sign * _rank_correlation([measure(person.style) for person in people], scores)
    assert 0.30 < correlation < 0.86


def test_posture_and_freezing_have_their_own_latents(people, scores):
    assert abs(_rank_correlation([person.posture_latent for person in people], scores)) < 0.4
    assert abs(_rank_correlation([person.freezing_latent for person in people], scores)) < 0.4
    assert abs(_rank_correlation([person.body.height_m for person in people], scores)) < 0.15


def _truth(person_index):
    """Truth without rendering a clip."""
    person = cohort_person(19, person_index)
    plan = plan_walk(person, PlanOptions(duration_s=5.0), seed=1)
    return person.score, truth_of(person, plan, 5.0, 0.0, np.zeros(2)).values


def _macro_f1(table, scores):
    """Of a Gaussian classifier with a common covariance, four-fold cross-validated."""
    fold = np.arange(len(scores)) % 4
    predicted = np.empty_like(scores)
    for held in range(4):
        train = fold != held
        means = np.stack([table[train & (scores == score)].mean(axis=0) for score in range(4)])
        spread = np.atleast_2d(np.cov((table[train] - means[scores[train]]).T))
        inverse = np.linalg.inv(spread)
        apart = table[~train][:, None, :] - means[None]
        predicted[~train] = np.einsum("nsi,ij,nsj->ns", apart, inverse, apart).argmin(axis=1)
    results = []
    for score in range(4):
        hit = np.sum((predicted == score) & (scores == score))
        results.append(2 * hit / (np.sum(predicted == score) + np.sum(scores == score)))
    return float(np.mean(results))


def test_no_single_measure_tells_the_score_and_all_together_tell_it_partly():
    names = (
        "walking_speed_mps",
        "stride_length_m",
        "step_length_asymmetry_percent",
        "double_support_percent",
        "arm_swing_left_deg",
        "arm_swing_right_deg",
        "foot_clearance_left_m",
        "foot_clearance_right_m",
        "foot_strike_angle_left_deg",
        "foot_strike_angle_right_deg",
    )
    known = [(score, [values[name] for name in names]) for score, values in map(_truth, range(400))]
    known = [(score, row) for score, row in known if None not in row]
    scores, table = np.array([score for score, _ in known]), np.array([row for _, row in known], dtype=float)
    assert len(scores) > 350
    assert 0.55 < _macro_f1(table, scores) < 0.80
    for column, name in enumerate(names):
        assert _macro_f1(table[:, [column]], scores) < 0.60, name
