"""How well predictions agree with labels, and how sure one can be of that."""

from .metrics import (
    accuracy,
    auroc,
    bootstrap_interval,
    brier_score,
    expected_calibration_error,
    macro_f1,
    mean_absolute_error,
    quadratic_weighted_kappa,
)

__all__ = [
    "accuracy",
    "auroc",
    "bootstrap_interval",
    "brier_score",
    "expected_calibration_error",
    "macro_f1",
    "mean_absolute_error",
    "quadratic_weighted_kappa",
]
