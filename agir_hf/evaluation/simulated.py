"""How a model does on people it never saw. Whoever shows a figure says on whom: simulated people are called so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..clip import MotionClip
from .metrics import (
    accuracy,
    bootstrap_interval,
    brier_score,
    expected_calibration_error,
    macro_f1,
    mean_absolute_error,
    quadratic_weighted_kappa,
)


def assess_walks(
    assessor: Any, clips: Sequence[MotionClip], *, batch_size: int = 16, **options: Any
) -> list[dict[str, Any]]:
    """The pipeline's result for each clip, in order."""
    return list(assessor((clip for clip in clips), batch_size=batch_size, **options))


def score_figures(
    given: Sequence[int], results: Sequence[dict[str, Any]], subjects: Sequence[str], *, num_scores: int
) -> dict[str, Any]:
    """Agreement with the given scores, calibration and grounding, over the walks that were not abstained from."""
    answered = [i for i, result in enumerate(results) if not result["abstained"]]
    figures: dict[str, Any] = {"walks": len(results), "abstained": len(results) - len(answered)}
    if not answered:
        return figures
    y = np.array([given[i] for i in answered])
    who = np.array([subjects[i] for i in answered])
    p = np.array([[results[i]["probabilities"][str(k)] for k in range(num_scores)] for i in answered])
    predicted = p.argmax(axis=1)

    def with_interval(statistic: Any) -> dict[str, Any]:
        low, high = bootstrap_interval(statistic, who, resamples=500)
        return {"value": round(statistic(np.arange(len(y))), 4), "interval_95": [round(low, 4), round(high, 4)]}

    figures["macro_f1"] = with_interval(lambda i: macro_f1(y[i], predicted[i], range(num_scores)))
    figures["qwk"] = with_interval(lambda i: quadratic_weighted_kappa(y[i], predicted[i], num_scores))
    figures["accuracy"] = with_interval(lambda i: accuracy(y[i], predicted[i]))
    figures["mae_expected"] = round(mean_absolute_error(y, p @ np.arange(num_scores)), 4)
    figures["ece"] = round(expected_calibration_error(y, p), 4)
    figures["brier"] = round(brier_score(y, p), 4)
    claims = sum(results[i]["grounding"]["claims"] for i in answered)
    supported = sum(results[i]["grounding"]["supported"] for i in answered)
    figures["claims"] = claims
    figures["claims_supported_share"] = round(supported / claims, 5) if claims else None
    reconstruction = [results[i]["quality"]["reconstruction_mm"] for i in answered]
    figures["reconstruction_mm_median"] = round(float(np.median(reconstruction)), 2)
    figures["reconstruction_mm_p99"] = round(float(np.percentile(reconstruction, 99)), 2)
    return figures
