"""One temperature for the score probabilities, fitted on people the model was not trained on (Guo et al. 2017)."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .metrics import _pair


def negative_log_likelihood(given: ArrayLike, log_probabilities: ArrayLike, temperature: float = 1.0) -> float:
    """Mean negative log likelihood of the labels after dividing the log probabilities by ``temperature``."""
    y, logits = _pair(given, log_probabilities)
    scaled = logits.astype(float) / temperature
    scaled -= scaled.max(axis=1, keepdims=True)
    normaliser = np.log(np.exp(scaled).sum(axis=1))
    return float((normaliser - scaled[np.arange(len(y)), y.astype(int)]).mean())


def fit_temperature(given: ArrayLike, log_probabilities: ArrayLike) -> float:
    """The temperature in [0.25, 10] with the lowest negative log likelihood.

    Args:
        given: (N,) labels.
        log_probabilities: (N, C) log probabilities, or logits, before any temperature.
    """
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(
        lambda log_t: negative_log_likelihood(given, log_probabilities, float(np.exp(log_t))),
        bounds=(np.log(0.25), np.log(10.0)),
        method="bounded",
    )
    return float(np.exp(found.x))
