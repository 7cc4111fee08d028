"""What every source of clips gives: references to clips, in a fixed order, and each clip when asked for."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, runtime_checkable

from agir_hf.clip import MotionClip

SPLITS = ("train", "validation", "test")
"""What a person can be in one of."""

# What a source may say about the person and the recording, beside the motion and its score.
ABOUT_TEXTS = (
    *("sex", "phenotype", "pattern", "more_affected_side", "medication", "task"),
    *("turn", "view", "capture", "other"),
)
ABOUT_NUMBERS = ("age_years", "height_m", "disease_years", "turn_deg", "gap_share")
ABOUT = (*ABOUT_TEXTS, *ABOUT_NUMBERS)


@dataclass(frozen=True)
class Licence:
    """Under which terms a source may be passed on.

    Attributes:
        name: identifier of a dataset card, such as ``"apache-2.0"`` or ``"other"``.
        note: one sentence for readers.
        may_be_shared: whether motion, and what is derived from it, may be passed on at all. Where this is False
            nothing but the recipe, ids and hashes is ever pushed.
    """

    name: str
    note: str
    may_be_shared: bool


@dataclass(frozen=True)
class ClipReference:
    """One clip of a source before it is read.

    Attributes:
        clip_id: unique in the source; never tells the score.
        subject_id: unique in the cohort.
        cohort: where the subject was recorded.
        split: one of ``SPLITS``; all clips of a subject share it.
        key: what the source needs to find the clip.
    """

    clip_id: str
    subject_id: str
    cohort: str
    split: str
    key: str


@dataclass(frozen=True)
class SourceClip:
    """A clip with its label.

    Attributes:
        clip: the motion.
        score: the gait score; None where nobody gave one.
        about: what the source says about the person or the recording: some of ``ABOUT``.
    """

    clip: MotionClip
    score: int | None
    about: Mapping[str, str | float | None] = field(default_factory=dict)


@runtime_checkable
class Source(Protocol):
    """A cohort. Implementations are frozen dataclasses, so that worker processes get them whole."""

    @property
    def name(self) -> str:
        """Name of the source and of its configuration in the dataset."""

    @property
    def licence(self) -> Licence:
        """What may be passed on."""

    def recipe(self) -> dict[str, object]:
        """What rebuilds the source, ready for JSON: options and content hashes, no paths of this machine."""

    def references(self) -> tuple[ClipReference, ...]:
        """All clips in an order that depends on the content only.

        Raises:
            AgirError: the source cannot be read at all.
        """

    def read(self, reference: ClipReference) -> SourceClip:
        """One clip.

        Raises:
            AgirError: this clip cannot be read; the build records that and goes on.
        """


def split_of(cohort: str, subject_id: str, shares: tuple[float, float, float] = (0.8, 0.1, 0.1)) -> str:
    """The split of a subject by a hash of cohort and id: the same in every build, whoever else is in the cohort."""
    digest = hashlib.sha256(f"{cohort}/{subject_id}".encode()).digest()
    place = int.from_bytes(digest[:8], "big") / 2.0**64
    if place < shares[0]:
        return "train"
    return "validation" if place < shares[0] + shares[1] else "test"


def file_stamp(path: Path) -> tuple[int, int]:
    """Time of change and size: what a cache goes by, within one process."""
    status = path.stat()
    return status.st_mtime_ns, status.st_size


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, in hexadecimal."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


# Licences that let anyone pass on the data and what is made from it, some for non-commercial use only.
_SHAREABLE = frozenset(
    (
        "apache-2.0",
        "bsd-3-clause",
        "cc0-1.0",
        "cc-by-4.0",
        "cc-by-nc-4.0",
        "cc-by-nc-sa-4.0",
        "cc-by-sa-4.0",
        "cdla-permissive-2.0",
        "gpl-3.0",
        "mit",
        "odbl",
        "odc-by",
    )
)


def declared_licence(name: str | None) -> Licence:
    """The licence that whoever builds a dataset declares for data of their own.

    Only licences known to allow passing on derivatives do; without one, and under one with "nd" or an unknown name,
    nothing is passed on.
    """
    if name is None:
        return Licence("unknown", "No licence was declared, so nothing is passed on.", False)
    if name.lower() in _SHAREABLE:
        return Licence(name.lower(), "As declared by who built this.", True)
    return Licence(
        name.lower(), "As declared by who built this; not known to allow derivatives, so never passed on.", False
    )


def without_path(message: str, folder: Path) -> str:
    """A message without the place of a folder on this machine: reports travel."""
    return message.replace(f"{folder}/", "").replace(str(folder), ".")
