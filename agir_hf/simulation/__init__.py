"""Virtual people who walk, and the truth about every clip. Their scores are simulated: say so where they are used."""

from .not_walking import NOT_WALKING_KINDS, simulate_not_walking
from .people import Person, simulate_person
from .truth import Footprint, WalkTruth
from .walks import FRAME_RATES_HZ, SimulatedWalk, cohort_person, cohort_walk, simulate_cohort, simulate_walk

__all__ = [
    "FRAME_RATES_HZ",
    "NOT_WALKING_KINDS",
    "Footprint",
    "Person",
    "SimulatedWalk",
    "WalkTruth",
    "cohort_person",
    "cohort_walk",
    "simulate_cohort",
    "simulate_not_walking",
    "simulate_person",
    "simulate_walk",
]
