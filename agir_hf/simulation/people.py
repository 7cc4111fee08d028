"""Virtual people: their bodies, how severely their gait is affected, and their own way of walking.

A person's severity follows their score with noise, and every aspect of gait has its own deviation from that severity,
so that the scores overlap in every measure, as clinical scores do (Nocera and Hass 2012). Trunk posture and freezing
come from latents of their own: the gait item does not rate them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..errors import AgirError
from .body import Body, sample_body
from .mechanics import FIRST, Mechanics
from .style import Style, sample_style

Sex = Literal["female", "male"]
Phenotype = Literal["typical", "tremor", "one_sided", "waddling", "wide_based", "crouched"]
# Of the deep cohort: phenotypes of Parkinson's disease, and patterns without a score.
DeepKind = Literal[
    "tremor-dominant",
    "akinetic-rigid",
    "freezing",
    "none",
    "parkinsonian",
    "healthy",
    "hemiparetic",
    "steppage",
    "ataxic",
    "antalgic",
]


@dataclass(frozen=True)
class Person:
    """A virtual person. ``severity`` is continuous; ``score`` is what a clinician would give, 0 to 3, or None."""

    seed: int
    subject_id: str
    sex: Sex
    age_years: float
    score: int | None
    severity: float
    phenotype: Phenotype | DeepKind
    affected_side: Literal["left", "right"]
    posture_latent: float
    freezing_latent: float
    body: Body
    style: Style
    mechanics: Mechanics = FIRST

    @property
    def freezing_prone(self) -> bool:
        """Whether walks of this person may have freezing episodes: never with a normal gait."""
        return bool(self.score) and self.freezing_latent > 1.2

    @property
    def sides(self) -> tuple[int, int]:
        """Index 0 (left) or 1 (right) of the more and of the less affected side."""
        return (0, 1) if self.affected_side == "left" else (1, 0)


def simulate_person(seed: int, *, score: int | None = None) -> Person:
    """Draw a virtual person.

    Args:
        seed: same seed and score, same person.
        score: 0 to 3; drawn when None.

    Raises:
        AgirError: the score is not 0, 1, 2 or 3.
    """
    if score is not None and score not in (0, 1, 2, 3):
        raise AgirError(f"expected a score of 0, 1, 2 or 3, found {score!r}: the simulated cohort has four scores")
    rng = np.random.default_rng((int(seed), 0xA61))
    drawn = int(rng.choice(4, p=(0.28, 0.26, 0.24, 0.22)))
    score = drawn if score is None else int(score)
    sex: Sex = "female" if rng.random() < 0.48 else "male"
    age, height = _age_and_height(rng, sex, score)
    severity = float(score + np.clip(0.40 * rng.standard_normal(), -0.9, 0.9))
    phenotype = _phenotype(rng, score)
    affected: Literal["left", "right"] = "left" if rng.random() < 0.5 else "right"
    standardised = (severity - 1.4) / 1.15
    posture = float(0.30 * standardised + 0.95 * rng.standard_normal() + 0.012 * (age - 60.0))
    freezing = float(0.30 * standardised + 0.95 * rng.standard_normal())
    body = sample_body(rng, sex, height)
    style = sample_style(rng, body, age, severity, phenotype, 0 if affected == "left" else 1, posture)
    return Person(
        seed=int(seed),
        subject_id=f"sim-{int(seed):010d}",
        sex=sex,
        age_years=age,
        score=score,
        severity=severity,
        phenotype=phenotype,
        affected_side=affected,
        posture_latent=posture,
        freezing_latent=freezing,
        body=body,
        style=style,
    )


def _age_and_height(rng: np.random.Generator, sex: Sex, score: int) -> tuple[float, float]:
    """Age and stature. Children are there for the range of body sizes; they may have any score."""
    kind = rng.random()
    young_share = 0.42 if score == 0 else 0.14
    if kind < 0.05:
        age = rng.uniform(6.0, 15.0)
        height = 1.14 + 0.056 * (age - 6.0) + 0.05 * rng.standard_normal()
        return float(age), float(np.clip(height, 1.05, 1.75))
    age = rng.uniform(18.0, 48.0) if kind < 0.05 + young_share else np.clip(rng.normal(66.0, 10.0), 45.0, 92.0)
    mean, sd = (1.635, 0.068) if sex == "female" else (1.765, 0.075)
    height = mean - 0.0012 * max(age - 45.0, 0.0) + sd * rng.standard_normal()
    return float(age), float(np.clip(height, 1.45, 2.02))


def _phenotype(rng: np.random.Generator, score: int) -> Phenotype:
    if score == 0:
        return "typical"
    kinds: tuple[Phenotype, ...] = ("typical", "tremor", "one_sided", "waddling", "wide_based", "crouched")
    return kinds[int(rng.choice(6, p=(0.46, 0.12, 0.21, 0.07, 0.07, 0.07)))]
