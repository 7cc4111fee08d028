"""Foot strikes and foot offs from ankle and toe base alone.

A swing is a stretch in which a foot travels over the floor. Its foot off is where the toe base passes 25 % of its
highest horizontal speed in that swing, its foot strike where the ankle falls below 22 % of its own, but no later than
when toes that were up by 8 degrees and more have come down by 30 % of that: a foot lowers its toes onto the floor after
the heel has met it, and until they are down the ankle rolls on over the heel, in slow walking at 22 % and more. All are
relative to the same swing, so slow, shuffling and one-sided gait is treated like brisk gait, and speeds over the floor
have no direction, so turns need no special care. Foot-velocity methods are reviewed by Bruening and Ridge, Gait &
Posture 2014;39:472-477. No heel and no toe tip is needed.

Where the fractions come from: they lie between five walkers with laboratory-annotated events (biomechZoo, 100 Hz) and
simulated walks of known plan, which do not agree about the strike. At the annotated strikes the ankle has 14 % of its
speed and the toes have come down by a quarter; a simulated foot gets there 40 ms after its planned strike. Strikes are
thus found 13 ms early on the former (23 ms before force plates feel 20 N) and 20 ms late on the latter; foot offs are
right to 5 ms on both. Both were in view when the fractions were chosen; the force plates were not, nor the adult among
their walkers (``benchmarks/lab_events.py`` prints both).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from ..clip import GaitEvent, Side
from .signals import SIDES, Array, BodySignals, horizontal, low_pass

STRIKE_SPEED_FRACTION = 0.22
STRIKE_PITCH_FRACTION, MIN_STRIKE_PITCH_DEG = 0.7, 8.0
PITCH_CUTOFF_HZ = 5.0
MAX_ROCKER_S = 0.3  # from the highest toes to the slow ankle
OFF_SPEED_FRACTION = 0.25
OFF_ANKLE_SPEED_FRACTION = 0.50  # for a foot without a recorded toe base: later and less sharp
MIN_SWING_SPEED_MPS = 0.25  # the slowest swing taken for a step is faster than this; sensor noise rarely is
MIN_STEP_TRAVEL_M = 0.035  # a foot that moves less has trembled, not stepped
MIN_SWING_S, MAX_SWING_S = 0.10, 1.6
MIN_STANCE_S = 0.08  # two swings closer than this are one
WOBBLE_S, WOBBLE_SPEED_FRACTION = 0.30, 0.35
MIN_FLAT_S = 0.12  # planted position and flat pitch need this much of a stance in the clip
MAX_FLAT_SPEED_MPS = 0.35


@dataclass(frozen=True)
class Swing:
    """One swing of one foot; an end outside the clip is None."""

    side: Side
    off_s: float | None
    strike_s: float | None


@dataclass(frozen=True)
class Foothold:
    """One stance of one foot.

    Attributes:
        strike_s, off_s: its ends, None where they lie outside the clip.
        start_s, end_s: the same, or the clip's own ends.
        ankle_m: (3,) where the ankle is while the foot is flat.
        toe_height_m: height of the toe base while the foot is flat.
        pitch_deg: ankle -> toe base above the horizontal while the foot is flat (negative: downwards).
    """

    side: Side
    strike_s: float | None
    off_s: float | None
    start_s: float
    end_s: float
    ankle_m: Array
    toe_height_m: float
    pitch_deg: float


@dataclass(frozen=True)
class FootContacts:
    """All swings and footholds of a clip, in time order for each side."""

    swings: dict[Side, tuple[Swing, ...]]
    footholds: dict[Side, tuple[Foothold, ...]]

    def events(self) -> tuple[GaitEvent, ...]:
        found = []
        for side in SIDES:
            for swing in self.swings[side]:
                if swing.off_s is not None:
                    found.append(GaitEvent("foot_off", side, swing.off_s))
                if swing.strike_s is not None:
                    found.append(GaitEvent("foot_strike", side, swing.strike_s))
        return tuple(sorted(found, key=lambda event: event.time_s))


def detect_contacts(signals: BodySignals, joints_filled: tuple[str, ...] = ()) -> FootContacts:
    """Find every swing and stance of both feet; a toe base that was filled in is not trusted with the foot offs."""
    swings = {side: _swings(signals, side, f"{side}_foot" not in joints_filled) for side in SIDES}
    return FootContacts(swings, {side: _footholds(signals, side, swings[side]) for side in SIDES})


def pitch_deg(signals: BodySignals, side: Side) -> Array:
    """(N,) angle of ankle -> toe base above the horizontal."""
    foot = signals.toe_m[side] - signals.ankle_m[side]
    return np.degrees(np.arctan2(foot[:, 1], np.hypot(foot[:, 0], foot[:, 2])))


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """[start, end) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def _swings(signals: BodySignals, side: Side, toe_recorded: bool) -> tuple[Swing, ...]:
    rate = signals.rate_hz
    ankle_speed = signals.ankle_speed_mps[side]
    toe_speed = signals.toe_speed_mps[side] if toe_recorded else ankle_speed
    off_fraction = OFF_SPEED_FRACTION if toe_recorded else OFF_ANKLE_SPEED_FRACTION
    middle_speed = 0.5 * (ankle_speed + toe_speed)
    middle = horizontal(0.5 * (signals.ankle_m[side] + signals.toe_m[side]))
    moving: list[tuple[int, int]] = []
    for start, end in runs(middle_speed > MIN_SWING_SPEED_MPS):
        if min(ankle_speed[start:end].max(), toe_speed[start:end].max()) < MIN_SWING_SPEED_MPS:
            continue  # the heel rises or falls about resting toes, or the toes about a resting heel
        # A second pass at a level set by the swing itself parts swings that the first one runs together.
        level = max(MIN_SWING_SPEED_MPS, 0.2 * float(middle_speed[start:end].max()))
        moving += [(start + first, start + last) for first, last in runs(middle_speed[start:end] > level)]
    moving = _without_wobbles(_merge(moving, MIN_STANCE_S * rate), middle_speed, WOBBLE_S * rate)
    if not moving:
        return ()
    found = []
    toes_up = _toes_up_deg(signals, side) if toe_recorded else None
    peaks = {"ankle": [ankle_speed[a:b].max() for a, b in moving], "toe": [toe_speed[a:b].max() for a, b in moving]}
    typical_ankle, typical_toe = float(np.median(peaks["ankle"])), float(np.median(peaks["toe"]))
    for number, (start, end) in enumerate(moving):
        low = moving[number - 1][1] if number else 0
        high = moving[number + 1][0] if number + 1 < len(moving) else signals.size
        cut = start == 0 or end == signals.size  # the fastest moment may lie outside the clip
        ankle_peak = max(peaks["ankle"][number], typical_ankle if cut else 0.0)
        toe_peak = max(peaks["toe"][number], typical_toe if cut else 0.0)
        off = _rise(toe_speed, low, start, end, off_fraction * toe_peak)
        strike = _fall(ankle_speed, start, end, high, STRIKE_SPEED_FRACTION * ankle_peak)
        if strike is not None and toes_up is not None:
            strike = _before_toes_are_down(toes_up, max(strike - MAX_ROCKER_S * rate, start), strike)
        first, last = (0.0 if off is None else off), (signals.size - 1.0 if strike is None else strike)
        travel = float(np.linalg.norm(middle[round(last)] - middle[round(first)]))
        if travel < MIN_STEP_TRAVEL_M or not MIN_SWING_S * rate <= last - first <= MAX_SWING_S * rate:
            if not (cut and last - first < MIN_SWING_S * rate):
                continue
            # Too short to be whole: what lies on the side of the cut is the edge of the clip, no event.
            if end == signals.size:
                strike = None
            elif off is not None:
                off = None
        found.append(Swing(side, None if off is None else off / rate, None if strike is None else strike / rate))
    return _alternating(found)


def _merge(moving: list[tuple[int, int]], gap: float) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in moving:
        if merged and start - merged[-1][1] < gap:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged


def _without_wobbles(moving: list[tuple[int, int]], speed: Array, gap: float) -> list[tuple[int, int]]:
    """Without weak movements right before or after a strong one: a heel that rises or settles, with noise on it."""
    peaks = [float(speed[start:end].max()) for start, end in moving]
    kept = []
    for number, (start, end) in enumerate(moving):
        near = [
            peaks[other]
            for other in (number - 1, number + 1)
            if 0 <= other < len(moving) and max(moving[other][0] - end, start - moving[other][1]) < gap
        ]
        if not near or peaks[number] >= WOBBLE_SPEED_FRACTION * max(near):
            kept.append((start, end))
    return kept


def _rise(speed: Array, low: int, start: int, end: int, level: float) -> float | None:
    """Grid position of the last upward crossing before the first fast moment of a swing; None: before the clip."""
    fast = np.flatnonzero(speed[start:end] >= min(2.0 * level, float(speed[start:end].max())))
    index = start + int(fast[0])
    below = np.flatnonzero(speed[low : index + 1] < level)
    if not len(below):
        return float(low) if low else None
    index = low + int(below[-1])
    if index + 1 >= len(speed) or speed[index + 1] < level:  # cut by the end of the clip before it gathers speed
        return float(index)
    return index + (level - speed[index]) / (speed[index + 1] - speed[index])


def _fall(speed: Array, start: int, end: int, high: int, level: float) -> float | None:
    """Grid position of the first downward crossing after the last fast moment of a swing; None: after the clip."""
    fast = np.flatnonzero(speed[start:end] >= min(2.0 * level, float(speed[start:end].max())))
    index = start + int(fast[-1])
    if speed[index] < level:  # cut by the start of the clip: the foot is down already
        return None
    below = np.flatnonzero(speed[index:high] < level)
    if not len(below):
        return float(high) if high < len(speed) else None
    index += int(below[0])
    return index - 1 + (speed[index - 1] - level) / (speed[index - 1] - speed[index])


def _toes_up_deg(signals: BodySignals, side: Side) -> Array:
    """(N,) smoothed pitch of the foot over its pitch while it lies flat: in the slowest fifth of the clip."""
    # A foot is short: the noise of its two joints, 5 mm each, is 3 degrees.
    pitch = low_pass(pitch_deg(signals, side)[:, None], signals.rate_hz, PITCH_CUTOFF_HZ)[:, 0]
    speed = signals.ankle_speed_mps[side] + signals.toe_speed_mps[side]
    return pitch - float(np.median(pitch[speed <= np.quantile(speed, 0.2)]))


def _before_toes_are_down(toes_up: Array, first: float, strike: float) -> float:
    """Grid position of the strike; earlier, where the toes, high after ``first``, have come down before it."""
    low, high = math.ceil(first), math.floor(strike) + 1
    if high - low < 2:
        return strike
    part = toes_up[low:high]
    top = float(part.max())
    level = STRIKE_PITCH_FRACTION * top
    if top < MIN_STRIKE_PITCH_DEG or part[-1] >= level:
        return strike
    index = low + int(np.flatnonzero(part >= level)[-1])
    return index + float((toes_up[index] - level) / (toes_up[index] - toes_up[index + 1]))


def _alternating(swings: list[Swing]) -> tuple[Swing, ...]:
    """Join swings whose stance between them is too short to be one, so that off and strike alternate."""
    kept: list[Swing] = []
    for swing in swings:
        previous = kept[-1] if kept else None
        if previous is not None and (
            previous.strike_s is None or swing.off_s is None or swing.off_s - previous.strike_s < MIN_STANCE_S
        ):
            kept[-1] = Swing(swing.side, previous.off_s, swing.strike_s)
        else:
            kept.append(swing)
    return tuple(swing for swing in kept if swing.off_s is not None or swing.strike_s is not None)


def _footholds(signals: BodySignals, side: Side, swings: tuple[Swing, ...]) -> tuple[Foothold, ...]:
    ends: list[tuple[float | None, float | None]] = []
    strike: float | None = None
    started = not swings or swings[0].off_s is not None  # else the clip starts in mid-swing
    for swing in swings:
        if started:
            ends.append((strike, swing.off_s))
        strike, started = swing.strike_s, swing.strike_s is not None
    if started:
        ends.append((strike, None))
    found = []
    speed = signals.ankle_speed_mps[side] + signals.toe_speed_mps[side]
    pitch = pitch_deg(signals, side)
    for strike_s, off_s in ends:
        start_s, end_s = strike_s or 0.0, off_s if off_s is not None else signals.duration_s
        first, last = signals.index(start_s), signals.index(end_s) + 1
        stance = speed[first:last]
        flat = first + np.flatnonzero(stance <= np.quantile(stance, 0.35))
        usable = end_s - start_s >= MIN_FLAT_S and float(speed[flat].mean()) <= 2.0 * MAX_FLAT_SPEED_MPS
        found.append(
            Foothold(
                side=side,
                strike_s=strike_s,
                off_s=off_s,
                start_s=start_s,
                end_s=end_s,
                ankle_m=signals.ankle_m[side][flat].mean(axis=0) if usable else np.full(3, np.nan),
                toe_height_m=float(signals.toe_m[side][flat, 1].mean()) if usable else float("nan"),
                pitch_deg=float(pitch[flat].mean()) if usable else float("nan"),
            )
        )
    return tuple(found)
