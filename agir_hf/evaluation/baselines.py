"""What simple models reach on the same people: the yardstick beside every figure of the language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..errors import require
from .metrics import accuracy, macro_f1, quadratic_weighted_kappa


def _matrix(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> np.ndarray:
    return np.array(
        [[np.nan if row["parameters"][n] is None else float(row["parameters"][n]) for n in names] for row in rows]
    )


def random_forest(
    train: Sequence[dict[str, Any]],
    test: Sequence[dict[str, Any]],
    *,
    num_scores: int,
    seed: int,
    names: Sequence[str] | None = None,
    trees: int = 400,
) -> dict[str, float]:
    """A random forest on the measured parameters (missing ones stay missing).

    Args:
        train, test: rows with ``parameters`` (name -> value or None) and ``score``.
        names: the parameters to use; all of them by default.
    """
    ensemble = require("sklearn.ensemble", "train")
    names = list(names or train[0]["parameters"])
    forest = ensemble.RandomForestClassifier(trees, min_samples_leaf=3, random_state=seed, n_jobs=-1)
    forest.fit(_matrix(train, names), [row["score"] for row in train])
    given = np.array([row["score"] for row in test])
    predicted = forest.predict(_matrix(test, names))
    return {
        "macro_f1": round(macro_f1(given, predicted, range(num_scores)), 4),
        "qwk": round(quadratic_weighted_kappa(given, predicted, num_scores), 4),
        "accuracy": round(accuracy(given, predicted), 4),
    }
