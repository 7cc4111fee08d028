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
    """

    given: NDArray[np.int64]
    probabilities: NDArray[np.float64]
    subjects: NDArray[np.str_]

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
        return Told(self.given[places], self.probabilities[places], self.subjects[places])

    def by_subject(self) -> Told:
        """One row a subject: mean probabilities of the answered walks, and the mean of its given scores, rounded.

        Halves are rounded up: between two raters' points the worse one stands.
        """
        answered = self.only(self.answered)
        names, shares = per_subject(answered.probabilities, answered.subjects)
        _, scores = per_subject(answered.given, answered.subjects)
        return Told(np.floor(scores + 0.5).astype(np.int64), shares, np.array(names, dtype=str))


def agreement(told: Told, *, resamples: int = RESAMPLES) -> dict[str, Any]:
    """Figures over the walks that were answered and, under ``"by_subject"``, over subjects, with 95 % intervals.

    Intervals are by bootstrap over subjects. Where all walks have one score, AUROC is null; so is kappa where all are
    told that score too.
    """
    figures: dict[str, Any] = {"walks": len(told.given), "abstained": int((~told.answered).sum())}
    if figures["abstained"] == figures["walks"]:
        return figures
    answered = told.only(told.answered)
    figures |= _figures(answered, resamples)
    figures["by_subject"] = _figures(told.by_subject(), resamples)
    return figures


def statistics(num_scores: int) -> dict[str, Callable[[Told], float]]:
    """Every figure that is one number, as a function of what was told."""

    def scores(told: Told) -> NDArray[np.int64]:
        return told.probabilities.argmax(axis=1)

    def expected(told: Told) -> NDArray[np.float64]:
        return told.probabilities @ np.arange(num_scores)

    return {
        "accuracy": lambda t: accuracy(t.given, scores(t)),
        "within_one_accuracy": lambda t: within_one_accuracy(t.given, scores(t)),
        "macro_f1": lambda t: macro_f1(t.given, scores(t), range(num_scores)),
        "macro_f1_0_to_2": lambda t: macro_f1(t.given, scores(t), CARE_PD_LABELS),
        "qwk": lambda t: quadratic_weighted_kappa(t.given, scores(t), num_scores),
        "mae": lambda t: mean_absolute_error(t.given, scores(t)),
        "mae_expected": lambda t: mean_absolute_error(t.given, expected(t)),
        "auroc_impaired": lambda t: auroc(t.given > 0, expected(t)),
        "ece": lambda t: expected_calibration_error(t.given, t.probabilities),
        "brier": lambda t: brier_score(t.given, t.probabilities),
        "aurc": lambda t: area_under_risk_coverage(scores(t) != t.given, t.probabilities.max(axis=1)),
    }


def _figures(told: Told, resamples: int) -> dict[str, Any]:
    num_scores = told.probabilities.shape[1]
    scores = told.probabilities.argmax(axis=1)
    figures: dict[str, Any] = {"answered": len(told.given), "subjects": len(set(told.subjects.tolist()))}
    for name, statistic in statistics(num_scores).items():
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
