"""Measurements of nobody: each measure of another simulated walk, so that texts are learned from evidence alone.

In a cohort measures go together and the two sides are alike, so a model may guess what it should read: on recordings
whose left and right differ more than a simulated person's, guesses come out wrong. Where measures have nothing to do
with each other, reading is all that helps.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

from ..gait import PARAMETER_NAMES, GaitParameters, GaitQuality
from ..rationale import GROUPS

OWN_SIDE_SHARE = 0.5  # how often the two sides of a measure come from different walks
_UNKNOWN_RATE_HZ = 0.0


def mixed_measurements(rows: Sequence[dict[str, Any]], rng: random.Random) -> GaitParameters:
    """Each measure, and half of the time each side of it, from another row; asymmetries follow from the sides.

    Args:
        rows: of the cohort, with ``parameters`` and ``low_confidence``.
    """
    values: dict[str, float | None] = dict.fromkeys(PARAMETER_NAMES)
    doubtful: list[str] = []
    for measures in GROUPS.values():
        row = rng.choice(rows)
        apart = rng.random() < OWN_SIDE_SHARE
        for measure in measures:
            row = rng.choice(rows) if apart else row
            values[measure.name] = row["parameters"][measure.name]
            if measure.name in row["low_confidence"]:
                doubtful.append(measure.name)
    for group, unit in (("step_length", "m"), ("arm_swing", "deg")):
        left, right = (values[f"{group}_{side}_{unit}"] for side in ("left", "right"))
        known = left is not None and right is not None and max(left, right) > 0.0
        values[f"{group}_asymmetry_percent"] = 100.0 * abs(left - right) / max(left, right) if known else None  # type: ignore[operator, type-var]
    return GaitParameters(
        values=values,
        reasons={name: "not in the mixture" for name, value in values.items() if value is None},
        low_confidence={name: "as in its walk" for name in doubtful if values[name] is not None},
        events=(),
        quality=GaitQuality(True, 1, 1, _UNKNOWN_RATE_HZ, (), None),
        warnings=(),
    )
