"""People of the deep cohort: who they are for good, and how they walk in one state of medication and attention."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from .body import Body, sample_body
from .contrast import CONTRASTS, Contrast, contrast_style
from .deep_style import (
    ParkinsonPhenotype,
    aged,
    sexed,
    with_free_knees,
    with_likely_arms,
    with_onset,
    with_phenotype,
    with_second_task,
)
from .mechanics import ANNOTATED
from .people import Person, Sex
from .style import Style, sample_style

Pattern = Literal["parkinsonian", "healthy", "hemiparetic", "steppage", "ataxic", "antalgic"]
DeepPhenotype = Literal["none", ParkinsonPhenotype]
Medication = Literal["on", "off", "none"]
Task = Literal["single", "dual"]

PATTERN_SHARES: tuple[tuple[Pattern, float], ...] = (("parkinsonian", 0.64), ("healthy", 0.22), ("contrast", 0.14))  # type: ignore[assignment]
# Of the drivers, in scores, between on and off medication: the mean over people.
MEDICATION_EFFECT = 0.5
_FREEZES_ABOVE = 0.8  # of the freezing latent, which is about standard normal


@dataclass(frozen=True)
class DeepPerson:
    """What stays the same from walk to walk.

    Attributes:
        severity: continuous, on the scale of the scores, halfway between on and off medication; 0 without the disease.
        medication_effect: severity off less on medication; 0 for whoever takes none.
        disease_years: since the diagnosis; None without the disease.
        affected: 0 left, 1 right, the side where it began; None where a pattern has no side.
        rater_offset: how far from the severity clinicians see this person.
        posture_latent, freezing_latent: of their own: the gait item rates neither.
        second_task_cost: share of the speed that a second task costs.
    """

    seed: int
    subject_id: str
    pattern: Pattern
    phenotype: DeepPhenotype
    sex: Sex
    age_years: float
    body: Body
    severity: float
    medication_effect: float
    disease_years: float | None
    affected: int | None
    rater_offset: float
    posture_latent: float
    freezing_latent: float
    tremor_deg: float
    second_task_cost: float

    def severity_in(self, medication: Medication) -> float:
        """Severity in this state."""
        return self.severity + {"off": 0.5, "on": -0.5, "none": 0.0}[medication] * self.medication_effect

    def score_in(self, medication: Medication) -> int | None:
        """What a clinician would give in this state; None for patterns that the scale is not made for."""
        if self.pattern == "healthy":
            return 0
        if self.pattern != "parkinsonian":
            return None
        return int(np.clip(np.rint(self.severity_in(medication) + self.rater_offset), 0, 3))


def deep_person(cohort_seed: int, person_index: int) -> DeepPerson:
    """The person at a place in a deep cohort."""
    seed = int(np.random.SeedSequence((int(cohort_seed), int(person_index), 0xDE)).generate_state(1)[0])
    rng = np.random.default_rng((seed, 0xDE1))
    pattern = _pattern(rng)
    ill = pattern == "parkinsonian"
    sex: Sex = "female" if rng.random() < (0.42 if ill else 0.52) else "male"
    age = float(np.clip(rng.normal(67.0, 9.0), 42.0, 90.0) if ill else _age_without_disease(rng, pattern))
    mean, sd = (1.635, 0.068) if sex == "female" else (1.765, 0.075)
    height = float(np.clip(mean - 0.0012 * max(age - 45.0, 0.0) + sd * rng.standard_normal(), 1.42, 2.02))
    severity = float(rng.uniform(0.1, 3.4)) if ill else 0.0
    years = float(np.clip(0.8 + 3.2 * severity + 2.5 * rng.standard_normal(), 0.3, 25.0)) if ill else None
    untreated = years is None or (years < 2.5 and rng.random() < 0.5)
    effect = 0.0 if untreated else MEDICATION_EFFECT * float(np.exp(0.25 * np.clip(rng.standard_normal(), -2, 2)))
    standardised = (severity - 1.2) / 1.15
    posture = float(0.30 * standardised + 0.95 * rng.standard_normal() + 0.012 * (age - 66.0))
    freezing = float(0.30 * standardised + 0.95 * rng.standard_normal())
    cost = 0.04 + 0.03 * severity + 0.04 * abs(rng.standard_normal())
    affected = int(rng.integers(2))
    return DeepPerson(
        seed=seed,
        subject_id=f"deep-{seed:010d}",
        pattern=pattern,
        phenotype=_phenotype(rng, freezing, severity) if ill else "none",
        sex=sex,
        age_years=age,
        body=sample_body(rng, sex, height),
        severity=severity,
        medication_effect=effect,
        disease_years=years,
        affected=None if pattern in ("healthy", "ataxic") else affected,
        rater_offset=float(0.33 * np.clip(rng.standard_normal(), -2.5, 2.5)),
        posture_latent=posture,
        freezing_latent=freezing,
        tremor_deg=float(rng.uniform(3.0, 9.0)),
        second_task_cost=float(np.clip(cost, 0.02, 0.30)),
    )


def person_in(who: DeepPerson, medication: Medication, task: Task) -> Person:
    """The person as they walk in one state. Between states only what the state changes differs."""
    severity = who.severity_in(medication)
    style = _style(who, medication)
    if task == "dual":
        style = with_second_task(style, who.second_task_cost)
    return Person(
        seed=who.seed,
        subject_id=who.subject_id,
        sex=who.sex,
        age_years=who.age_years,
        score=who.score_in(medication),
        severity=severity,
        phenotype=who.phenotype if who.pattern == "parkinsonian" else who.pattern,
        affected_side="right" if who.affected == 1 else "left",
        posture_latent=who.posture_latent,
        freezing_latent=who.freezing_latent,
        body=who.body,
        style=style,
        mechanics=ANNOTATED,
    )


def _style(who: DeepPerson, medication: Medication) -> Style:
    severity, affected = who.severity_in(medication), who.affected or 0
    # The same generator in every state: the person's own deviations stay, the severity's part moves.
    rng = np.random.default_rng((who.seed, 0xDE2))
    style = sample_style(rng, who.body, who.age_years, severity, "typical", affected, who.posture_latent)
    style = with_likely_arms(with_free_knees(style), severity, affected)
    style = aged(sexed(style, who.sex), who.age_years)
    if who.disease_years is not None and who.phenotype != "none":
        style = with_onset(style, severity, who.disease_years, affected)
        style = with_phenotype(style, who.phenotype, severity, affected, who.tremor_deg, medication == "on")
    if who.pattern in CONTRASTS:
        pattern: Contrast = who.pattern  # type: ignore[assignment]
        style = contrast_style(rng, style, pattern, affected, who.body.leg_scale)
    return _walkable(style, who.body)


def _walkable(style: Style, body: Body) -> Style:
    """Speed and stride that fit each other: no stride takes less or more time than people take."""
    root = np.sqrt(body.leg_scale)
    time_s = float(np.clip(style.stride_length_m / style.walking_speed_mps, 0.84 * root, 1.75 * root))
    return replace(style, walking_speed_mps=style.stride_length_m / time_s)


def _pattern(rng: np.random.Generator) -> Pattern:
    names, shares = zip(*PATTERN_SHARES, strict=True)
    drawn = names[int(rng.choice(len(names), p=shares))]
    contrast = CONTRASTS[int(rng.integers(len(CONTRASTS)))]
    return contrast if drawn == "contrast" else drawn  # type: ignore[comparison-overlap]


def _age_without_disease(rng: np.random.Generator, pattern: Pattern) -> float:
    """Healthy walkers are of any adult age, so that age shows in them; most of them as old as the patients."""
    young = pattern == "healthy" and rng.random() < 0.3
    return float(rng.uniform(20.0, 50.0) if young else np.clip(rng.normal(66.0, 11.0), 25.0, 92.0))


def _phenotype(rng: np.random.Generator, freezing_latent: float, severity: float) -> ParkinsonPhenotype:
    """Tremor-dominant disease is more common while it is mild. Freezing follows its own latent."""
    coin = rng.random()
    if freezing_latent > _FREEZES_ABOVE:
        return "freezing"
    return "tremor-dominant" if coin < 0.60 - 0.10 * severity else "akinetic-rigid"
