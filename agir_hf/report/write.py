"""A report of one walk or several, as the file's extension says."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..clip import MotionClip
from ..errors import AgirError, require
from .html import encoded, walk_data, write_html

SUFFIXES = (".html", ".pdf", ".png")


def check_report(path: Path) -> None:
    """Raise where a report cannot be written: what takes minutes to compute is not to be lost to a mistyped name.

    Raises:
        AgirError: another extension, no such folder, or a folder of that name.
        MissingDependencyError: .pdf and .png without matplotlib.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise AgirError(f"expected a report as .html, .pdf or .png, found {path.name!r}")
    if not path.parent.is_dir():
        raise AgirError(f"expected the folder of the report to exist, found no folder {str(path.parent)!r}")
    if path.is_dir():
        raise AgirError(f"expected a file to write the report to, found a folder: {str(path)!r}")
    if not os.access(path if path.exists() else path.parent, os.W_OK):
        raise AgirError(f"expected a place where the report may be written, found {str(path)!r} read-only")
    if path.suffix.lower() != ".html":
        require("matplotlib", "report")


def write_report(assessor: Any, clips: Sequence[MotionClip], results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a page (.html) or what of it stands still (.pdf, .png).

    Args:
        assessor: a ``gait-assessment`` pipeline.
        clips: as they were read, in the order of the visits.
        results: what the pipeline gave for each.

    Raises:
        AgirError, MissingDependencyError: as `check_report` says.
    """
    check_report(path)
    walks = list(zip(clips, results, strict=True))
    if path.suffix.lower() == ".html":
        write_html((walk_data(assessor, clip, result) for clip, result in walks), path)
        return
    from .sheet import walk_figures, write_sheet

    config = assessor.model.config.motion_config
    figures = (
        walk_figures(
            clip,
            result,
            encoded(assessor, clip, result)[0],
            codes_per_step=config.num_quantizers,
            frames_per_code=config.frames_per_code,
            codebook_size=config.codebook_size,
        )
        for clip, result in walks
    )
    write_sheet(figures, path)
