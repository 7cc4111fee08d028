"""Scores told against scores given, as a module of ``evaluate``:

import evaluate
from agir_hf.evaluation import module_path
evaluate.load(module_path("gait_score")).compute(references=[0, 2], predictions=[0, 1], num_scores=4)
"""

import datasets
import evaluate

from agir_hf.evaluation import (
    accuracy,
    macro_f1,
    mean_absolute_error,
    quadratic_weighted_kappa,
    within_one_accuracy,
)

_DESCRIPTION = "Agreement of ordinal gait scores: accuracy, within one point, macro-F1, quadratic weighted kappa, MAE."


class GaitScore(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        score = datasets.Value("int64")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description="predictions, references: scores from 0 to num_scores - 1.",
            features=datasets.Features({"predictions": score, "references": score}),
        )

    def _compute(self, predictions: list[int], references: list[int], num_scores: int = 4) -> dict[str, float]:
        return {
            "accuracy": accuracy(references, predictions),
            "within_one_accuracy": within_one_accuracy(references, predictions),
            "macro_f1": macro_f1(references, predictions, range(num_scores)),
            "qwk": quadratic_weighted_kappa(references, predictions, num_scores),
            "mae": mean_absolute_error(references, predictions),
        }
