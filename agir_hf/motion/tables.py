"""Keypoints as JSON and CSV files.

JSON: ``{"joints": [[[x, y, z], ...], ...], "frame_rate_hz": 30, "skeleton": "coco-17"}``, or ``{"frames": [...]}``, or
a bare list of frames. A frame is a list of points, or an object with its points under ``joints``, ``keypoints`` or
``landmarks`` (and its ``time``, if it has one), or an object of named points. A point is [x, y, z] or {"x", "y", "z"}.

CSV: one row a frame, three columns a point (``LHip_x``, ``LHip_y``, ``LHip_z`` or ``left_hip.X``...), named or numbered
in the order of a known skeleton, and perhaps a column ``time`` (seconds, or ``time_ms``) or ``frame``.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from .canonical import Landmarks
from .named_skeletons import RATE_NEEDED, landmarks_from_keypoints, landmarks_from_points
from .naming import split_name
from .root_relative import place_landmarks

FORMAT_JSON = "JSON"
FORMAT_CSV = "CSV"

Floats = NDArray[np.float64]

# A number takes 3 times its text as a Python object.
_MAX_BYTES = 256 * 1024**2
_FRAMES_KEYS = ("joints", "joints_m", "frames", "keypoints", "landmarks", "motion", "positions")
_POINTS_KEYS = ("joints", "joints_m", "keypoints", "landmarks", "positions")
_RATE_KEYS = ("frame_rate_hz", "fps", "frame_rate", "framerate")
_TIME_KEYS = ("time", "time_s", "t", "timestamp", "timestamp_s", "seconds", "time_ms", "timestamp_ms")
_FRAME_KEYS = ("frame", "frame_number", "frame_index")
_MAX_NAME = 100
# Times further from even steps than this share of a step are not regular.
_MAX_JITTER = 0.3
_RATE_TOLERANCE = 2e-3
_COLUMN = re.compile(r"(?P<name>.*?)(?:[\s_.:/-]+(?P<axis>[xyzXYZ])|(?<=[a-z0-9])(?P<glued>[XYZ]))(?:\s*[(\[].*)?")
_NUMBERED = re.compile(r"(?P<stem>[^0-9]*)(?P<number>[0-9]{1,4})")
# Core words of names by part, in order of preference, for points without a hierarchy.
_SIDED_WORDS: dict[str, tuple[str, ...]] = {
    "hip": ("hip", "hipjoint", "upleg", "upperleg", "thigh", "femur"),
    "knee": ("knee", "lowerleg", "shin", "calf", "tibia", "shank", "leg"),
    "ankle": ("ankle", "foot"),
    "toe_base": ("toebase", "ball", "forefoot", "metatarsal"),
    "toe_tip": ("toe", "toes", "bigtoe", "footindex", "toetip", "foot"),
    "shoulder": ("shoulder", "upperarm", "uparm", "humerus", "arm"),
    "elbow": ("elbow", "forearm", "lowerarm"),
    "wrist": ("wrist", "hand"),
    "hand_tip": ("handtip", "fingertip", "index"),
    "ear": ("ear",),
}
_MIDLINE_WORDS: dict[str, tuple[str, ...]] = {
    "pelvis": ("pelvis", "hips", "hip", "midhip", "root", "spinebase"),
    "neck": ("neck", "thorax", "neckbase"),
    "head": ("head", "skull"),
    "head_top": ("headtop", "vertex", "topofhead"),
}


def looks_like_json(start: bytes) -> bool:
    """Whether the first bytes of a file are those of a JSON object or list."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")


def looks_like_csv(start: bytes) -> bool:
    """Whether the first line of a file names x, y and z columns of at least six points."""
    text = start.decode("utf-8-sig", errors="replace").lstrip()
    header = _split_header(text.splitlines()[0]) if text else []
    found = [_COLUMN.fullmatch(word.strip()) for word in header if len(word) <= _MAX_NAME]
    axes = [match["axis"] or match["glued"] for match in found if match]
    return all(sum(axis.lower() == wanted for axis in axes) >= 6 for wanted in "xyz")


def read_json(path: Path, *, frame_rate_hz: float | None = None, skeleton: str | None = None) -> MotionClip:
    """Read keypoints from JSON.

    Args:
        path: the file.
        frame_rate_hz: wins over the rate or the times in the file; needed where it has none.
        skeleton: wins over the file's; needed where the number of keypoints does not tell it.

    Raises:
        MotionFormatError: no JSON, too large, no keypoints, no rate, uneven times, no plausible body.
    """
    text = _text(path)
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        detail = "too many nested lists" if isinstance(error, RecursionError) else str(error).splitlines()[0][:120]
        raise MotionFormatError(f"{path}: expected JSON, found: {detail}") from None
    try:
        return _clip(_json_landmarks(content, frame_rate_hz, skeleton), path, FORMAT_JSON)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def read_csv(path: Path, *, frame_rate_hz: float | None = None, skeleton: str | None = None) -> MotionClip:
    """Read keypoints from CSV: comma, semicolon or tab; an empty field is a point that was not seen.

    Args:
        path: the file.
        frame_rate_hz: wins over the time column; needed where there is none.
        skeleton: for numbered points; needed where their number does not tell it.

    Raises:
        MotionFormatError: no such table, too large, not numbers, no rate, uneven times, no plausible body.
    """
    text = _text(path)
    try:
        return _clip(_csv_landmarks(text, frame_rate_hz, skeleton), path, FORMAT_CSV)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def _clip(landmarks: Landmarks, path: Path, format: str) -> MotionClip:
    clip = place_landmarks(landmarks, source=str(path))
    return clip.replace(format=f"{format} of {clip.format or 'named points'}")


def _text(path: Path) -> str:
    size = path.stat().st_size
    if size > _MAX_BYTES:
        raise MotionFormatError(
            f"{path}: expected at most {_MAX_BYTES // 1024**2} MiB of text, found {size // 1024**2} MiB: save a .npz"
        )
    text = path.read_bytes().decode("utf-8-sig", errors="replace")
    if not text.strip():
        raise MotionFormatError(f"{path}: expected keypoints, found an empty file")
    return text


# JSON.


def _json_landmarks(content: object, given_rate_hz: float | None, skeleton: str | None) -> Landmarks:
    rate_hz: float | None = None
    frames: object = content
    if isinstance(content, dict):
        key = next((key for key in _FRAMES_KEYS if key in content), None)
        if key is None:
            shown = ", ".join(ascii(name)[1:-1][:20] for name in list(content)[:6]) or "nothing"
            raise MotionFormatError(f'expected "joints" or "frames", found {shown}')
        frames = content[key]
        rate_hz = _json_rate(content)
        if skeleton is None:
            skeleton = content.get("skeleton")
            if skeleton is not None and not isinstance(skeleton, str):
                raise MotionFormatError('expected the name of a skeleton as "skeleton", found something else')
    if not isinstance(frames, list) or not frames:
        raise MotionFormatError(f"expected a list of frames, found {'an empty one' if frames == [] else _kind(frames)}")
    if given_rate_hz is not None:
        rate_hz = given_rate_hz
    elif rate_hz is None and isinstance(frames[0], dict):
        rate_hz = _json_times(frames)
    if rate_hz is None:
        raise MotionFormatError(RATE_NEEDED)
    if isinstance(frames[0], dict):
        key = next((key for key in _POINTS_KEYS if key in frames[0]), None)
        if key is None:
            return landmarks_from_points(_named_points(frames), rate_hz)
        frames = [_object(frame, number).get(key) for number, frame in enumerate(frames, start=1)]
    if isinstance(frames[0], dict):
        return landmarks_from_points(_named_points(frames), rate_hz)
    return landmarks_from_keypoints(_point_array(frames), skeleton, rate_hz)


def _kind(value: object) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return names.get(type(value), "a number")


def _object(frame: object, number: int) -> Mapping[str, object]:
    if not isinstance(frame, dict):
        raise MotionFormatError(f"expected an object for each frame as for the first, found {_kind(frame)} as {number}")
    return frame


def _json_rate(content: Mapping[str, object]) -> float | None:
    key = next((key for key in _RATE_KEYS if content.get(key) is not None), None)
    if key is None:
        return None
    value = content[key]
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 1.0 <= value <= 2000.0:
        raise MotionFormatError(f"expected {key} as a number between 1 and 2000, found {ascii(value)[:40]}")
    return float(value)


def _json_times(frames: Sequence[object]) -> float | None:
    first = _object(frames[0], 1)
    key = next((key for key in _TIME_KEYS if key in first), None)
    if key is None:
        return None
    times = [_object(frame, number).get(key) for number, frame in enumerate(frames, start=1)]
    if not all(isinstance(time, (int, float)) for time in times):
        raise MotionFormatError(f"expected a number as {key} of every frame, found something else")
    return _rate(_floats(times), in_ms=key.endswith("_ms"))


def _floats(values: object) -> Floats:
    """An array of numbers; null is NaN."""
    try:
        return np.asarray(values, dtype=np.float64)
    except (ValueError, TypeError, OverflowError):
        raise MotionFormatError("expected points of three numbers, as many in every frame, found others") from None


def _point_array(frames: Sequence[object]) -> Floats:
    """(T, J, 3) from lists of [x, y, z] (more numbers, such as a score, are left out) or {"x", "y", "z"}."""
    first = frames[0]
    if not isinstance(first, list) or not first:
        raise MotionFormatError(f"expected a list of points for each frame, found {_kind(first)}")
    for number, frame in enumerate(frames, start=1):
        if not isinstance(frame, list) or len(frame) != len(first):
            found = f"{len(frame)}" if isinstance(frame, list) else _kind(frame)
            raise MotionFormatError(f"expected {len(first)} points in every frame, found {found} in frame {number}")
    return _floats([[_point(point) for point in frame] for frame in frames])  # type: ignore[attr-defined]


def _point(point: object) -> list[object]:
    if isinstance(point, dict):
        point = [point.get(axis) for axis in "xyz"]
    if point is None:
        return [None, None, None]
    if not isinstance(point, list) or not 3 <= len(point) <= 5:
        found = f"{len(point)} numbers" if isinstance(point, list) else _kind(point)
        raise MotionFormatError(f"expected points [x, y, z], found {found}: only 3D keypoints can be read")
    if not all(value is None or (isinstance(value, (int, float)) and not isinstance(value, bool)) for value in point):
        raise MotionFormatError("expected points of three numbers, found something else in one")
    return point[:3]


def _named_points(frames: Sequence[object]) -> dict[str, Floats]:
    """(T, 3) by part from objects of named points."""
    first = _object(frames[0], 1)
    parts = _parts([name for name, value in first.items() if isinstance(value, (list, dict))])
    points: dict[str, list[list[object]]] = {name: [] for names in parts.values() for name in names}
    for number, frame in enumerate(frames, start=1):
        known = _object(frame, number)
        for name, places in points.items():
            places.append(_point(known.get(name)))
    arrays = {name: _floats(places) for name, places in points.items()}
    return {part: np.mean([arrays[name] for name in names], axis=0) for part, names in parts.items()}


# CSV.


def _split_header(line: str) -> list[str]:
    delimiter = max(",;\t", key=line.count)
    try:
        return next(csv.reader([line], delimiter=delimiter), [])
    except csv.Error:
        return []


def _csv_landmarks(text: str, given_rate_hz: float | None, skeleton: str | None) -> Landmarks:
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    header = [word.strip() for word in _split_header(lines[0])] if lines else []
    columns = _columns(header)
    if not columns:
        shown = ", ".join(ascii(word)[1:-1][:20] for word in header[:5])
        raise MotionFormatError(
            f"expected columns such as LHip_x, LHip_y, LHip_z, found {shown or 'none'}: name each point and axis"
        )
    table = _table(lines, len(header))
    rate_hz = given_rate_hz
    lower = [re.sub(r"[\s(\[]+", "_", word.lower()).rstrip(")]_") for word in header]
    if rate_hz is None:
        time = next((lower.index(key) for key in _TIME_KEYS if key in lower), None)
        rate_hz = None if time is None else _rate(table[:, time], in_ms=lower[time].endswith("_ms"))
    frame = next((lower.index(key) for key in _FRAME_KEYS if key in lower), None)
    if frame is not None:
        _check_frame_numbers(table[:, frame])
    if rate_hz is None:
        raise MotionFormatError(RATE_NEEDED)
    points = {name: table[:, list(places)] for name, places in columns.items()}
    numbered = [_NUMBERED.fullmatch(name) for name in points]
    if all(numbered) and len({match["stem"] for match in numbered if match}) == 1:
        order = sorted(points, key=lambda name: int(_NUMBERED.fullmatch(name)["number"]))  # type: ignore[index]
        return landmarks_from_keypoints(np.stack([points[name] for name in order], axis=1), skeleton, rate_hz)
    parts = _parts(list(points))
    return landmarks_from_points(
        {part: np.mean([points[name] for name in names], axis=0) for part, names in parts.items()}, rate_hz
    )


def _columns(header: Sequence[str]) -> dict[str, tuple[int, int, int]]:
    """Columns of x, y and z by the name of the point."""
    found: dict[str, dict[str, int]] = {}
    for column, word in enumerate(header):
        match = _COLUMN.fullmatch(word) if len(word) <= _MAX_NAME else None
        if match and match["name"]:
            axis = (match["axis"] or match["glued"]).lower()
            if axis in found.setdefault(match["name"], {}):
                raise MotionFormatError(f"expected each column once, found {ascii(word)[1:-1][:40]} twice")
            found[match["name"]][axis] = column
    return {name: (axes["x"], axes["y"], axes["z"]) for name, axes in found.items() if len(axes) == 3}


def _table(lines: Sequence[str], width: int) -> Floats:
    """(T, C) numbers; empty fields and words such as nan are NaN."""
    delimiter = max(",;\t", key=lines[0].count)
    rows = []
    try:
        for number, fields in enumerate(csv.reader(io.StringIO("\n".join(lines[1:])), delimiter=delimiter), start=1):
            if len(fields) != width:
                raise MotionFormatError(f"expected {width} fields in every row, found {len(fields)} in row {number}")
            # A decimal comma goes with semicolons and tabs.
            texts = [field.replace(",", ".") for field in fields]
            row = [_number(text) for text in texts]
            if None in row:
                bad = texts[row.index(None)][:30]
                raise MotionFormatError(f"expected numbers, found {bad!a} in row {number}")
            rows.append(np.array(row, dtype=np.float64))
    except csv.Error as error:
        raise MotionFormatError(f"expected a table, found: {str(error)[:80]}") from None
    if len(rows) < 2:
        raise MotionFormatError(f"expected at least 2 rows of numbers, found {len(rows)}: there is no movement to read")
    return np.stack(rows)


def _number(text: str) -> float | None:
    """The number, NaN where nothing is written, None where it is none."""
    try:
        return float(text) if text.strip() else float("nan")
    except ValueError:
        return None


def _check_frame_numbers(numbers: Floats) -> None:
    steps = np.diff(numbers)
    if not (np.isfinite(steps).all() and (steps == steps[0]).all() and steps[0] > 0):
        bad = int(np.argmax(~(steps == steps[0]))) + 2
        raise MotionFormatError(f"expected frames in order without gaps, found another step at row {bad}: fill them in")


# Both.


def _rate(times: Floats, *, in_ms: bool) -> float:
    """Frames per second of regular times.

    Raises:
        MotionFormatError: times that do not rise evenly.
    """
    if len(times) < 2:
        raise MotionFormatError(f"expected at least 2 frames, found {len(times)}: there is no movement to read")
    seconds = times / 1000.0 if in_ms else times
    steps = np.diff(seconds)
    usual = float(np.median(steps))
    mean = float(seconds[-1] - seconds[0]) / len(steps)
    if not (np.isfinite(steps).all() and usual > 0.0 and np.abs(steps - usual).max() <= _MAX_JITTER * usual):
        raise MotionFormatError(
            f"expected times in even steps, found steps of {float(np.min(steps)):.4g} to {float(np.max(steps)):.4g} s: "
            "resample, or pass frame_rate_hz"
        )
    rate = 1.0 / mean
    return float(round(rate)) if abs(rate - round(rate)) < _RATE_TOLERANCE * rate else rate


def _parts(names: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Names of points by part of ``Landmarks``; the head, where it has no point, lies between the ears."""
    split = [(name, *split_name(name)[:2]) for name in names if len(name) <= _MAX_NAME]

    def named(side: str | None, words: Sequence[str]) -> tuple[str, ...]:
        # Several points of one word (big and small toe) lie around the part.
        every = (tuple(name for name, own, core in split if own == side and core == word) for word in words)
        return next((some for some in every if some), ())

    found: dict[str, tuple[str, ...]] = {}
    for side in ("left", "right"):
        for part, words in _SIDED_WORDS.items():
            chosen = named(side, words)
            if chosen and chosen not in found.values():
                found[f"{side}_{part}"] = chosen
    for part, words in _MIDLINE_WORDS.items():
        if chosen := named(None, words):
            found[part] = chosen
    ears = [found.pop(f"{side}_ear") for side in ("left", "right") if f"{side}_ear" in found]
    if len(ears) == 2 and "head" not in found:
        found["head"] = ears[0] + ears[1]
    return found
