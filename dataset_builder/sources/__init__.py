"""Sources of clips, one file each."""

from .base import SPLITS, ClipReference, Licence, Source, SourceClip, split_of
from .simulated import SimulatedSource

__all__ = [
    "SPLITS",
    "ClipReference",
    "Licence",
    "SimulatedSource",
    "Source",
    "SourceClip",
    "split_of",
]
