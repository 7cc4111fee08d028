"""Simulated walks and cohorts: clips with sensor noise, and the truth about each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..clip import MotionClip
from ..errors import AgirError
from .curves import Array
from .path import PlanOptions, Turn
from .people import Person, simulate_person
from .plan import plan_walk
from .pose import pose
from .truth import WalkTruth, truth_of

FRAME_RATES_HZ = (20.0, 24.0, 25.0, 30.0, 50.0, 60.0, 100.0, 120.0)
"""Frame rates that cohorts are simulated at."""


@dataclass(frozen=True)
class SimulatedWalk:
    """One walk: the clip, whose it is, and what is true about it."""

    clip: MotionClip
    clip_id: str
    subject_id: str
    score: int | None
    person: Person
    truth: WalkTruth


def simulate_walk(
    person: Person,
    *,
    seed: int,
    frame_rate_hz: float = 60.0,
    duration_s: float = 6.0,
    turn: Turn = "none",
    turn_deg: float | None = None,
    starts: bool = False,
    stops: bool = False,
    freezing: int = 0,
    noise_m: float = 0.003,
) -> SimulatedWalk:
    """Simulate one walk of a person.

    Args:
        seed: same person, seed and arguments, same clip. The same plan is sampled at any frame rate.
        turn: "none", a bend to the "left" or "right", or "about" (turning round).
        turn_deg: angle of the turn; 90 for a bend and 180 for "about" when None.
        starts: begin standing.
        stops: end standing.
        freezing: number of freezing episodes, each with attempted stepping.
        noise_m: standard deviation of the sensor noise of each coordinate.

    Raises:
        AgirError: an argument outside its range.
    """
    if turn not in ("none", "left", "right", "about"):
        raise AgirError(f'expected turn "none", "left", "right" or "about", found {turn!r}')
    if not 1.0 <= duration_s <= 120.0:
        raise AgirError(f"expected a duration between 1 and 120 s, found {duration_s}")
    if not 5.0 <= frame_rate_hz <= 1000.0:
        raise AgirError(f"expected a frame rate between 5 and 1000 Hz, found {frame_rate_hz}")
    if not 0.0 <= noise_m <= 0.1:
        raise AgirError(f"expected noise between 0 and 0.1 m, found {noise_m}")
    angle = (180.0 if turn == "about" else 90.0) if turn_deg is None else float(turn_deg)
    options = PlanOptions(duration_s, turn, 0.0 if turn == "none" else angle, starts, stops, freezing)
    plan = plan_walk(person, options, seed)
    frames = int(np.floor(duration_s * frame_rate_hz + 1e-6)) + 1
    times = np.arange(frames) / frame_rate_hz
    joints = pose(person, plan, times)
    rng = np.random.default_rng((person.seed, int(seed), 0x5E))
    heading, origin = rng.uniform(-np.pi, np.pi), rng.uniform(-2.0, 2.0, 2)
    joints = moved(joints, heading, origin)
    truth = truth_of(person, plan, times[-1], heading, origin)
    joints += sensor_noise(rng, joints.shape, frame_rate_hz, noise_m)
    clip_id = f"{person.subject_id}-{int(seed):010d}"
    clip = MotionClip(joints.astype(np.float32), frame_rate_hz, source=f"simulated:{clip_id}")
    return SimulatedWalk(clip, clip_id, person.subject_id, person.score, person, truth)


def moved(joints: Array, heading_rad: float, origin_m: Array) -> Array:
    """Joints turned about the vertical and moved over the floor (X, Z)."""
    cos, sin = np.cos(heading_rad), np.sin(heading_rad)
    x, z = joints[..., 0] * cos + joints[..., 2] * sin, -joints[..., 0] * sin + joints[..., 2] * cos
    return np.stack([x + origin_m[0], joints[..., 1], z + origin_m[1]], axis=-1)


def sensor_noise(rng: np.random.Generator, shape: tuple[int, ...], frame_rate_hz: float, noise_m: float) -> Array:
    """White noise plus a part that wanders within about 0.15 s, together of standard deviation ``noise_m``."""
    if noise_m == 0.0:
        return np.zeros(shape)
    white = rng.standard_normal(shape)
    sigma = 0.08 * frame_rate_hz
    reach = max(int(np.ceil(3 * sigma)), 1)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    kernel /= np.sqrt((kernel**2).sum())
    rough = rng.standard_normal((shape[0] + 2 * reach, int(np.prod(shape[1:]))))
    size = 1 << int(np.ceil(np.log2(len(rough) + len(kernel))))
    spectrum = np.fft.rfft(rough, size, axis=0) * np.fft.rfft(kernel, size)[:, None]
    slow = np.fft.irfft(spectrum, size, axis=0)[2 * reach : 2 * reach + shape[0]].reshape(shape)
    return noise_m * (np.sqrt(0.4) * white + np.sqrt(0.6) * slow)


def cohort_walk(cohort_seed: int, person_index: int, walk_index: int) -> SimulatedWalk:
    """One walk of a cohort by its place: workers can share a cohort without passing clips around."""
    person = cohort_person(cohort_seed, person_index)
    rng = np.random.default_rng((int(cohort_seed), int(person_index), int(walk_index), 0xC0))
    duration = float(np.round(rng.uniform(3.0, 12.0), 2))
    kind = float(rng.random())
    turn: Turn = "none" if kind < 0.5 else "left" if kind < 0.6 else "right" if kind < 0.7 else "about"
    turn_deg = float(rng.uniform(45.0, 135.0))
    if turn == "about":
        turn_deg = 180.0
        duration = max(duration, min(1.6 * person.style.turn_duration_180_s + 2.5, 12.0))
    freezing = 0
    if person.freezing_prone and duration >= 5.0 and rng.random() < 0.6:
        freezing = int(rng.integers(1, 3)) if duration >= 9.0 else 1
    starts, stops = rng.random() < 0.12, rng.random() < 0.10
    # Most laboratories deliver joints that jitter by well under a millimetre; joints from video by several.
    noise = 0.008 * float(rng.uniform(0.0, 1.0)) ** 3 * float(rng.random() ** 0.5)
    return simulate_walk(
        person,
        seed=int(rng.integers(2**31)),
        frame_rate_hz=float(rng.choice(FRAME_RATES_HZ)),
        duration_s=duration,
        turn=turn,
        turn_deg=turn_deg,
        starts=bool(starts and duration >= 5.0),
        stops=bool(stops and duration >= 5.0),
        freezing=freezing,
        noise_m=noise,
    )


def cohort_person(cohort_seed: int, person_index: int) -> Person:
    """The person at a place in a cohort."""
    mixed = np.random.SeedSequence((int(cohort_seed), int(person_index), 0x9E)).generate_state(1)[0]
    return simulate_person(int(mixed))


def simulate_cohort(people: int, walks_per_person: int, *, seed: int) -> Iterator[SimulatedWalk]:
    """Walks of a cohort, person by person: mixed frame rates (20 to 120 Hz), lengths (3 to 12 s), turns and noise."""
    if people < 1 or walks_per_person < 1:
        raise AgirError(f"expected at least 1 person and 1 walk each, found {people} and {walks_per_person}")
    for person_index in range(people):
        for walk_index in range(walks_per_person):
            yield cohort_walk(seed, person_index, walk_index)
