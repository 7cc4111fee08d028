"""What simple models reach on the same people: the yardstick beside every figure of the language model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import AgirError, require
from .metrics import accuracy, macro_f1, quadratic_weighted_kappa


def _matrix(rows: Sequence[dict[str, Any]], names: Sequence[str]) -> np.ndarray:
    return np.array(
        [[np.nan if row["parameters"][n] is None else float(row["parameters"][n]) for n in names] for row in rows]
    )


def forest_probabilities(
    train: Sequence[dict[str, Any]],
    test: Sequence[dict[str, Any]],
    *,
    num_scores: int,
    seed: int,
    names: Sequence[str] | None = None,
    trees: int = 400,
) -> NDArray[np.float64]:
    """(N, C) probabilities that a random forest on the measured parameters gives the test rows.

    Args:
        train, test: rows with ``parameters`` (name -> value or None; missing ones stay missing); training rows have a
            ``score`` too.
        names: the parameters to use; all of them by default.

    Raises:
        AgirError: no rows to learn from or none to give a score.
        MissingDependencyError: scikit-learn is not installed.
    """
    if not len(train) or not len(test):
        raise AgirError(f"expected rows to learn from and rows to test on, found {len(train)} and {len(test)}")
    ensemble = require("sklearn.ensemble", "train")
    names = list(names or train[0]["parameters"])
    forest = ensemble.RandomForestClassifier(trees, min_samples_leaf=3, random_state=seed, n_jobs=-1)
    forest.fit(_matrix(train, names), [row["score"] for row in train])
    told = np.zeros((len(test), num_scores))
    told[:, forest.classes_] = forest.predict_proba(_matrix(test, names))
    return told


def forest_scores(
    train: Sequence[dict[str, Any]],
    test: Sequence[dict[str, Any]],
    *,
    seed: int,
    names: Sequence[str] | None = None,
    trees: int = 400,
) -> NDArray[np.int64]:
    """(N,) the most probable score of each test row; see ``forest_probabilities``."""
    num_scores = 1 + max((row["score"] for row in train), default=0)
    told = forest_probabilities(train, test, num_scores=num_scores, seed=seed, names=names, trees=trees)
    return told.argmax(axis=1).astype(np.int64)


def random_forest(
    train: Sequence[dict[str, Any]],
    test: Sequence[dict[str, Any]],
    *,
    num_scores: int,
    seed: int,
    names: Sequence[str] | None = None,
    trees: int = 400,
) -> dict[str, float]:
    """Macro-F1, quadratic weighted kappa and accuracy of ``forest_scores``; test rows too have a ``score``."""
    given = np.array([row["score"] for row in test])
    predicted = forest_scores(train, test, seed=seed, names=names, trees=trees)
    return {
        "macro_f1": round(macro_f1(given, predicted, range(num_scores)), 4),
        "qwk": round(quadratic_weighted_kappa(given, predicted, num_scores), 4),
        "accuracy": round(accuracy(given, predicted), 4),
    }
