"""How well anybody could tell the scores of the deep simulated cohort: two limits of known kind, for simulated people.

A score of the cohort is the rounded sum of the severity in the walk's state of medication and a rater's offset that no
motion shows. Nothing that looks at a motion can therefore tell it with certainty:

- **severity oracle**: knows the severity itself. Exact, and out of reach of whoever sees a person walk.
- **style oracle**: knows the commanded way of walking without any noise of recording and measuring, and what a
  clinician sees of the person. The motion follows from these and chance, so no model of one walk's motion does better,
  but for how far the learner that estimates it is from converged; ``benchmarks/bayes_limit.py`` shows that.

Both are for scores 0 to 3. Contrast patterns have no score and are refused. A place is (person index, walk index) in
the cohort of a seed, as in ``deep_cohort_walk``; no motion is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from itertools import count, islice
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr

from ..errors import AgirError, require
from ..simulation.deep_walks import CommandedWalk, commanded_walk

SCORES = 4
# The rater's offset in ``simulation.deep_people``: normal with this standard deviation, clipped at so many of them.
RATER_SD, RATER_CLIP = 0.33, 2.5
# Of the people a style oracle learns from; a cohort with this seed is not to be tested on.
TRAINING_SEED = 20_261_125

Place = tuple[int, int]


def scored_places(seed: int, people: int, *, walk_index: int = 0) -> list[Place]:
    """One place each of the first ``people`` people of a cohort who have a score."""
    return [place for place, _ in islice(_walks_with_a_score(seed, walk_index), people)]


def scores_at(seed: int, places: Iterable[Place]) -> NDArray[np.int64]:
    """(N,) simulated scores, 0 to 3.

    Raises:
        AgirError: a place holds a pattern without a score.
    """
    return np.array([walk.person.score for walk in _scored(seed, places)], dtype=np.int64)


def severity_oracle(seed: int, places: Iterable[Place]) -> NDArray[np.float64]:
    """(N, 4) probability of each score given the true severity in the walk's state; healthy people are 0 for certain.

    Raises:
        AgirError: a place holds a pattern without a score.
    """
    return _score_probabilities(_scored(seed, places))


def probabilities_given_severity(severity: ArrayLike) -> NDArray[np.float64]:
    """(N, 4) probability of each score of a person with Parkinson's disease, from their severity (N,) in score points.

    The score is ``clip(rint(severity + offset), 0, 3)``. The clipped normal is continuous but for an atom at each end,
    and the chance that severity and atom add up to a half exactly is nil.
    """
    limit = RATER_SD * RATER_CLIP
    offset = np.arange(0.5, SCORES - 1) - np.asarray(severity, dtype=np.float64)[:, None]
    below = np.where(offset < -limit, 0.0, np.where(offset >= limit, 1.0, ndtr(offset / RATER_SD)))
    return np.diff(below, axis=1, prepend=0.0, append=1.0)


@dataclass(frozen=True)
class StyleOracle:
    """Learners that tell the score from the commanded way of walking.

    Attributes:
        learners: fitted scikit-learn classifiers whose probabilities are averaged.
        people: how many simulated people they learnt from, one walk each.
        seed: of the cohort of these people.
    """

    learners: tuple[Any, ...]
    people: int
    seed: int

    def probabilities(self, seed: int, places: Iterable[Place]) -> NDArray[np.float64]:
        """(N, 4) probability of each score of these walks.

        Raises:
            AgirError: a place holds a pattern without a score, or the cohort is the one learnt from.
        """
        if seed == self.seed:
            raise AgirError(f"expected walks of another cohort than the one learnt from, found seed {seed} for both")
        seen = np.array([style_features(walk) for walk in _scored(seed, places)])
        return np.mean([learner.predict_proba(seen) for learner in self.learners], axis=0)


def fit_style_oracle(people: int = 32_000, *, seed: int = TRAINING_SEED) -> StyleOracle:
    """Learn to tell the score from the commanded way of walking: an additive model in splines, and boosted trees.

    Trees find what works together, splines estimate with less noise what adds up; their mean is better than each on
    people that neither saw. Instead of a drawn score each person brings the probabilities of the four, as the severity
    oracle has them: the same expectation with less noise. 32,000 people take some minutes; 96,000 did no better (most
    likely score, 6000 simulated validation people: macro-F1 0.761 and kappa 0.916 with either).

    Args:
        people: simulated people with a score, one walk each.
        seed: of their cohort; it must not be tested on.

    Raises:
        AgirError: fewer than 100 people.
        MissingDependencyError: scikit-learn is not installed.
    """
    if people < 100:
        raise AgirError(f"expected at least 100 people to learn from, found {people}")
    ensemble, linear = require("sklearn.ensemble", "train"), require("sklearn.linear_model", "train")
    preprocessing, pipeline = require("sklearn.preprocessing", "train"), require("sklearn.pipeline", "train")
    walks = [walk for _, walk in islice(_walks_with_a_score(seed, walk_index=0), people)]
    seen, probabilities = np.array([style_features(walk) for walk in walks]), _score_probabilities(walks)
    who, score = np.nonzero(probabilities > 1e-3)
    weight = probabilities[who, score]
    trees = ensemble.HistGradientBoostingClassifier(
        learning_rate=0.05,
        max_iter=250,
        max_leaf_nodes=8,
        min_samples_leaf=60,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=0,
    )
    splines = pipeline.make_pipeline(
        preprocessing.StandardScaler(),
        preprocessing.SplineTransformer(5, degree=2, knots="quantile"),
        linear.LogisticRegression(C=0.3, max_iter=1000),
    )
    trees.fit(seen[who], score, sample_weight=weight)
    splines.fit(seen[who], score, logisticregression__sample_weight=weight)
    return StyleOracle((splines, trees), people, seed)


def style_oracle(seed: int, places: Iterable[Place], *, people: int = 32_000) -> NDArray[np.float64]:
    """(N, 4) probability of each score given the commanded way of walking; fits anew, see ``fit_style_oracle``."""
    return fit_style_oracle(people).probabilities(seed, places)


def style_features(walk: CommandedWalk) -> NDArray[np.float64]:
    """(F,) what the style oracle is told: nothing of severity, score, phenotype, years of disease or medication.

    Every number of the style; of pairs also sum and difference, ordered by which arm swings less, as the disease has a
    side; speed and stride relative to the leg (Hof 1996, without g); age, sex, height and leg length; whether there was
    a second task, and how many episodes of freezing were seen.
    """
    person, style = walk.person, walk.person.style
    values = [getattr(style, field.name) for field in fields(style)]
    pairs = np.array([value for value in values if isinstance(value, tuple)])
    less = int(np.argmin(style.arm_swing_deg))
    one, other = pairs[:, less], pairs[:, 1 - less]
    scale = person.body.leg_scale
    rest = [value for value in values if not isinstance(value, tuple)]
    rest += [style.walking_speed_mps / np.sqrt(scale), style.stride_length_m / scale]
    rest += [person.age_years, person.sex == "female", person.body.height_m, scale]
    rest += [walk.task == "dual", walk.options.freezing]
    return np.concatenate([np.array(rest, dtype=np.float64), one, other, one + other, one - other])


def best_decisions(
    probabilities: NDArray[np.float64], measure: Callable[[NDArray[np.float64]], float]
) -> NDArray[np.int64]:
    """(N,) the scores to give so that a measure of the expected table of true and given scores is best.

    The most likely score makes accuracy best, but neither macro-F1 nor kappa. From the most likely scores on, one
    walk's score after the other is changed where that makes the table better, until no single change does.

    Args:
        probabilities: (N, C).
        measure: of a (C, C) table, rows true and columns given, such as ``macro_f1_of_table``; higher is better.
    """
    decided = probabilities.argmax(axis=1)
    columns = np.eye(probabilities.shape[1])
    table = probabilities.T @ columns[decided]
    reached, before = measure(table), -np.inf
    while reached > before:
        before = reached
        for walk, p in enumerate(probabilities):
            for score in range(len(p)):
                changed = table + np.outer(p, columns[score] - columns[decided[walk]])
                gained = measure(changed)
                if gained > reached + 1e-12:
                    decided[walk], table, reached = score, changed, gained
    return decided


def _walks_with_a_score(seed: int, walk_index: int) -> Iterator[tuple[Place, CommandedWalk]]:
    for person_index in count():
        walk = commanded_walk(seed, person_index, walk_index)
        if walk.person.score is not None:
            yield (person_index, walk_index), walk


def _scored(seed: int, places: Iterable[Place]) -> list[CommandedWalk]:
    walks = []
    for person_index, walk_index in places:
        walk = commanded_walk(seed, person_index, walk_index)
        if walk.person.score is None:
            raise AgirError(
                f"expected people with a score, found a {walk.who.pattern} gait at {(person_index, walk_index)} of the "
                f"cohort with seed {seed}; take places from scored_places"
            )
        walks.append(walk)
    if not walks:
        raise AgirError("expected at least one walk, found none")
    return walks


def _score_probabilities(walks: Sequence[CommandedWalk]) -> NDArray[np.float64]:
    probabilities = probabilities_given_severity([walk.person.severity for walk in walks])
    probabilities[[walk.who.pattern == "healthy" for walk in walks]] = np.eye(SCORES)[0]
    return probabilities
