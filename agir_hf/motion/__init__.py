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
    """A file format.

    Attributes:
        name: what ``MotionClip.format`` says where the reader says nothing closer.
        extensions: what its files are usually called; they count where the content tells nothing.
        looks_like: whether the first bytes of a file are of this format.
        read: its reader.
        contains: whether a file is of this format, where others begin like it.
        options: what ``read_motion`` may pass on beside the frame rate.
        is_always_motion: whether a file of this extension in a folder is sure to be motion.
    """

    name: str
    extensions: tuple[str, ...]
    looks_like: Callable[[bytes], bool]
    read: Callable[..., MotionClip]
    contains: Callable[[Path], bool] | None = None
    options: tuple[str, ...] = ()
    is_always_motion: bool = True


_FORMATS = (
    _Format("BVH", (".bvh",), bvh.looks_like_bvh, bvh.read_bvh),
    _Format(c3d.FORMAT, (".c3d",), c3d.looks_like_c3d, c3d.read_c3d),
    _Format(trc.FORMAT, (".trc",), trc.looks_like_trc, trc.read_trc),
    _Format(asf_amc.FORMAT, (".amc",), asf_amc.looks_like_asf_amc, asf_amc.read_asf_amc, options=("skeleton",)),
    _Format(smpl.FORMAT, (), looks_like_array, smpl.read_smpl, contains=smpl.is_smpl_archive),
    _Format("NumPy array", (".npy", ".npz"), looks_like_array, read_array, options=("skeleton",)),
    _Format(care_pd.FORMAT, (".pkl",), care_pd.looks_like_care_pd, care_pd.read_care_pd, options=("walk",)),
    _Format(
        tables.FORMAT_JSON,
        (".json",),
        tables.looks_like_json,
        tables.read_json,
        options=("skeleton",),
        is_always_motion=False,
    ),
    # Last: nearly any text can be a table.
    _Format(
        tables.FORMAT_CSV,
        (".csv",),
        tables.looks_like_csv,
        tables.read_csv,
        options=("skeleton",),
        is_always_motion=False,
    ),
)
MOTION_EXTENSIONS: tuple[str, ...] = tuple(
    extension for format in _FORMATS if format.is_always_motion for extension in format.extensions
)
"""What to look for in folders: a .csv or .json there is as likely a list of subjects."""


def read_motion(
    path: str | os.PathLike[str],
    *,
    frame_rate_hz: float | None = None,
    skeleton: str | os.PathLike[str] | None = None,
    walk: str | None = None,
) -> MotionClip:
    """Read a motion file: BVH, C3D, TRC, AMC with its ASF, SMPL or AMASS, CARE-PD, or joints as arrays and tables.

    What the file holds decides; its extension only where the content does not tell.

    Args:
        path: the file. ``MotionClip.source`` is this path as given, ``MotionClip.format`` what it was understood to be.
        frame_rate_hz: frames per second, for files that do not say (arrays of joints). Where a file says otherwise,
            this one wins.
        skeleton: for keypoints in arrays and tables, their order, such as "coco-17", where it cannot be told from
            them; for an AMC file, its .asf file where that is not beside it.
        walk: for CARE-PD files, which of the walks: "subject/walk".

    Raises:
        MotionFormatError: no such file, a folder, an unknown format, a file that cannot be read as human motion, or an
            option that its format has no use for.
        MissingDependencyError: the format needs a package that is not installed.
    """
    source = os.fspath(path)
    file = Path(source)
    try:
        if not file.exists():
            raise MotionFormatError(f"{source}: expected a motion file, found no such file")
        if not file.is_file():
            found = "a folder: give its files, or a pattern" if file.is_dir() else "a device or a pipe: save it first"
            raise MotionFormatError(f"{source}: expected a motion file, found {found}")
        with open(file, "rb") as stream:
            start = stream.read(_START_BYTES)
        format = _format_of(file, start)
        options = _options(source, format, skeleton, walk)
        clip = format.read(file, frame_rate_hz=frame_rate_hz, **options)
    except OSError as error:
        raise MotionFormatError(f"{source}: expected a readable file, found: {error.strerror or error}") from error
    except MemoryError as error:
        raise MotionFormatError(
            f"{source}: expected a recording that fits into memory, found a larger one: cut it"
        ) from error
    return clip.replace(source=source, format=clip.format or format.name)


def _options(
    source: str, format: _Format, skeleton: str | os.PathLike[str] | None, walk: str | None
) -> dict[str, object]:
    """What was given and the format has a use for."""
    given: dict[str, object] = {}
    if skeleton is not None:
        given["skeleton"] = Path(skeleton) if format.name == asf_amc.FORMAT else os.fspath(skeleton)
    if walk is not None:
        given["walk"] = walk
    if unused := [name for name in given if name not in format.options]:
        raise MotionFormatError(f"{source}: expected no {unused[0]} for a {format.name} file, found one: leave it out")
    return given


def _format_of(file: Path, start: bytes) -> _Format:
    extension = file.suffix.lower()
    for format in _FORMATS:
        if format.looks_like(start) and (format.contains is None or format.contains(file)):
            return format
    for format in _FORMATS:
        if extension in format.extensions:
            return format
    found = f"extension {extension!r}" if extension else "no extension"
    raise MotionFormatError(
        f"{file}: expected one of {', '.join(MOTION_EXTENSIONS)}, .json, .csv, found {found} and unknown content"
    )
