"""All figures of one system on one set of walks: per walk, and averaged over the walks of each subject."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import AgirError
from .metrics import (
    accuracy,
    area_under_risk_coverage,
    auroc,
    bootstrap_interval,
    brier_score,
    confusion_table,
    expected_calibration_error,
    macro_f1,
    mean_absolute_error,
    per_class,
    quadratic_weighted_kappa,
    reliability_curve,
    within_one_accuracy,
)
from .protocols import per_subject

RESAMPLES = 1000
CARE_PD_LABELS = (0, 1, 2)  # its code leaves the score 3 out of macro-F1


@dataclass(frozen=True)
class Told:
    """What a system told of walks.

    Attributes:
        given: (N,) scores that were given.
        probabilities: (N, C), a row of NaN where the system abstained.
        subjects: (N,) who walked.
        folds: (N,) the fold a walk was tested in; one for all by default.
    """

    given: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    subjects: NDArray[np.str_]
    folds: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        if not len(self.given) == len(self.probabilities) == len(self.subjects):
            raise AgirError(
                f"expected as many scores, probabilities and subjects, found {len(self.given)}, "
                f"{len(self.probabilities)} and {len(self.subjects)}"
            )

    @classmethod
    def from_scores(cls, given: Sequence[int], scores: Sequence[int], subjects: Sequence[str], num_scores: int) -> Told:
        """Of a system that is always sure."""
        return cls(np.asarray(given), np.eye(num_scores)[np.asarray(scores)], np.asarray(subjects, dtype=str))

    @property
    def answered(self) -> NDArray[np.bool_]:
        return np.asarray(np.isfinite(self.probabilities).all(axis=1))

    def only(self, places: NDArray[Any]) -> Told:
        folds = None if self.folds is None else self.folds[places]
        return Told(self.given[places], self.probabilities[places], self.subjects[places], folds)

    def by_subject(self) -> Told:
        """One row a subject: mean probabilities of the answered walks, and the mean of its given scores, rounded.

        Halves are rounded up: between two raters' points the worse one stands.
        """
        answered = self.only(self.answered)
        names, shares = per_subject(answered.probabilities, answered.subjects)
        _, scores = per_subject(answered.given, answered.subjects)
        # Who is tested in several folds counts in the first of them.
        folds = None if answered.folds is None else np.array([answered.folds[answered.subjects == n][0] for n in names])
        return Told(np.floor(scores + 0.5).astype(np.int64), shares, np.array(names, dtype=str), folds)


def agreement(told: Told, *, resamples: int = RESAMPLES) -> dict[str, Any]:
    """Figures over the walks that were answered and, under ``"by_subject"``, over subjects, with 95 % intervals.

    Intervals are by bootstrap over subjects, null for a single one. Where no fold has both a score of 0 and a higher
    one, AUROC is null; so is kappa where all are given and told one score. Macro-F1 is over the scores given or told.
    """
    figures: dict[str, Any] = {"walks": len(told.given), "abstained": int((~told.answered).sum())}
    if figures["abstained"] == figures["walks"]:
        return figures
    answered = told.only(told.answered)
    figures |= _figures(answered, resamples)
    figures["by_subject"] = _figures(told.by_subject(), resamples)
    return figures


def _auroc_impaired(told: Told, expected: NDArray[np.float64]) -> float:
    """Over pairs of one fold: what was learned without a person leans away from that person's score."""
    folds = np.zeros(len(told.given)) if told.folds is None else told.folds
    above, pairs = 0.0, 0
    for fold in np.unique(folds):
        impaired, ranking = told.given[folds == fold] > 0, expected[folds == fold]
        count = int(impaired.sum()) * int((~impaired).sum())
        if count:
            above, pairs = above + auroc(impaired, ranking) * count, pairs + count
    return above / pairs if pairs else float("nan")


def _macro_f1(told: Told, scores: NDArray[np.int64], labels: Sequence[int]) -> float:
    """Over the labels that are given or told."""
    there = set(told.given.tolist()) | set(scores.tolist())
    kept = [label for label in labels if label in there]
    return macro_f1(told.given, scores, kept) if kept else float("nan")


def statistics(num_scores: int) -> dict[str, Callable[[Told], float]]:
    """Every figure that is one number, as a function of what was told."""

    def scores(told: Told) -> NDArray[np.int64]:
        return told.probabilities.argmax(axis=1)

    def expected(told: Told) -> NDArray[np.float64]:
        return told.probabilities @ np.arange(num_scores)

    return {
        "accuracy": lambda t: accuracy(t.given, scores(t)),
        "within_one_accuracy": lambda t: within_one_accuracy(t.given, scores(t)),
        "macro_f1": lambda t: _macro_f1(t, scores(t), range(num_scores)),
        "macro_f1_0_to_2": lambda t: _macro_f1(t, scores(t), CARE_PD_LABELS),
        "qwk": lambda t: quadratic_weighted_kappa(t.given, scores(t), num_scores),
        "mae": lambda t: mean_absolute_error(t.given, scores(t)),
        "mae_expected": lambda t: mean_absolute_error(t.given, expected(t)),
        "auroc_impaired": lambda t: _auroc_impaired(t, expected(t)),
        "ece": lambda t: expected_calibration_error(t.given, t.probabilities),
        "brier": lambda t: brier_score(t.given, t.probabilities),
        "aurc": lambda t: area_under_risk_coverage(scores(t) != t.given, t.probabilities.max(axis=1)),
    }


def _figures(told: Told, resamples: int) -> dict[str, Any]:
    num_scores = told.probabilities.shape[1]
    scores = told.probabilities.argmax(axis=1)
    figures: dict[str, Any] = {"answered": len(told.given), "subjects": len(set(told.subjects.tolist()))}
    for name, statistic in statistics(num_scores).items():
        low, high = float("nan"), float("nan")
        if figures["subjects"] > 1:
            low, high = bootstrap_interval(lambda i, f=statistic: f(told.only(i)), told.subjects, resamples=resamples)  # type: ignore[misc]
        figures[name] = {"value": _number(statistic(told)), "interval_95": [_number(low), _number(high)]}
    figures["confusion"] = confusion_table(told.given, scores, num_scores).tolist()
    figures["classes"] = [
        {name: _number(value) for name, value in asdict(one).items()}
        for one in per_class(told.given, scores, num_scores)
    ]
    figures["reliability"] = [
        {name: _number(value) for name, value in asdict(one).items()}
        for one in reliability_curve(told.given, told.probabilities)
    ]
    return figures


def _number(value: float) -> float | None:
    """Rounded for JSON, which has no NaN."""
    return None if not np.isfinite(value) else round(float(value), 4) if isinstance(value, float) else int(value)
