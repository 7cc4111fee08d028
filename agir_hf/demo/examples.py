"""Walks to try the app with: simulated people, made when they are asked for."""

from __future__ import annotations

from ..clip import MotionClip
from ..simulation import simulate_person, simulate_walk

# What is said of each -> (score it was simulated with, seed)
EXAMPLES: dict[str, tuple[int, int]] = {
    "Simulated with score 0": (0, 7),
    "Simulated with score 1": (1, 12),
    "Simulated with score 2": (2, 3),
    "Simulated with score 3": (3, 5),
}
_SECONDS, _RATE_HZ = 8.0, 60.0


def example_walk(name: str) -> MotionClip:
    """One of ``EXAMPLES``."""
    score, seed = EXAMPLES[name]
    person = simulate_person(seed, score=score)
    walk = simulate_walk(person, seed=seed, frame_rate_hz=_RATE_HZ, duration_s=_SECONDS, turn="none")
    return walk.clip.replace(source=name.lower())
