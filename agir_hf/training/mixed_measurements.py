"""Measurements of nobody: each measure of another simulated walk, so that texts are learned from evidence alone.

In a cohort measures go together and the two sides are alike, so a model may guess what it should read: on recordings
whose left and right differ more than a simulated person's, guesses come out wrong. Where measures have nothing to do
with each other, reading is all that helps.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from ..gait import PARAMETER_NAMES
from ..rationale import GROUPS, StoredParameters, StoredQuality

OWN_SIDE_SHARE = 0.5  # how often the two sides of a measure come from different walks


def mixed_measurements(walks: Sequence[StoredParameters], rng: random.Random) -> StoredParameters:
    """Each measure, and half of the time each side of it, from another walk; asymmetries follow from the sides."""
    values: dict[str, float | None] = dict.fromkeys(PARAMETER_NAMES)
    doubtful: list[str] = []
    for measures in GROUPS.values():
        walk = rng.choice(walks)
        apart = rng.random() < OWN_SIDE_SHARE
        for measure in measures:
            walk = rng.choice(walks) if apart else walk
            values[measure.name] = walk.values[measure.name]
            if measure.name in walk.low_confidence:
                doubtful.append(measure.name)
    for group, unit in (("step_length", "m"), ("arm_swing", "deg")):
        left, right = (values[f"{group}_{side}_{unit}"] for side in ("left", "right"))
        known = left is not None and right is not None and max(left, right) > 0.0
        values[f"{group}_asymmetry_percent"] = 100.0 * abs(left - right) / max(left, right) if known else None  # type: ignore[operator, type-var]
    return StoredParameters(
        values=values,
        reasons={name: "not in the mixture" for name, value in values.items() if value is None},
        low_confidence={name: "as in its walk" for name in doubtful if values[name] is not None},
        quality=StoredQuality(walking=True, strides=1, steady_strides=1),
    )
