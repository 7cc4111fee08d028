"""Sources of clips, one file each."""

from .base import SPLITS, ClipReference, Licence, Source, SourceClip, split_of
from .care_pd import CarePdSource
from .folder import FolderSource
from .hub import HubSource
from .simulated import SimulatedSource

__all__ = [
    "SPLITS",
    "CarePdSource",
    "ClipReference",
    "FolderSource",
    "HubSource",
    "Licence",
    "SimulatedSource",
    "Source",
    "SourceClip",
    "split_of",
]
