"""``evaluate`` modules load from where the package is and say what the plain functions say."""

from __future__ import annotations

from pathlib import Path

import pytest

evaluate = pytest.importorskip("evaluate", reason="needs the evaluate extra")

from agir_hf.errors import AgirError  # noqa: E402
from agir_hf.evaluation import macro_f1, module_path, quadratic_weighted_kappa  # noqa: E402
from agir_hf.evaluation.text_metrics import mean_rouge  # noqa: E402


def test_gait_score(tmp_path: Path) -> None:
    given, told = [0, 1, 2, 3, 1, 0], [0, 2, 2, 2, 1, 1]
    metric = evaluate.load(module_path("gait_score"), cache_dir=str(tmp_path))
    found = metric.compute(references=given, predictions=told, num_scores=4)
    assert found["macro_f1"] == macro_f1(given, told, range(4))
    assert found["qwk"] == quadratic_weighted_kappa(given, told, 4)
    assert set(found) == {"accuracy", "within_one_accuracy", "macro_f1", "qwk", "mae"}


def test_gait_rationale(tmp_path: Path) -> None:
    pytest.importorskip("sacrebleu", reason="needs the evaluate extra")
    texts, references = ["the left arm swings less"], ["the left arm swings less than the right"]
    metric = evaluate.load(module_path("gait_rationale"), cache_dir=str(tmp_path))
    found = metric.compute(references=references, predictions=texts)
    assert {name: found[name] for name in ("rouge1", "rouge2", "rougeL")} == mean_rouge(texts, references)
    assert 0 < found["bleu"] < 100 and 0 < found["chrf"] < 100


def test_an_unknown_module_is_named() -> None:
    with pytest.raises(AgirError, match="expected a module of gait_rationale, gait_score, found 'gait'"):
        module_path("gait")
