"""How well predictions agree with labels, and how sure one can be of that."""

from .metrics import (
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

__all__ = [
    "accuracy",
    "auroc",
    "bootstrap_interval",
    "brier_score",
    "expected_calibration_error",
    "macro_f1",
    "macro_f1_of_table",
    "mean_absolute_error",
    "quadratic_weighted_kappa",
    "quadratic_weighted_kappa_of_table",
]
