"""What is compared: simple rules, models of the measures, models of the motion, and AGIR itself, on the same folds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import AgirError, require
from ..motion.features import FEATURE_DIM
from .baselines import forest_probabilities
from .cohort import Cohort
from .motion_baselines import NETWORKS, linear_head, network_probabilities, tokenizer_summary
from .protocols import Fold

Probabilities = NDArray[np.float64]
SHORTEST_FRAMES = 16
MODES: dict[str, dict[str, bool]] = {
    "AGIR, evidence and motion": {},
    "AGIR, evidence only": {"motion": False},
    "AGIR, motion only": {"evidence": False},
}


@dataclass(frozen=True)
class Bench:
    """What the systems of one evaluation share: features and summaries are made once a walk."""

    cohort: Cohort
    assessor: Any
    num_scores: int
    seed: int

    @cached_property
    def _features(self) -> dict[int, NDArray[np.float32]]:
        return {}

    @cached_property
    def _summaries(self) -> dict[int, NDArray[np.float64]]:
        return {}

    def features(self, places: NDArray[np.int64]) -> list[NDArray[np.float32]]:
        """Features of walks, not normalised, cut to what the model takes."""
        extractor = self.assessor.feature_extractor
        for place in places.tolist():
            if place not in self._features:
                clip = self.cohort.read(place)
                window_s = extractor.middle_window_s(clip)
                try:
                    self._features[place] = extractor.raw_features(clip, window_s)
                except AgirError:  # too short to encode: it says nothing, but the others still do
                    self._features[place] = np.zeros((SHORTEST_FRAMES, FEATURE_DIM), dtype=np.float32)
        return [self._features[place] for place in places.tolist()]

    def summaries(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        """What the frozen motion tokenizer says of walks, summed up over time."""
        missing = np.array([place for place in places.tolist() if place not in self._summaries], dtype=np.int64)
        if len(missing):
            clips = [self.assessor.feature_extractor.normalize(one) for one in self.features(missing)]
            rows = tokenizer_summary(self.assessor.model.motion_tokenizer, clips)
            self._summaries.update(zip(missing.tolist(), rows, strict=True))
        return np.stack([self._summaries[place] for place in places.tolist()])


System = Callable[[Bench, Fold], Probabilities]


def majority(bench: Bench, fold: Fold) -> Probabilities:
    """The shares of the scores among the training walks, for everybody."""
    shares = np.bincount(bench.cohort.scores[fold.train], minlength=bench.num_scores) / len(fold.train)
    return np.tile(shares, (len(fold.test), 1))


def speed_alone(bench: Bench, fold: Fold) -> Probabilities:
    """A logistic regression on walking speed; where it was not measured, the training mean stands in."""
    linear = require("sklearn.linear_model", "evaluate")
    train, test = (_speeds(bench.cohort, places) for places in (fold.train, fold.test))
    scores = bench.cohort.scores[fold.train]
    if len(np.unique(scores)) == 1 or np.isnan(train).all():
        return majority(bench, fold)
    mean, deviation = float(np.nanmean(train)), max(float(np.nanstd(train)), 1e-6)
    inputs = [(np.nan_to_num(one, nan=mean) - mean)[:, None] / deviation for one in (train, test)]
    model = linear.LogisticRegression(max_iter=1000).fit(inputs[0], scores)
    told = np.zeros((len(fold.test), bench.num_scores))
    told[:, model.classes_] = model.predict_proba(inputs[1])
    return told


def random_forest(bench: Bench, fold: Fold) -> Probabilities:
    """A random forest on all measures."""
    train, test = (bench.cohort.rows(places.tolist()) for places in (fold.train, fold.test))
    return forest_probabilities(train, test, num_scores=bench.num_scores, seed=bench.seed)


def frozen_codes(bench: Bench, fold: Fold) -> Probabilities:
    """A linear head on what the frozen motion tokenizer says."""
    scores = bench.cohort.scores[fold.train].tolist()
    train, test = bench.summaries(fold.train), bench.summaries(fold.test)
    return linear_head(train, scores, test, num_scores=bench.num_scores)


def network(name: str) -> System:
    """One of ``NETWORKS`` on joints, trained from nothing."""

    def run(bench: Bench, fold: Fold) -> Probabilities:
        train, test = bench.features(fold.train), bench.features(fold.test)
        scores = bench.cohort.scores[fold.train].tolist()
        return network_probabilities(name, train, scores, test, num_scores=bench.num_scores, seed=bench.seed)

    return run


BASELINES: dict[str, System] = {
    "most frequent score": majority,
    "walking speed alone": speed_alone,
    "random forest on measures": random_forest,
    "linear head on frozen codes": frozen_codes,
    **{f"{name} on joints": network(name) for name in NETWORKS},
}
SLOW = tuple(f"{name} on joints" for name in NETWORKS)


def _speeds(cohort: Cohort, places: NDArray[np.int64]) -> NDArray[np.float64]:
    values = [cohort.parameters[place]["walking_speed_mps"] for place in places.tolist()]
    return np.array([np.nan if value is None else value for value in values], dtype=float)


def probabilities_of(results: Sequence[dict[str, Any]], num_scores: int) -> Probabilities:
    """(N, C) of pipeline results, NaN where it abstained."""
    told = np.full((len(results), num_scores), np.nan)
    for row, result in enumerate(results):
        if not result["abstained"]:
            told[row] = [result["probabilities"][str(score)] for score in range(num_scores)]
    return told
