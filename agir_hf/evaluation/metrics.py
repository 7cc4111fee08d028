"""Agreement of predicted with given scores, as plain functions of arrays.

Corner cases are defined, not left to chance: no samples is an error; a class that is neither given nor predicted does
not enter macro-F1; kappa is NaN where chance agreement is already perfect (one class on both sides).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import AgirError


def _pair(given: ArrayLike, predicted: ArrayLike) -> tuple[NDArray, NDArray]:
    a, b = np.asarray(given), np.asarray(predicted)
    if len(a) == 0 or len(a) != len(b):
        raise AgirError(f"expected as many predictions as labels and at least one, found {len(b)} and {len(a)}")
    return a, b


def accuracy(given: ArrayLike, predicted: ArrayLike) -> float:
    """Share of samples whose predicted score is the given one."""
    a, b = _pair(given, predicted)
    return float((a == b).mean())


def mean_absolute_error(given: ArrayLike, predicted: ArrayLike) -> float:
    """Mean distance of prediction and label, in score points."""
    a, b = _pair(given, predicted)
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


def macro_f1(given: ArrayLike, predicted: ArrayLike, labels: Sequence[int] | None = None) -> float:
    """Unweighted mean of each class's F1; ``labels`` defaults to the classes that occur in either array."""
    a, b = _pair(given, predicted)
    if labels is None:
        labels = sorted(set(a.tolist()) | set(b.tolist()))
    scores = []
    for label in labels:
        hits = float(((a == label) & (b == label)).sum())
        total = float((a == label).sum() + (b == label).sum())
        scores.append(2 * hits / total if total else 0.0)
    return float(np.mean(scores))


def quadratic_weighted_kappa(given: ArrayLike, predicted: ArrayLike, num_classes: int) -> float:
    """Cohen's kappa with squared-distance weights (Cohen 1968); NaN if both sides hold one and the same class."""
    a, b = _pair(given, predicted)
    observed = np.zeros((num_classes, num_classes))
    np.add.at(observed, (a.astype(int), b.astype(int)), 1.0)
    observed /= observed.sum()
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    grid = np.arange(num_classes)
    weight = (grid[:, None] - grid[None, :]) ** 2.0
    chance = float((weight * expected).sum())
    return float("nan") if chance == 0 else float(1.0 - (weight * observed).sum() / chance)


def auroc(positive: ArrayLike, ranking: ArrayLike) -> float:
    """Probability that a positive sample ranks above a negative one, ties counting half (Mann-Whitney U)."""
    y, s = _pair(positive, ranking)
    y = y.astype(bool)
    pos, neg = s[y].astype(float), s[~y].astype(float)
    if not len(pos) or not len(neg):
        return float("nan")
    difference = pos[:, None] - neg[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def expected_calibration_error(given: ArrayLike, probabilities: ArrayLike, num_bins: int = 10) -> float:
    """Mean gap between the top probability and how often it is right, over equal-width bins (Guo et al. 2017)."""
    y, p = _pair(given, probabilities)
    p = p.astype(float)
    confidence, hit = p.max(axis=1), p.argmax(axis=1) == y
    which = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    gaps = [
        (which == b).mean() * abs(confidence[which == b].mean() - hit[which == b].mean())
        for b in range(num_bins)
        if (which == b).any()
    ]
    return float(sum(gaps))


def brier_score(given: ArrayLike, probabilities: ArrayLike) -> float:
    """Mean squared distance of the probability vector from the one-hot label (0 best, 2 worst)."""
    y, p = _pair(given, probabilities)
    return float(((p.astype(float) - np.eye(p.shape[1])[y.astype(int)]) ** 2).sum(axis=1).mean())


def bootstrap_interval(
    statistic: Callable[[NDArray], float],
    subjects: ArrayLike,
    *,
    strata: ArrayLike | None = None,
    resamples: int = 2000,
    level: float = 0.95,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of ``statistic`` over subjects drawn with replacement.

    Args:
        statistic: takes the indices of the chosen samples.
        subjects: (N,) subject of each sample; all samples of a drawn subject come along.
        strata: (N,) group of each sample, constant within a subject; subjects are drawn within their group, so that no
            resample lacks one.
    """
    ids = np.asarray(subjects)
    groups = np.zeros(len(ids)) if strata is None else np.asarray(strata)
    members = {s: np.flatnonzero(ids == s) for s in np.unique(ids)}
    by_group = [np.unique(ids[groups == g]) for g in np.unique(groups)]
    rng = np.random.default_rng(seed)
    values = []
    for _ in range(resamples):
        drawn = np.concatenate([rng.choice(names, len(names)) for names in by_group])
        values.append(statistic(np.concatenate([members[s] for s in drawn])))
    kept = np.asarray(values, dtype=float)
    kept = kept[np.isfinite(kept)]
    if not len(kept):
        return float("nan"), float("nan")
    tail = 50 * (1 - level)
    low, high = np.percentile(kept, [tail, 100 - tail])
    return float(low), float(high)
