"""The six aspects that the gait item rates together, and which of them a set of measurements shows reduced.

Only these drive a rationale. Cadence, variability, step width and double support are context; trunk flexion and
freezing belong to other items and are reported apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from .bins import stands_out
from .measures import GROUPS, Parameters, printed_number

Status = Literal["reduced", "preserved", "not measured"]


@dataclass(frozen=True)
class Aspect:
    """One rated aspect: its name in texts and the measure that decides it."""

    name: str
    group: str


ASPECTS: tuple[Aspect, ...] = (
    Aspect("walking speed", "walking_speed"),
    Aspect("stride length", "stride_length"),
    Aspect("foot lift", "foot_clearance"),
    Aspect("heel strike", "foot_strike_angle"),
    Aspect("turning speed", "turn_duration"),
    Aspect("arm swing", "arm_swing"),
)


def aspect_status(parameters: Parameters, aspect: Aspect) -> Status:
    """Reduced where the printed number of any measured side lies in a bin that stands out."""
    found = [number for measure in GROUPS[aspect.group] if (number := printed_number(parameters, measure)) is not None]
    if not found:
        return "not measured"
    return "reduced" if any(stands_out(aspect.group, number) for number in found) else "preserved"


def aspects_with(parameters: Parameters, status: Status) -> tuple[str, ...]:
    """Names of the aspects with this status, in fixed order."""
    return tuple(aspect.name for aspect in ASPECTS if aspect_status(parameters, aspect) == status)
