"""Motion files and arrays in, ``MotionClip`` out; the geometry between joints and features."""

from __future__ import annotations

import os
from pathlib import Path

from ..clip import MotionClip
from ..errors import MotionFormatError
from .arrays import clip_from_array, read_array
from .bvh import read_bvh

MOTION_EXTENSIONS: tuple[str, ...] = (".bvh", ".npy", ".npz")

__all__ = ["MOTION_EXTENSIONS", "clip_from_array", "read_motion"]

_NUMPY_MAGIC = b"\x93NUMPY"
_ZIP_MAGIC = b"PK\x03\x04"


def read_motion(path: str | os.PathLike[str], *, frame_rate_hz: float | None = None) -> MotionClip:
    """Read a motion file: BVH, or .npy / .npz with (T, 22, 3) joints or (T, 263) HumanML3D features.

    What the file holds decides; its extension only where the content does not tell.

    Args:
        path: the file. ``MotionClip.source`` is this path as given.
        frame_rate_hz: frames per second, for files that do not say (arrays of joints). Where a BVH file says otherwise,
            this one wins.

    Raises:
        MotionFormatError: no such file, a folder, an unknown format, or a file that cannot be read as human motion.
    """
    source = os.fspath(path)
    file = Path(source)
    if not file.exists():
        raise MotionFormatError(f"{source}: expected a motion file, found no such file")
    if not file.is_file():
        raise MotionFormatError(f"{source}: expected a motion file, found a folder: give its files, or a pattern")
    try:
        with open(file, "rb") as stream:
            start = stream.read(64)
    except OSError as error:
        raise MotionFormatError(f"{source}: expected a readable file, found: {error.strerror}") from error
    clip = _read_by_content(file, start, frame_rate_hz)
    return clip.replace(source=source)


def _read_by_content(file: Path, start: bytes, frame_rate_hz: float | None) -> MotionClip:
    extension = file.suffix.lower()
    is_bvh = start.removeprefix(b"\xef\xbb\xbf").lstrip().upper().startswith(b"HIERARCHY")
    is_array = start.startswith((_NUMPY_MAGIC, _ZIP_MAGIC))
    if is_bvh or (extension == ".bvh" and not is_array):
        clip = read_bvh(file)
        return clip if frame_rate_hz is None else clip.replace(frame_rate_hz=frame_rate_hz)
    if is_array or extension in (".npy", ".npz"):
        return read_array(file, frame_rate_hz=frame_rate_hz)
    found = f"extension {extension!r}" if extension else "no extension"
    raise MotionFormatError(
        f"{file}: expected one of {', '.join(MOTION_EXTENSIONS)}, found {found} and unknown content"
    )
