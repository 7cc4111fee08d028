"""How well predictions agree with labels, and how sure one can be of that."""

from pathlib import Path

from ..errors import AgirError
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
    within_one_accuracy,
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
    "module_path",
    "quadratic_weighted_kappa",
    "quadratic_weighted_kappa_of_table",
    "within_one_accuracy",
]


def module_path(name: str) -> str:
    """Folder of a module for ``evaluate.load``: ``"gait_score"`` or ``"gait_rationale"``.

    Raises:
        AgirError: there is no such module.
    """
    folder = Path(__file__).parent / "modules"
    if not (folder / name / f"{name}.py").is_file():
        known = sorted(path.name for path in folder.iterdir() if (path / f"{path.name}.py").is_file())
        raise AgirError(f"expected a module of {', '.join(known)}, found '{name}'")
    return str(folder / name)
