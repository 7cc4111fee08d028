"""Agreement of predicted with given scores, as plain functions of arrays.

Corner cases are defined, not left to chance: no samples is an error; a class that is neither given nor predicted does
not enter macro-F1; kappa is NaN where chance agreement is already perfect (one class on both sides).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.stats import rankdata

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


def within_one_accuracy(given: ArrayLike, predicted: ArrayLike) -> float:
    """Share of samples whose predicted score is at most one point from the given one."""
    a, b = _pair(given, predicted)
    return float((np.abs(a.astype(float) - b.astype(float)) <= 1.0).mean())


def confusion_table(given: ArrayLike, predicted: ArrayLike, num_classes: int) -> NDArray[np.int64]:
    """(C, C) counts of given (rows) and predicted (columns) classes.

    Raises:
        AgirError: no samples, or a class outside 0 to ``num_classes - 1``.
    """
    a, b = _pair(given, predicted)
    low, high = min(a.min(), b.min()), max(a.max(), b.max())
    if low < 0 or high >= num_classes:
        raise AgirError(f"expected classes 0 to {num_classes - 1}, found {low} to {high}")
    table = np.zeros((num_classes, num_classes), dtype=np.int64)
    np.add.at(table, (a.astype(int), b.astype(int)), 1)
    return table


@dataclass(frozen=True)
class ClassFigures:
    """How one class is told: NaN precision where it is never predicted, NaN recall where it is never given."""

    precision: float
    recall: float
    f1: float
    support: int


def per_class(given: ArrayLike, predicted: ArrayLike, num_classes: int) -> list[ClassFigures]:
    """Precision, recall, F1 and number of samples of each class; F1 is 0 where a class is given or predicted but never
    right, NaN where it is neither.
    """
    table = confusion_table(given, predicted, num_classes)
    hits, shown, told = np.diag(table), table.sum(axis=1), table.sum(axis=0)
    return [
        ClassFigures(
            precision=float(h / t) if t else float("nan"),
            recall=float(h / s) if s else float("nan"),
            f1=float(2 * h / (s + t)) if s + t else float("nan"),
            support=int(s),
        )
        for h, s, t in zip(hits.tolist(), shown.tolist(), told.tolist(), strict=True)
    ]


def macro_f1(given: ArrayLike, predicted: ArrayLike, labels: Sequence[int] | None = None) -> float:
    """Unweighted mean of each class's F1; ``labels`` defaults to the classes that occur in either array."""
    a, b = _pair(given, predicted)
    if labels is None:
        labels = sorted(set(a.tolist()) | set(b.tolist()))
    hits = np.array([((a == label) & (b == label)).sum() for label in labels], dtype=float)
    total = np.array([(a == label).sum() + (b == label).sum() for label in labels], dtype=float)
    return _mean_f1(hits, total)


def macro_f1_of_table(table: ArrayLike) -> float:
    """Macro-F1 over all classes of a (C, C) table of given (rows) and predicted (columns) classes, counts or shares."""
    counts = np.asarray(table, dtype=float)
    return _mean_f1(np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


def _mean_f1(hits: NDArray, total: NDArray) -> float:
    return float(np.mean(np.divide(2 * hits, total, out=np.zeros_like(total), where=total > 0)))


def quadratic_weighted_kappa(given: ArrayLike, predicted: ArrayLike, num_classes: int) -> float:
    """Cohen's kappa with squared-distance weights (Cohen 1968); NaN if both sides hold one and the same class.

    Raises:
        AgirError: no samples, or a class outside 0 to ``num_classes - 1``.
    """
    a, b = _pair(given, predicted)
    return quadratic_weighted_kappa_of_table(confusion_table(a, b, num_classes))


def quadratic_weighted_kappa_of_table(table: ArrayLike) -> float:
    """The same of a (C, C) table of given (rows) and predicted (columns) classes, counts or shares."""
    observed = np.asarray(table, dtype=float)
    observed = observed / observed.sum()
    expected = np.outer(observed.sum(axis=1), observed.sum(axis=0))
    grid = np.arange(len(observed))
    weight = (grid[:, None] - grid[None, :]) ** 2.0
    chance = float((weight * expected).sum())
    return float("nan") if chance == 0 else float(1.0 - (weight * observed).sum() / chance)


def auroc(positive: ArrayLike, ranking: ArrayLike) -> float:
    """Probability that a positive sample ranks above a negative one, ties counting half (Mann-Whitney U).

    Args:
        positive: (N,) true where the sample is positive.
        ranking: (N,) finite; higher says positive.

    Returns:
        0 to 1; NaN if all samples are of one kind.

    Raises:
        AgirError: no samples, or a ranking that is not finite.
    """
    y, s = _pair(positive, ranking)
    y, s = y.astype(bool), s.astype(float)
    if not np.isfinite(s).all():
        raise AgirError(f"expected finite values to rank by, found {int((~np.isfinite(s)).sum())} that are not")
    positives = int(y.sum())
    negatives = len(y) - positives
    if not positives or not negatives:
        return float("nan")
    above = rankdata(s)[y].sum() - positives * (positives + 1) / 2
    return float(above / (positives * negatives))


@dataclass(frozen=True)
class ReliabilityBin:
    """Samples whose top probability is in [low, high): its mean, how often it was right, and how many they are."""

    low: float
    high: float
    confidence: float
    accuracy: float
    samples: int


def reliability_curve(given: ArrayLike, probabilities: ArrayLike, num_bins: int = 10) -> list[ReliabilityBin]:
    """The bins of equal width that hold samples; a top probability of 1 is in the last."""
    y, p = _pair(given, probabilities)
    p = p.astype(float)
    confidence, hit = p.max(axis=1), p.argmax(axis=1) == y
    which = np.minimum((confidence * num_bins).astype(int), num_bins - 1)
    return [
        ReliabilityBin(
            low=int(b) / num_bins,
            high=(int(b) + 1) / num_bins,
            confidence=float(confidence[which == b].mean()),
            accuracy=float(hit[which == b].mean()),
            samples=int((which == b).sum()),
        )
        for b in np.unique(which)
    ]


def expected_calibration_error(given: ArrayLike, probabilities: ArrayLike, num_bins: int = 10) -> float:
    """Mean gap between the top probability and how often it is right, over equal-width bins (Guo et al. 2017)."""
    bins = reliability_curve(given, probabilities, num_bins)
    return sum(b.samples * abs(b.confidence - b.accuracy) for b in bins) / len(np.asarray(given))


def risk_coverage_curve(wrong: ArrayLike, confidence: ArrayLike) -> tuple[NDArray[np.floating], NDArray[np.floating]]:
    """Risk among the samples that are answered when only the most confident are, for every share of them.

    Args:
        wrong: (N,) loss of each sample, such as whether its score is wrong or by how many points.
        confidence: (N,) finite; the highest are answered first. Samples of one confidence are answered together.

    Returns:
        coverage: (K,) shares of samples answered, ascending to 1, one for each distinct confidence.
        risk: (K,) mean loss among them.
    """
    loss, score = _pair(wrong, confidence)
    loss, score = loss.astype(float), score.astype(float)
    if not np.isfinite(score).all():
        raise AgirError(f"expected finite confidences, found {int((~np.isfinite(score)).sum())} that are not")
    order = np.argsort(-score, kind="stable")
    last_of_tie = np.append(np.diff(score[order]) != 0, True)
    answered = np.arange(1, len(loss) + 1)
    return answered[last_of_tie] / len(loss), (np.cumsum(loss[order]) / answered)[last_of_tie]


def area_under_risk_coverage(wrong: ArrayLike, confidence: ArrayLike) -> float:
    """Mean risk over coverages (Geifman and El-Yaniv 2017): a sample counts with the risk at which it is answered."""
    coverage, risk = risk_coverage_curve(wrong, confidence)
    return float((np.diff(coverage, prepend=0.0) * risk).sum())


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
    if not len(ids):
        raise AgirError("expected at least one sample to draw from, found none")
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
