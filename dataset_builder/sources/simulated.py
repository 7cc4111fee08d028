"""The simulated cohort: virtual people, no licence to ask for. Its scores are simulated and say nothing clinical.

Gait disorders other than Parkinson's disease are in it for contrast, without a score: the scale is not made for them.
"""

from __future__ import annotations

from dataclasses import dataclass

from agir_hf.errors import AgirError
from agir_hf.simulation import deep_cohort_walk

from .base import ABOUT_NUMBERS, ABOUT_TEXTS, ClipReference, Licence, SourceClip

_TRAIN, _VALIDATION = 0.8, 0.1


@dataclass(frozen=True)
class SimulatedSource:
    """``people`` virtual people with ``walks`` walks each; the first 80 percent of the people are for training."""

    people: int
    walks: int
    seed: int

    def __post_init__(self) -> None:
        if self.people < 1 or self.walks < 1 or self.seed < 0:
            raise AgirError(
                f"expected at least 1 person, 1 walk each and a seed from 0, found {self.people}, {self.walks} and "
                f"{self.seed}"
            )

    @property
    def name(self) -> str:
        return "simulated"

    @property
    def licence(self) -> Licence:
        return Licence("apache-2.0", "Simulated people, made by the code of this project under its licence.", True)

    def recipe(self) -> dict[str, object]:
        return {"people": self.people, "walks": self.walks, "seed": self.seed}

    def _split(self, person: int) -> str:
        if person < round(_TRAIN * self.people):
            return "train"
        return "validation" if person < round((_TRAIN + _VALIDATION) * self.people) else "test"

    def references(self) -> tuple[ClipReference, ...]:
        return tuple(
            ClipReference(
                clip_id=f"simulated-{self.seed}-{person:06d}-{walk:02d}",
                subject_id=f"simulated-{self.seed}-{person:06d}",
                cohort="simulated",
                split=self._split(person),
                key=f"{person}/{walk}",
            )
            for person in range(self.people)
            for walk in range(self.walks)
        )

    def read(self, reference: ClipReference) -> SourceClip:
        person, walk = (int(part) for part in reference.key.split("/"))
        simulated, labels = deep_cohort_walk(self.seed, person, walk)
        about = {
            **{name: getattr(labels, name) for name in ABOUT_TEXTS if name != "other"},
            **{name: round(value, 3) for name in ABOUT_NUMBERS if (value := getattr(labels, name)) is not None},
        }
        return SourceClip(simulated.clip, labels.score, about)
