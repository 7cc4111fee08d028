"""Metrics against scikit-learn, and their corner cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from agir_hf.errors import AgirError
from agir_hf.evaluation import (
    accuracy,
    auroc,
    bootstrap_interval,
    brier_score,
    expected_calibration_error,
    macro_f1,
    macro_f1_of_table,
    mean_absolute_error,
    quadratic_weighted_kappa,
    quadratic_weighted_kappa_of_table,
)
from agir_hf.evaluation.calibration import fit_temperature, negative_log_likelihood
from agir_hf.evaluation.metrics import (
    area_under_risk_coverage,
    confusion_table,
    per_class,
    reliability_curve,
    risk_coverage_curve,
    within_one_accuracy,
)


@pytest.fixture
def sample() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    given = rng.integers(0, 4, 300)
    predicted = np.clip(given + rng.integers(-1, 2, 300), 0, 3)
    p = rng.dirichlet(np.ones(4), 300)
    return given, predicted, p


def test_agreement_with_scikit_learn(sample: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the test extra")
    given, predicted, p = sample
    assert accuracy(given, predicted) == pytest.approx(metrics.accuracy_score(given, predicted), abs=1e-12)
    assert macro_f1(given, predicted) == pytest.approx(metrics.f1_score(given, predicted, average="macro"), abs=1e-12)
    kappa = metrics.cohen_kappa_score(given, predicted, weights="quadratic")
    assert quadratic_weighted_kappa(given, predicted, 4) == pytest.approx(kappa, abs=1e-12)
    ranked = np.round(p[:, 1], 1)  # ties
    assert auroc(given > 0, ranked) == pytest.approx(metrics.roc_auc_score(given > 0, ranked), abs=1e-12)
    error = metrics.mean_absolute_error(given, p @ np.arange(4))
    assert mean_absolute_error(given, p @ np.arange(4)) == pytest.approx(error, abs=1e-12)


@pytest.mark.parametrize("size", [1, 2, 5, 40])
@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore")  # scikit-learn warns where a class is missing
def test_agreement_where_classes_are_few_or_missing(size: int, seed: int) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the test extra")
    rng = np.random.default_rng((size, seed))
    classes = rng.integers(1, 5)
    given, predicted = rng.integers(0, classes, size), rng.integers(0, classes, size)
    labels = list(range(4))
    for ours, theirs in (
        (accuracy(given, predicted), metrics.accuracy_score(given, predicted)),
        (macro_f1(given, predicted), metrics.f1_score(given, predicted, average="macro")),
        (macro_f1(given, predicted, labels), metrics.f1_score(given, predicted, average="macro", labels=labels)),
        (mean_absolute_error(given, predicted), metrics.mean_absolute_error(given, predicted)),
    ):
        assert ours == pytest.approx(theirs, abs=1e-9)
    kappa = quadratic_weighted_kappa(given, predicted, 4)
    one_class = len({*given, *predicted}) == 1
    assert math.isnan(kappa) == one_class
    if not one_class:
        expected = metrics.cohen_kappa_score(given, predicted, weights="quadratic", labels=labels)
        assert kappa == pytest.approx(expected, abs=1e-9)
    area = auroc(given > 0, predicted)
    assert math.isnan(area) == (len({*(given > 0)}) == 1)
    if not math.isnan(area):
        assert area == pytest.approx(metrics.roc_auc_score(given > 0, predicted), abs=1e-9)


def test_auroc_is_the_mann_whitney_statistic() -> None:
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(5)
    positive, ranking = rng.random(200) < 0.3, rng.integers(0, 6, 200)
    pairs = stats.mannwhitneyu(ranking[positive], ranking[~positive]).statistic
    assert auroc(positive, ranking) == pytest.approx(pairs / (positive.sum() * (~positive).sum()), abs=1e-9)
    assert auroc(positive, np.zeros(200)) == 0.5
    assert auroc(positive, -ranking) == pytest.approx(1.0 - auroc(positive, ranking), abs=1e-12)


def test_tables_and_labels_give_the_same(sample: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    given, predicted, _ = sample
    table = np.eye(4)[given].T @ np.eye(4)[predicted]
    assert macro_f1_of_table(table / 300) == pytest.approx(macro_f1(given, predicted, range(4)), abs=1e-12)
    kappa = quadratic_weighted_kappa(given, predicted, 4)
    assert quadratic_weighted_kappa_of_table(7 * table) == pytest.approx(kappa, abs=1e-12)


def test_corner_cases() -> None:
    assert math.isnan(quadratic_weighted_kappa([1, 1], [1, 1], 4))
    assert math.isnan(auroc([1, 1], [0.2, 0.3]))
    assert auroc([0, 1], [0.5, 0.5]) == 0.5
    assert macro_f1([0, 0], [0, 0]) == 1.0
    assert macro_f1([0, 0], [0, 0], range(4)) == 0.25
    with pytest.raises(AgirError, match="as many predictions"):
        accuracy([1], [1, 2])
    with pytest.raises(AgirError, match="finite"):
        auroc([0, 1], [0.5, np.nan])
    for label in (-1, 4):
        with pytest.raises(AgirError, match="classes 0 to 3"):
            quadratic_weighted_kappa([0, 1], [0, label], 4)


@pytest.mark.parametrize(
    "metric",
    [accuracy, macro_f1, mean_absolute_error, auroc, lambda given, told: quadratic_weighted_kappa(given, told, 4)],
)
def test_no_samples_is_a_clear_error(metric: Callable[[list[int], list[int]], float]) -> None:
    with pytest.raises(AgirError, match="at least one"):
        metric([], [])


def test_known_calibration_figures() -> None:
    sure = np.array([[0.9, 0.1]] * 10)
    given = np.array([0] * 9 + [1])
    assert expected_calibration_error(given, sure) == pytest.approx(0.0, abs=1e-12)
    assert expected_calibration_error(np.ones(10, int), sure) == pytest.approx(0.9, abs=1e-12)
    assert brier_score([0, 1], [[1.0, 0.0], [1.0, 0.0]]) == pytest.approx(1.0)


def test_bootstrap_draws_whole_subjects_and_keeps_every_group() -> None:
    subjects = np.array(["a", "a", "b", "c", "c", "d"])
    groups = np.array([0, 0, 0, 1, 1, 1])
    seen = []

    def statistic(chosen: np.ndarray) -> float:
        seen.append(chosen)
        return float(len(chosen))

    low, high = bootstrap_interval(statistic, subjects, strata=groups, resamples=50)
    assert 4 <= low <= high <= 8
    for chosen in seen:
        counts = np.bincount(chosen, minlength=6)
        assert counts[0] == counts[1] and counts[3] == counts[4]
        assert set(groups[chosen]) == {0, 1}


def test_bootstrap_needs_someone_to_draw() -> None:
    with pytest.raises(AgirError, match="at least one"):
        bootstrap_interval(len, [])


def test_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=(4000, 4))
    given = np.array([rng.choice(4, p=np.exp(z) / np.exp(z).sum()) for z in logits])
    temperature = fit_temperature(given, 3.0 * logits)
    assert temperature == pytest.approx(3.0, rel=0.1)
    assert negative_log_likelihood(given, 3 * logits, temperature) < negative_log_likelihood(given, 3 * logits)


def test_each_class_as_scikit_learn_tells_it(sample: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs the test extra")
    given, predicted, _ = sample
    theirs = metrics.precision_recall_fscore_support(given, predicted, labels=range(4))
    ours = [(c.precision, c.recall, c.f1, c.support) for c in per_class(given, predicted, 4)]
    assert np.allclose(np.array(ours), np.array(theirs).T, atol=1e-12)
    assert np.array_equal(confusion_table(given, predicted, 4), metrics.confusion_matrix(given, predicted))


def test_classes_that_nobody_has_or_is_told() -> None:
    zero, one, two, three = per_class([0, 0, 1], [0, 2, 2], 4)
    assert (zero.precision, zero.recall, zero.support) == (1.0, 0.5, 2)
    assert math.isnan(one.precision) and one.recall == one.f1 == 0.0
    assert two.precision == two.f1 == 0.0 and math.isnan(two.recall)
    assert all(map(math.isnan, (three.precision, three.recall, three.f1))) and three.support == 0
    assert within_one_accuracy([0, 0, 3], [1, 2, 3]) == pytest.approx(2 / 3)


def test_reliability_bins_hold_every_sample_once(sample: tuple[np.ndarray, np.ndarray, np.ndarray]) -> None:
    given, _, p = sample
    bins = reliability_curve(given, p)
    assert sum(b.samples for b in bins) == len(given)
    assert all(b.low <= b.confidence <= b.high for b in bins)
    (only,) = reliability_curve([0, 1], [[1.0, 0.0], [1.0, 0.0]])
    assert (only.low, only.high, only.confidence, only.accuracy) == (0.9, 1.0, 1.0, 0.5)


def test_risk_falls_to_nothing_where_confidence_knows() -> None:
    coverage, risk = risk_coverage_curve([0, 0, 1, 1], [0.9, 0.8, 0.4, 0.3])
    assert coverage.tolist() == [0.25, 0.5, 0.75, 1.0] and risk.tolist() == pytest.approx([0.0, 0.0, 1 / 3, 0.5])
    assert area_under_risk_coverage([0, 0, 1, 1], [0.9, 0.8, 0.4, 0.3]) == pytest.approx((1 / 3 + 0.5) / 4)
    coverage, risk = risk_coverage_curve([1, 0], [0.5, 0.5])  # a tie is answered together
    assert coverage.tolist() == [1.0] and risk.tolist() == [0.5]
    with pytest.raises(AgirError, match="finite confidences, found 1"):
        risk_coverage_curve([0, 1], [0.1, math.nan])
