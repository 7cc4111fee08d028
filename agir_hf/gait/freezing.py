"""Stops of forward progress with attempted stepping."""

from __future__ import annotations

import numpy as np

from .events import FootContacts, runs
from .segments import Turn
from .signals import SIDES, BodySignals, horizontal, low_pass

PROGRESS_CUTOFF_HZ = 1.0
STOPPED_SPEED_MPS = 0.10
MIN_STOP_S = 0.7
MIN_FOOT_SPEED_MPS = 0.06


def find_freezing(
    signals: BodySignals, contacts: FootContacts, turns: tuple[Turn, ...]
) -> tuple[tuple[float, float], ...]:
    """(start_s, end_s) of each stop between steps in which the feet keep moving without bringing the body forward."""
    path = low_pass(horizontal(signals.pelvis_m), signals.rate_hz, PROGRESS_CUTOFF_HZ)
    velocity = np.gradient(path, axis=0) * signals.rate_hz
    stopped = np.hypot(velocity[:, 0], velocity[:, 1]) < STOPPED_SPEED_MPS
    strikes = [e.time_s for e in contacts.events() if e.kind == "foot_strike"]
    found = []
    for start, end in runs(stopped):
        start_s, end_s = start / signals.rate_hz, end / signals.rate_hz
        if end_s - start_s < MIN_STOP_S or not any(time < start_s for time in strikes):
            continue
        restless = max(float(np.median(signals.ankle_speed_mps[side][start:end])) for side in SIDES)
        if restless > MIN_FOOT_SPEED_MPS:
            found.append((start_s, end_s))
    return tuple(found)
