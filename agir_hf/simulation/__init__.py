"""Virtual people who walk, and the truth about every clip. Their scores are simulated: say so where they are used."""

from .deep_people import DeepPerson, deep_person
from .deep_walks import WalkLabels, deep_cohort_walk, simulate_deep_cohort
from .not_walking import NOT_WALKING_KINDS, simulate_not_walking
from .people import Person, simulate_person
from .truth import Footprint, WalkTruth
from .walks import FRAME_RATES_HZ, SimulatedWalk, cohort_person, cohort_walk, simulate_cohort, simulate_walk

__all__ = [
    "FRAME_RATES_HZ",
    "NOT_WALKING_KINDS",
    "DeepPerson",
    "Footprint",
    "Person",
    "SimulatedWalk",
    "WalkLabels",
    "WalkTruth",
    "cohort_person",
    "cohort_walk",
    "deep_cohort_walk",
    "deep_person",
    "simulate_cohort",
    "simulate_deep_cohort",
    "simulate_not_walking",
    "simulate_person",
    "simulate_walk",
]
