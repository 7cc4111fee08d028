"""A folder of motion files with ``metadata.csv``, as users of the Hub know it from audio and image folders."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from agir_hf.errors import AgirError, MotionFormatError
from agir_hf.motion import care_pd, read_motion

from .base import (
    ABOUT,
    ABOUT_NUMBERS,
    ABOUT_TEXTS,
    SPLITS,
    ClipReference,
    Licence,
    SourceClip,
    declared_licence,
    file_sha256,
    file_stamp,
    split_of,
    without_path,
)

METADATA = "metadata.csv"
_REQUIRED = ("file_name", "subject_id", "score")
_OPTIONAL = ("split", "cohort", "frame_rate_hz", "walk", *ABOUT)


@dataclass(frozen=True)
class FolderSource:
    """Motion files named in ``metadata.csv``.

    Columns: ``file_name`` (below the folder), ``subject_id``, ``score`` (0 to 4, empty for none); and, where wanted,
    ``split`` (train, validation or test; else by a hash of the subject), ``cohort``, ``frame_rate_hz`` (for files that
    do not say), ``walk`` (of a file that holds several), and any of ``ABOUT``. Further columns are an error, so that a
    misspelt one is not overlooked.
    """

    folder: Path
    name: str = "folder"
    licence_name: str | None = None

    @property
    def licence(self) -> Licence:
        return declared_licence(self.licence_name)

    def recipe(self) -> dict[str, object]:
        files = sorted({row["file_name"] for row in _rows(self.folder)})
        return {
            "metadata_sha256": file_sha256(self.folder / METADATA),
            "files": {name: file_sha256(self.folder / name) for name in files},
            "name": self.name,
            "licence": self.licence_name,
        }

    def references(self) -> tuple[ClipReference, ...]:
        found = []
        for place, row in enumerate(_rows(self.folder)):
            cohort = row["cohort"] or self.name
            clip_id = row["file_name"] + (f"#{row['walk']}" if row["walk"] else "")
            split = row["split"] or split_of(cohort, row["subject_id"])
            found.append(ClipReference(clip_id, row["subject_id"], cohort, split, str(place)))
        return tuple(found)

    def read(self, reference: ClipReference) -> SourceClip:
        row = _rows(self.folder)[int(reference.key)]
        rate = float(row["frame_rate_hz"]) if row["frame_rate_hz"] else None
        try:
            clip = read_motion(self.folder / row["file_name"], frame_rate_hz=rate, walk=row["walk"] or None)
        except MotionFormatError as error:
            raise MotionFormatError(without_path(str(error), self.folder)) from error
        if clip.format.startswith(care_pd.FORMAT):
            # Its licence forbids what the licence of this folder may allow.
            found = f"{row['file_name']} of CARE-PD"
            raise MotionFormatError(f"expected motion of your own, found {found}: --source care_pd")
        about: dict[str, str | float | None] = {name: row[name] or None for name in ABOUT_TEXTS}
        about |= {name: float(row[name]) if row[name] else None for name in ABOUT_NUMBERS}
        return SourceClip(clip, int(row["score"]) if row["score"] else None, about)


def _rows(folder: Path) -> tuple[dict[str, str], ...]:
    """The checked rows of ``metadata.csv``, every known column there as text, empty where it was missing.

    Raises:
        AgirError: no such file, columns or values that are not as documented, with the line they stand in.
    """
    path = folder / METADATA
    if not path.is_file():
        raise AgirError(f"expected {path} with the columns {', '.join(_REQUIRED)}, found no such file: --path FOLDER")
    return _read_rows(folder, file_stamp(path))


@lru_cache(maxsize=2)
def _read_rows(folder: Path, stamp: tuple[int, int]) -> tuple[dict[str, str], ...]:
    path = folder / METADATA
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        columns = tuple(reader.fieldnames or ())
        if missing := [name for name in _REQUIRED if name not in columns]:
            raise AgirError(f"{path}: expected a column {missing[0]}, found {', '.join(columns) or 'none'}")
        if unknown := [name for name in columns if name not in (*_REQUIRED, *_OPTIONAL)]:
            known = ", ".join((*_REQUIRED, *_OPTIONAL))
            raise AgirError(f"{path}: expected columns of {known}, found {unknown[0]!r}: rename it or leave it out")
        rows = []
        for row in reader:
            filled = dict.fromkeys((*_REQUIRED, *_OPTIONAL), "")
            filled |= {name: (value or "").strip() for name, value in row.items() if name in filled}
            if fault := _fault(folder, filled):
                raise AgirError(f"{path}, line {reader.line_num}: {fault}")
            rows.append(filled)
    return tuple(rows)


def _fault(folder: Path, row: dict[str, str]) -> str | None:
    """What is wrong with a row."""
    name = row["file_name"]
    if not name or not row["subject_id"]:
        return "expected a file_name and a subject_id, found an empty one"
    if not (folder / name).resolve().is_relative_to(folder.resolve()):
        return f"expected a file below the folder, found {name}"
    if not (folder / name).is_file():
        return f"expected a file {name} in the folder, found none"
    if row["score"] not in ("", "0", "1", "2", "3", "4"):
        return f"expected a score of 0 to 4 or nothing, found {row['score']!r}"
    if row["split"] not in ("", *SPLITS):
        return f"expected a split of {', '.join(SPLITS)} or nothing, found {row['split']!r}"
    for column in ("frame_rate_hz", *ABOUT_NUMBERS):
        try:
            float(row[column] or 0)
        except ValueError:
            return f"expected a number as {column}, found {row[column]!r}"
    return None
