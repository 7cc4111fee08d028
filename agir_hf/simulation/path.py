"""The path of a walk: where the body is and which way it faces, as smooth functions of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from .curves import Array, forward, slow_noise, smoothstep
from .people import Person

Turn = Literal["none", "left", "right", "about"]

GRID_HZ = 200.0
MARGIN_S = 3.0


@dataclass(frozen=True)
class PlanOptions:
    """What happens in a walk. ``turn_deg`` is the angle of the turn (positive); ``freezing`` counts episodes."""

    duration_s: float
    turn: Turn = "none"
    turn_deg: float = 0.0
    starts: bool = False
    stops: bool = False
    freezing: int = 0
    in_place: bool = False


@dataclass(frozen=True)
class Path:
    """Where the body goes. Grid arrays run from ``-MARGIN_S`` to the duration plus ``MARGIN_S`` at ``GRID_HZ``.

    Attributes:
        nominal_speed_mps, stride_time_s: of undisturbed walking.
        begin_s, end_s: when the body starts to move and has come to rest; None where it walks on.
        turn_s, turn_rad: start and end of the turn and its angle, positive to the left; None and 0 without one.
        freezing_s: start and end of each episode.
    """

    options: PlanOptions
    nominal_speed_mps: float
    stride_time_s: float
    grid_s: Array
    speed_mps: Array
    heading_rad: Array
    centre_m: Array
    begin_s: float | None
    end_s: float | None
    turn_s: tuple[float, float] | None
    turn_rad: float
    freezing_s: tuple[tuple[float, float], ...]

    def heading(self, t: Array) -> Array:
        """Radians from +Z, positive to the left."""
        return np.interp(t, self.grid_s, self.heading_rad)

    def centre(self, t: Array) -> Array:
        """(..., 2) X and Z of the body at time t."""
        x = np.interp(t, self.grid_s, self.centre_m[:, 0])
        z = np.interp(t, self.grid_s, self.centre_m[:, 1])
        return np.stack([x, z], axis=-1)

    def effort(self, t: Array) -> Array:
        """Speed over the person's own, 0 (standing) to about 1.1: arm swing and rotations shrink with it."""
        if self.options.in_place:
            return np.full(np.shape(t), 0.35)
        ratio = np.interp(t, self.grid_s, self.speed_mps) / self.nominal_speed_mps
        return np.asarray(np.clip(ratio, 0.0, 1.15) ** 0.8, dtype=np.float64)


def plan_path(rng: np.random.Generator, person: Person, options: PlanOptions) -> Path:
    """Draw the path of one walk of this person."""
    duration = options.duration_s
    grid = np.arange(-MARGIN_S, duration + MARGIN_S + 0.5 / GRID_HZ, 1.0 / GRID_HZ)
    # From one walk to the next the same person walks a little slower or faster.
    day = float(np.clip(0.05 * rng.standard_normal(), -0.12, 0.12))
    nominal = person.style.walking_speed_mps * np.exp(day)
    stride_time = person.style.stride_length_m * np.exp(0.55 * day) / nominal
    turn_s, turn_rad = _turn_times(rng, person, options)
    freezing = _freezing_times(rng, options, turn_s)
    begin_s, end_s = _walking_times(rng, options, stride_time)
    speed = np.full_like(grid, nominal)
    speed *= 1.0 + 0.018 * slow_noise(rng, grid, 1.6, -MARGIN_S, duration + MARGIN_S)
    if begin_s is not None:
        speed *= smoothstep((grid - begin_s) / (1.25 * stride_time))
    if end_s is not None:
        speed *= 1.0 - smoothstep((grid - end_s + 1.35 * stride_time) / (1.35 * stride_time))
    heading = 0.012 * np.cumsum(slow_noise(rng, grid, 1.5, -MARGIN_S, duration + MARGIN_S)) / GRID_HZ
    if turn_s is not None:
        progress = np.clip((grid - turn_s[0]) / (turn_s[1] - turn_s[0]), 0.0, 1.0)
        heading = heading + turn_rad * 0.5 * (1.0 - np.cos(np.pi * progress))
        speed *= 1.0 - _slowing(rng, abs(turn_rad)) * _plateau(grid, turn_s[0] - 0.35, turn_s[1] + 0.35, 0.6)
    for start, end in freezing:
        held = smoothstep((grid - start + 0.3) / 0.35) * smoothstep((end + 0.9 - grid) / 1.0)
        speed *= 1.0 - 0.97 * held
    if options.in_place:
        speed *= 0.0
    step = np.asarray(speed[:, None] * forward(heading)) / GRID_HZ
    centre = np.cumsum(step, axis=0)
    centre -= centre[int(MARGIN_S * GRID_HZ)]
    return Path(
        options=options,
        nominal_speed_mps=float(nominal),
        stride_time_s=float(stride_time),
        grid_s=grid,
        speed_mps=speed,
        heading_rad=heading,
        centre_m=centre,
        begin_s=begin_s,
        end_s=end_s,
        turn_s=turn_s,
        turn_rad=turn_rad,
        freezing_s=freezing,
    )


def _plateau(t: Array, start: float, end: float, ramp_s: float) -> Array:
    """1 between start and end, smooth ramps of ``ramp_s`` inside."""
    ramp = min(ramp_s, 0.5 * (end - start))
    return smoothstep((t - start) / ramp) * smoothstep((end - t) / ramp)


def _slowing(rng: np.random.Generator, angle_rad: float) -> float:
    """Share of the speed given up in a turn: little in a wide bend, most of it in an about-turn."""
    return float(np.clip(0.20 + 0.145 * angle_rad + 0.06 * rng.standard_normal(), 0.1, 0.82))


def _turn_times(
    rng: np.random.Generator, person: Person, options: PlanOptions
) -> tuple[tuple[float, float] | None, float]:
    jitter, place, coin = rng.standard_normal(), rng.uniform(0.42, 0.6), rng.random()
    if options.turn == "none":
        return None, 0.0
    sign = {"left": 1.0, "right": -1.0}.get(options.turn, 1.0 if coin < 0.5 else -1.0)
    length = person.style.turn_duration_180_s * options.turn_deg / 180.0 * np.exp(0.07 * np.clip(jitter, -2, 2))
    if options.turn_deg < 150.0:
        length *= 1.15 * rng.uniform(1.0, 2.0)  # a bend walked through takes longer per degree than turning about
    length = max(length, 0.7)
    middle = options.duration_s * place
    return (float(middle - length / 2), float(middle + length / 2)), float(sign * np.radians(options.turn_deg))


def _freezing_times(
    rng: np.random.Generator, options: PlanOptions, turn_s: tuple[float, float] | None
) -> tuple[tuple[float, float], ...]:
    """Episodes of 1.5 to 4 s; the first one tends to be where a turn begins."""
    if options.freezing == 0:
        return ()
    episodes: list[tuple[float, float]] = []
    slot = options.duration_s / options.freezing
    for index in range(options.freezing):
        length = float(min(rng.uniform(1.5, 4.0), 0.5 * slot))
        start = slot * index + 0.2 * slot + float(rng.random()) * 0.25 * slot
        if index == 0 and turn_s is not None and rng.random() < 0.6:
            start = max(turn_s[0] - 0.3 * length, 0.4)
        if episodes and start < episodes[-1][1] + 1.0:
            continue
        episodes.append((start, start + length))
    return tuple(episodes)


def _walking_times(
    rng: np.random.Generator, options: PlanOptions, stride_time: float
) -> tuple[float | None, float | None]:
    """When the body starts to move and when it has come to rest, None for walking before and after the clip."""
    early, late = rng.uniform(0.2, 0.12 * options.duration_s + 0.4), rng.uniform(0.15, 0.1 * options.duration_s + 0.4)
    begin = float(early) if options.starts else None
    end = float(options.duration_s - late) if options.stops else None
    return begin, end
