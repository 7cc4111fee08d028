"""Stops of forward progress with attempted stepping."""

from __future__ import annotations

import numpy as np

from ..clip import Side
from .events import runs
from .signals import SIDES, Array, BodySignals, horizontal, low_pass

PROGRESS_CUTOFF_HZ = 1.0
FOOT_CUTOFF_HZ = 3.5
STOPPED_SPEED_MPS = 0.10
MIN_STOP_S = 0.7
MIN_FOOT_SPEED_MPS = 0.07
TIMES_NOISE = 4.0
MIN_RESTLESS_SHARE = 0.25


def find_freezing(signals: BodySignals) -> tuple[tuple[float, float], ...]:
    """(start_s, end_s) of each stop of the pelvis in which the feet keep moving without bringing the body forward.

    A stop is at least 0.7 s with the low-passed pelvis (1 Hz) slower than 0.1 m/s. Its feet are restless when one of
    them moves faster than 0.07 m/s, and faster than 4 times the quietest tenth of the planted foot's speeds in the clip
    (sensor noise), for at least a quarter of each third of it: neither standing nor a last step into a halt counts.
    After the description of Nutt et al., Lancet Neurol 2011;10:734-744.
    """
    path = low_pass(horizontal(signals.pelvis_m), signals.rate_hz, PROGRESS_CUTOFF_HZ)
    velocity = np.gradient(path, axis=0) * signals.rate_hz
    left, right = (_quiet_speed(signals, side) for side in SIDES)
    noise = float(np.quantile(np.minimum(left, right), 0.1))
    restless = np.maximum(left, right) > max(MIN_FOOT_SPEED_MPS, TIMES_NOISE * noise)
    found = []
    for start, end in runs(np.hypot(velocity[:, 0], velocity[:, 1]) < STOPPED_SPEED_MPS):
        if end - start < MIN_STOP_S * signals.rate_hz:
            continue
        thirds = np.array_split(restless[start:end], 3)
        if min(float(third.mean()) for third in thirds) >= MIN_RESTLESS_SHARE:
            found.append((start / signals.rate_hz, (end - 1) / signals.rate_hz))
    return tuple(found)


def _quiet_speed(signals: BodySignals, side: Side) -> Array:
    """(N,) horizontal speed of an ankle with less noise than the events need: attempted steps are slower than 3 Hz."""
    velocity = np.gradient(low_pass(horizontal(signals.ankle_m[side]), signals.rate_hz, FOOT_CUTOFF_HZ), axis=0)
    return np.hypot(velocity[:, 0], velocity[:, 1]) * signals.rate_hz
