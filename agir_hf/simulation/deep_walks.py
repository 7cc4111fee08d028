"""The deep cohort: walks with labels of who walks, in which state, and how it was recorded. All of it is simulated.

Where ``walks.cohort_walk`` draws any walk of any person, this cohort is laid out like a clinic's: the same people come
on and off medication, with and without a second task, walk towards and away from a camera and turn both ways, filmed or
in a motion laboratory; healthy people of all ages and people with other gait disorders are among them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..clip import MotionClip, Side
from .capture import lifted, sample_quality
from .curves import Array
from .deep_people import DeepPerson, DeepPhenotype, Medication, Pattern, Task, deep_person, person_in
from .path import PlanOptions, Turn
from .people import Person, Sex
from .plan import WalkPlan, plan_walk
from .pose import pose
from .truth import truth_of
from .walks import SimulatedWalk, moved, sensor_noise

Capture = Literal["motion capture", "pose lifting"]
View = Literal["toward", "away"]

_LABORATORY_RATES_HZ = (50.0, 60.0, 100.0, 120.0)
_VIDEO_RATES_HZ = (24.0, 25.0, 30.0, 50.0, 60.0)
_CAMERA_M = np.zeros(2)
_NEAREST_TO_CAMERA_M = 2.0
_FREEZING_CHANCE = {"off": 0.65, "none": 0.45, "on": 0.25}


@dataclass(frozen=True)
class WalkLabels:
    """What is known about a walk besides its truth.

    Attributes:
        pattern: "parkinsonian", "healthy", or a gait disorder for contrast.
        score: what a clinician would give in this state of medication; None for a contrast.
        more_affected_side: where the disease began, or the side of a contrast pattern; None where there is none.
        medication: "on" or "off"; "none" for whoever takes none.
        disease_years: since the diagnosis; None without Parkinson's disease.
        turn, turn_deg: the way of the turn and its angle; "none" and 0 without one.
        view: whether the person sets out toward the camera or away from it; an about-turn changes that.
        capture: "pose lifting" is one camera's video: jitter, smoothing, depth and scale error, gaps.
        gap_share: of joint positions drawn over gaps.
    """

    pattern: Pattern
    score: int | None
    sex: Sex
    age_years: float
    height_m: float
    phenotype: DeepPhenotype
    more_affected_side: Side | None
    disease_years: float | None
    medication: Medication
    task: Task
    turn: Literal["none", "left", "right"]
    turn_deg: float
    view: View
    capture: Capture
    gap_share: float


@dataclass(frozen=True)
class CommandedWalk:
    """What is decided about a walk before any motion is made.

    The motion follows ``options``, the style and the body of ``person``, and chance; severity and score do not enter it
    in any other way.
    """

    who: DeepPerson
    medication: Medication
    task: Task
    person: Person
    options: PlanOptions


def commanded_walk(cohort_seed: int, person_index: int, walk_index: int) -> CommandedWalk:
    """What is commanded in the walk that ``deep_cohort_walk`` makes at this place, a hundred times faster."""
    return _commanded(_generator(cohort_seed, person_index, walk_index), cohort_seed, person_index, walk_index)


def deep_cohort_walk(cohort_seed: int, person_index: int, walk_index: int) -> tuple[SimulatedWalk, WalkLabels]:
    """One walk of the deep cohort by its place, with its labels.

    Walks of one person alternate between off and on medication where the person takes any.
    """
    rng = _generator(cohort_seed, person_index, walk_index)
    commanded = _commanded(rng, cohort_seed, person_index, walk_index)
    who, person, options = commanded.who, commanded.person, commanded.options
    view: View = "toward" if rng.random() < 0.5 else "away"
    capture: Capture = "pose lifting" if rng.random() < 0.4 else "motion capture"
    seed = int(rng.integers(2**31))
    walk, gap_share = _recorded(rng, person, plan_walk(person, options, seed), view, capture)
    turned = options.turn if options.turn in ("left", "right") else "none"
    labels = WalkLabels(
        pattern=who.pattern,
        score=person.score,
        sex=who.sex,
        age_years=who.age_years,
        height_m=who.body.height_m,
        phenotype=who.phenotype,
        more_affected_side=None if who.affected is None else ("left", "right")[who.affected],  # type: ignore[arg-type]
        disease_years=who.disease_years,
        medication=commanded.medication,
        task=commanded.task,
        turn=turned,  # type: ignore[arg-type]
        turn_deg=options.turn_deg,
        view=view,
        capture=capture,
        gap_share=gap_share,
    )
    return walk, labels


def simulate_deep_cohort(
    people: int, walks_per_person: int, *, seed: int
) -> Iterator[tuple[SimulatedWalk, WalkLabels]]:
    """Walks of a deep cohort, person by person."""
    for person_index in range(people):
        for walk_index in range(walks_per_person):
            yield deep_cohort_walk(seed, person_index, walk_index)


def _generator(cohort_seed: int, person_index: int, walk_index: int) -> np.random.Generator:
    return np.random.default_rng((int(cohort_seed), int(person_index), int(walk_index), 0xDE3))


def _commanded(rng: np.random.Generator, cohort_seed: int, person_index: int, walk_index: int) -> CommandedWalk:
    """The first draws of a walk's generator; what comes after them depends on their order."""
    who = deep_person(cohort_seed, person_index)
    medication: Medication = "none"
    if who.medication_effect > 0.0:
        medication = "off" if (walk_index + who.seed) % 2 == 0 else "on"
    task: Task = "dual" if rng.random() < 0.25 else "single"
    person = person_in(who, medication, task)
    return CommandedWalk(who, medication, task, person, _options(rng, who, person, medication))


def _options(rng: np.random.Generator, who: DeepPerson, person: Person, medication: Medication) -> PlanOptions:
    """What happens in the walk: turns to either side, standing starts and ends, episodes in people who freeze."""
    duration = float(np.round(rng.uniform(4.0, 12.0), 2))
    kind, side = rng.random(), "left" if rng.random() < 0.5 else "right"
    turn: Turn = "none" if kind < 0.45 else side  # type: ignore[assignment]
    turn_deg = float(rng.uniform(45.0, 130.0))
    if kind > 0.62:
        turn_deg = 180.0
        duration = max(duration, min(1.6 * person.style.turn_duration_180_s + 3.0, 14.0))
    freezes = who.phenotype == "freezing" and duration >= 5.0 and rng.random() < _FREEZING_CHANCE[medication]
    episodes = (int(rng.integers(1, 3)) if duration >= 9.0 else 1) if freezes else 0
    starts, stops = rng.random() < 0.12, rng.random() < 0.10
    long_enough = duration >= 5.0
    return PlanOptions(
        duration_s=duration,
        turn=turn,
        turn_deg=0.0 if turn == "none" else turn_deg,
        starts=bool(starts and long_enough),
        stops=bool(stops and long_enough),
        freezing=episodes,
    )


def _recorded(
    rng: np.random.Generator, person: Person, plan: WalkPlan, view: View, capture: Capture
) -> tuple[SimulatedWalk, float]:
    """The clip of a plan in front of the camera, its truth, and the share of joint positions drawn over gaps."""
    video = capture == "pose lifting"
    rate = float(rng.choice(_VIDEO_RATES_HZ if video else _LABORATORY_RATES_HZ))
    frames = int(np.floor(plan.path.options.duration_s * rate + 1e-6)) + 1
    times = np.arange(frames) / rate
    joints = pose(person, plan, times)
    # The camera looks along +Z, and so walks whoever goes away from it.
    heading = float((np.pi if view == "toward" else 0.0) + np.clip(0.12 * rng.standard_normal(), -0.3, 0.3))
    away = moved(joints, heading, np.zeros(2))[:, 0, 2]
    origin = np.array([float(rng.uniform(-0.6, 0.6)), _NEAREST_TO_CAMERA_M - float(away.min())])
    joints = moved(joints, heading, origin)
    truth = truth_of(person, plan, float(times[-1]), heading, origin)
    if video:
        joints, gap_share = lifted(rng, joints, rate, _CAMERA_M, sample_quality(rng))
    else:
        noise_m = 0.004 * float(rng.uniform(0.0, 1.0)) ** 2
        joints, gap_share = joints + sensor_noise(rng, joints.shape, rate, noise_m), 0.0
    clip_id = f"{person.subject_id}-{plan.seed:010d}"
    clip = MotionClip(_float32(joints), rate, source=f"simulated:{clip_id}")
    return SimulatedWalk(clip, clip_id, person.subject_id, person.score, person, truth), gap_share


def _float32(joints: Array) -> np.ndarray:
    return np.asarray(joints, dtype=np.float32)
