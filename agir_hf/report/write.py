"""A report of one walk or several, as the file's extension says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..clip import MotionClip
from ..errors import AgirError
from .html import encoded, walk_data, write_html

SUFFIXES = (".html", ".pdf", ".png")


def check_report(path: Path) -> None:
    """Raise where a report cannot be written as the file's extension says.

    Raises:
        AgirError: another extension.
    """
    if path.suffix.lower() not in SUFFIXES:
        raise AgirError(f"expected a report as .html, .pdf or .png, found {path.name!r}")


def write_report(assessor: Any, clips: Sequence[MotionClip], results: Sequence[Mapping[str, Any]], path: Path) -> None:
    """Write a page (.html) or what of it stands still (.pdf, .png).

    Args:
        assessor: a ``gait-assessment`` pipeline.
        clips: as they were read, in the order of the visits.
        results: what the pipeline gave for each.

    Raises:
        AgirError: another extension.
        MissingDependencyError: .pdf and .png without matplotlib.
    """
    check_report(path)
    walks = list(zip(clips, results, strict=True))
    if path.suffix.lower() == ".html":
        write_html((walk_data(assessor, clip, result) for clip, result in walks), path)
        return
    from .sheet import walk_figures, write_sheet

    config = assessor.model.config.motion_config
    figures = [
        walk_figures(
            clip,
            result,
            encoded(assessor, clip, result)[0],
            codes_per_step=config.num_quantizers,
            frames_per_code=config.frames_per_code,
            codebook_size=config.codebook_size,
        )
        for clip, result in walks
    ]
    write_sheet(figures, path)
