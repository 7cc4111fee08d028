"""Rationales against reference texts, as a module of ``evaluate``; whether they are true, ``check_grounding`` says.

import evaluate
from agir_hf.evaluation import module_path
evaluate.load(module_path("gait_rationale")).compute(references=["..."], predictions=["..."])
"""

import datasets
import evaluate

from agir_hf.evaluation.text_metrics import bleu, chrf, mean_rouge

_DESCRIPTION = "BLEU and chrF (0 to 100) and ROUGE F-measures (0 to 1) of rationales against one reference each."


class GaitRationale(evaluate.Metric):
    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description=_DESCRIPTION,
            citation="",
            inputs_description="predictions, references: texts.",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(self, predictions: list[str], references: list[str]) -> dict[str, float]:
        return {"bleu": bleu(predictions, references), "chrf": chrf(predictions, references)} | mean_rouge(
            predictions, references
        )
