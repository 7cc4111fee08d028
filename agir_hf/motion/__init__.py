"""Motion files and arrays in, ``MotionClip`` out; the geometry between joints and features."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ..clip import MotionClip
from ..errors import MotionFormatError
from . import asf_amc, bvh, c3d, care_pd, smpl, tables, trc
from .arrays import clip_from_array, looks_like_array, read_array

__all__ = ["MOTION_EXTENSIONS", "clip_from_array", "read_motion"]

_START_BYTES = 4096


@dataclass(frozen=True)
class _Format:
    """A file format: its name, its usual extensions, how its content is told, and its reader."""

    name: str
    extensions: tuple[str, ...]
    looks_like: Callable[[bytes], bool]
    read: Callable[..., MotionClip]


_FORMATS = (
    _Format("BVH", (".bvh",), bvh.looks_like_bvh, bvh.read_bvh),
    _Format(c3d.FORMAT, (".c3d",), c3d.looks_like_c3d, c3d.read_c3d),
    _Format(trc.FORMAT, (".trc",), trc.looks_like_trc, trc.read_trc),
    _Format(asf_amc.FORMAT, (".amc",), asf_amc.looks_like_asf_amc, asf_amc.read_asf_amc),
    _Format(smpl.FORMAT, (), smpl.looks_like_smpl, smpl.read_smpl),
    _Format("NumPy array", (".npy", ".npz"), looks_like_array, read_array),
    _Format(care_pd.FORMAT, (".pkl",), care_pd.looks_like_care_pd, care_pd.read_care_pd),
    _Format(tables.FORMAT_JSON, (), tables.looks_like_json, tables.read_json),
    # Last: nearly any text can be a table.
    _Format(tables.FORMAT_CSV, (), tables.looks_like_csv, tables.read_csv),
)
MOTION_EXTENSIONS: tuple[str, ...] = tuple(extension for format in _FORMATS for extension in format.extensions)


def read_motion(path: str | os.PathLike[str], *, frame_rate_hz: float | None = None) -> MotionClip:
    """Read a motion file: BVH, C3D, TRC, AMC with its ASF, SMPL or AMASS, CARE-PD, or joints as arrays and tables.

    What the file holds decides; its extension only where the content does not tell.

    Args:
        path: the file. ``MotionClip.source`` is this path as given, ``MotionClip.format`` what it was read as.
        frame_rate_hz: frames per second, for files that do not say (arrays of joints). Where a file says otherwise,
            this one wins.

    Raises:
        MotionFormatError: no such file, a folder, an unknown format, or a file that cannot be read as human motion.
        MissingDependencyError: the format needs a package that is not installed.
    """
    source = os.fspath(path)
    file = Path(source)
    if not file.exists():
        raise MotionFormatError(f"{source}: expected a motion file, found no such file")
    if not file.is_file():
        raise MotionFormatError(f"{source}: expected a motion file, found a folder: give its files, or a pattern")
    try:
        with open(file, "rb") as stream:
            start = stream.read(_START_BYTES)
    except OSError as error:
        raise MotionFormatError(f"{source}: expected a readable file, found: {error.strerror}") from error
    found = _format_of(file, start)
    clip = found.read(file, frame_rate_hz=frame_rate_hz)
    return clip.replace(source=source, format=found.name)


def _format_of(file: Path, start: bytes) -> _Format:
    extension = file.suffix.lower()
    for format in _FORMATS:
        if format.looks_like(start):
            return format
    for format in _FORMATS:
        if extension in format.extensions:
            return format
    found = f"extension {extension!r}" if extension else "no extension"
    raise MotionFormatError(
        f"{file}: expected one of {', '.join(MOTION_EXTENSIONS)}, found {found} and unknown content"
    )
