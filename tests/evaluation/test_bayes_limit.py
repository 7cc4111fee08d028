"""The limits: exact where they are exact, calibrated on simulated people, and blind to what they must not know."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.evaluation import macro_f1_of_table, quadratic_weighted_kappa, quadratic_weighted_kappa_of_table
from agir_hf.evaluation.baselines import forest_scores, random_forest
from agir_hf.evaluation.bayes_limit import (
    RATER_CLIP,
    RATER_SD,
    best_decisions,
    fit_style_oracle,
    probabilities_given_severity,
    scored_places,
    scores_at,
    severity_oracle,
    style_features,
)
from agir_hf.simulation import deep_cohort_walk, deep_person
from agir_hf.simulation.deep_walks import commanded_walk

SEED = 41


@pytest.fixture(scope="module")
def places():
    return scored_places(SEED, 700)


@pytest.fixture(scope="module")
def given(places):
    return scores_at(SEED, places)


def test_probabilities_are_those_of_drawn_raters():
    severity = np.array([-0.4, 0.0, 0.3, 0.5, 1.2, 1.5, 2.2, 2.9, 3.9])
    told = probabilities_given_severity(severity)
    offset = RATER_SD * np.clip(np.random.default_rng(0).standard_normal(200_000), -RATER_CLIP, RATER_CLIP)
    for s, p in zip(severity, told, strict=True):
        drawn = np.bincount(np.clip(np.rint(s + offset), 0, 3).astype(int), minlength=4) / len(offset)
        assert p == pytest.approx(drawn, abs=5e-3)
    assert told.sum(axis=1) == pytest.approx(1.0, abs=1e-12)
    assert told[0] == pytest.approx([1.0, 0.0, 0.0, 0.0], abs=0.0)  # -0.4 + 0.825 is still a 0
    # Beyond a half that only the atom of clipped raters reaches: its mass, not a sliver of the normal's.
    atom = probabilities_given_severity([0.5 - RATER_SD * RATER_CLIP + 1e-9])[0]
    assert atom[1] == pytest.approx(0.0062097, abs=1e-6)


def test_the_rater_is_the_one_of_the_generator():
    offsets = np.array([deep_person(SEED, index).rater_offset for index in range(2000)])
    assert np.abs(offsets).max() == pytest.approx(RATER_SD * RATER_CLIP, abs=1e-12)
    inside = np.abs(offsets) < RATER_SD
    assert inside.mean() == pytest.approx(0.6827, abs=0.03) and offsets.mean() == pytest.approx(0.0, abs=0.02)


def test_labels_without_motion_are_the_labels_of_the_walks():
    places = [(index, walk) for index, walk in scored_places(SEED, 5)] + [(scored_places(SEED, 1)[0][0], 1)]
    assert scores_at(SEED, places).tolist() == [deep_cohort_walk(SEED, *place)[1].score for place in places]


def test_the_severity_oracle_is_calibrated_and_knows_the_healthy(places, given):
    told = severity_oracle(SEED, places)
    assert told.shape == (700, 4)
    assert told.mean(axis=0) == pytest.approx(np.bincount(given, minlength=4) / 700, abs=0.03)
    assert told[np.arange(700), given].min() > 0.0
    assert (told.argmax(axis=1) == given).mean() == pytest.approx(told.max(axis=1).mean(), abs=0.03)
    healthy = [commanded_walk(SEED, *place).who.pattern == "healthy" for place in places]
    assert (told[healthy] == [1.0, 0.0, 0.0, 0.0]).all() and 0.1 < np.mean(healthy) < 0.4


def test_the_style_oracle_lies_between_guessing_and_the_severity_oracle(places, given):
    pytest.importorskip("sklearn", reason="needs the test extra")
    some, known = places[:200], given[:200]
    oracle = fit_style_oracle(150)
    told = oracle.probabilities(SEED, some)
    assert told.shape == (200, 4) and told.sum(axis=1) == pytest.approx(1.0)
    seen = quadratic_weighted_kappa(known, told.argmax(axis=1), 4)
    assert 0.6 < seen < quadratic_weighted_kappa(known, severity_oracle(SEED, some).argmax(axis=1), 4)
    with pytest.raises(AgirError, match="another cohort"):
        oracle.probabilities(oracle.seed, some)
    with pytest.raises(AgirError, match="at least 100"):
        fit_style_oracle(10)


def test_the_style_oracle_is_not_told_what_it_is_to_find_out():
    walk = commanded_walk(SEED, *scored_places(SEED, 1)[0])
    who = replace(walk.who, severity=9.0, rater_offset=9.0, disease_years=9.0, phenotype="none", medication_effect=9.0)
    person = replace(walk.person, seed=9, score=3, severity=9.0, phenotype="healthy", affected_side="left")
    other = replace(walk, who=who, medication="off", person=replace(person, freezing_latent=9.0, posture_latent=9.0))
    assert np.array_equal(style_features(walk), style_features(other))


def test_people_without_a_score_and_no_people_are_refused():
    contrast = next(i for i in range(100) if deep_person(SEED, i).score_in("none") is None)
    for function in (severity_oracle, scores_at):
        with pytest.raises(AgirError, match="with a score"):
            function(SEED, [(contrast, 0)])
        with pytest.raises(AgirError, match="at least one walk"):
            function(SEED, [])


@pytest.mark.parametrize("measure", [macro_f1_of_table, quadratic_weighted_kappa_of_table])
def test_best_decisions_are_as_good_as_the_best_of_all(measure):
    """Against trying every decision for seven walks; the search may only stop short where no single change helps."""
    every = np.eye(3)[np.array(list(product(range(3), repeat=7)))]
    shortfalls = []
    for seed in range(6):
        probabilities = np.random.default_rng(seed).dirichlet([0.7, 0.5, 0.3], 7)
        best = max(measure(table) for table in np.einsum("nc,dnk->dck", probabilities, every))
        told = (best_decisions(probabilities, measure), probabilities.argmax(axis=1))
        found, likely = (measure(probabilities.T @ np.eye(3)[decided]) for decided in told)
        assert likely <= found <= best + 1e-12
        shortfalls.append(best - found)
    assert np.median(shortfalls) < 1e-9 and max(shortfalls) < 0.03


def test_a_forest_of_nothing_is_a_clear_error():
    pytest.importorskip("sklearn", reason="needs the test extra")
    rows = [{"parameters": {"speed": 1.2 - 0.2 * (i % 4), "turn": None}, "score": i % 4} for i in range(40)]
    assert forest_scores(rows, rows, seed=0, trees=10).tolist() == [i % 4 for i in range(40)]
    assert random_forest(rows, rows, num_scores=4, seed=0, trees=10)["qwk"] == 1.0
    with pytest.raises(AgirError, match="rows to learn from"):
        forest_scores([], rows, seed=0)
