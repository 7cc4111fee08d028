"""C3D files: recorded markers, or the joint centres a laboratory's model wrote, and annotated gait events.

The file is read with ezc3d, after its header and parameters have been checked here: ezc3d is C++ code that takes sizes
from the file. Format: Motion Lab Systems, "The C3D File Format User Guide".

**Frames and event times.** A C3D file may begin in the middle of its trial. Its first frame has the number F given by
TRIAL:ACTUAL_START_FIELD and, in 16 bits, by the header; frames of a trial are numbered from 1. EVENT:TIMES count from
frame 1 of the *trial*, not of the file: an event at t seconds lies (t - (F - 1) / rate) seconds after the first frame
in the file. Checked on nine recordings with force plates (Vicon Nexus, 100 Hz, F = 79 to 286): read so, 30 of 32
annotated strikes and offs on a plate lie within one frame of the moment its vertical force passes 20 N (median 0.4
frames before); counted from a frame 0, 7 of 32 would.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..clip import EventKind, GaitEvent, MotionClip, Side
from ..errors import MotionFormatError, require
from . import orientation
from .c3d_header import check_file, looks_like_c3d
from .canonical import REQUIRED_PARTS, Landmarks
from .gaps import MAX_GAP_S, choose_span, fill_markers, present
from .markers import (
    RIGID_CLUSTERS,
    SIDES,
    BodyParts,
    Key,
    choose_person,
    find_parts,
    metres_per_unit,
    split_prefix,
)
from .root_relative import place_landmarks

Floats = NDArray[np.floating]

FORMAT = "C3D"

__all__ = ["FORMAT", "looks_like_c3d", "read_c3d"]

_MIN_SPAN_S = 0.5
# Optional parts, the most important first.
_OPTIONAL_PARTS = (
    *(f"{side}_{part}" for part in ("toe_base", "foot_rotation", "shoulder", "wrist", "elbow") for side in SIDES),
    "head_top",
)
_SIZE_PARAMETERS = {"MarkerDiameter": "marker_diameter"} | {
    f"{side[0].upper()}{joint.capitalize()}Width": f"{side}_{joint}_width"
    for side in SIDES
    for joint in ("knee", "ankle", "elbow")
}
_SIZE_RANGE_M = {"marker_diameter": (0.002, 0.04)}
_WIDTH_RANGE_M = (0.03, 0.20)
_STRIKES = frozenset({"foot strike", "heel strike", "initial contact", "foot contact", "hs", "fs", "ic", "fc"})
_OFFS = frozenset({"foot off", "toe off", "to", "fo"})


@dataclass(frozen=True)
class _Recording:
    """What a file holds.

    Attributes:
        labels, descriptions: one per point.
        points: (T, N, 3) in file units, NaN where a point was not seen.
        frame_rate_hz: of the file.
        first_frame: number of the first frame in the trial, which starts with 1.
        unit: POINT:UNITS, "" where it is missing.
        screen_axes: POINT:X_SCREEN and POINT:Y_SCREEN, such as ("+X", "+Z").
        sizes_m: joint widths and marker diameter, metres.
        events: (context, label, subject, seconds since frame 1 of the trial) of the EVENT group.
    """

    labels: tuple[str, ...]
    descriptions: tuple[str, ...]
    points: Floats
    frame_rate_hz: float
    first_frame: int
    unit: str
    screen_axes: tuple[str, str]
    sizes_m: Mapping[str, float]
    events: tuple[tuple[str, str, str, float], ...]


def read_c3d(path: Path, *, frame_rate_hz: float | None = None, max_gap_s: float = MAX_GAP_S) -> MotionClip:
    """Read one C3D file of a walking person.

    Joint centres are those of the laboratory's model where the file holds them, else computed from the markers (see
    ``markers``). Gaps up to ``max_gap_s`` are filled; where a longer one remains in a part that is needed, the clip is
    the longest stretch without. Both are told in the warnings. Annotated gait events become ``lab_events``, in seconds
    after the first frame of the clip; those outside of it are left out and counted.

    Args:
        path: the file.
        frame_rate_hz: frames per second to believe instead of the file's own.
        max_gap_s: longest gap in a marker that is filled, seconds.

    Raises:
        MotionFormatError: not a C3D file, truncated, sizes that contradict the file, no frames, no known marker set,
            nobody tracked for long enough, no plausible body.
        MissingDependencyError: ezc3d is not installed.
    """
    try:
        frames, first_frame = check_file(path)
        return _clip(_load(path, frames, first_frame), str(path), frame_rate_hz, max_gap_s)
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


# --- What ezc3d read --------------------------------------------------------------------------------------------------


def _load(path: Path, frames: int, first_frame: int) -> _Recording:
    ezc3d = require("ezc3d", "c3d")
    try:
        file = ezc3d.c3d(str(path))
    except (RuntimeError, ValueError, IndexError, KeyError, TypeError, OSError, OverflowError, MemoryError) as error:
        detail = (str(error).splitlines() or [type(error).__name__])[0]
        raise MotionFormatError(f"expected a readable C3D file, found: {detail}") from error
    groups = file["parameters"]
    points = np.moveaxis(np.asarray(file["data"]["points"], dtype=np.float64)[:3], 0, -1).swapaxes(0, 1)[:frames]
    residuals = np.asarray(file["data"]["meta_points"]["residuals"], dtype=np.float64)
    if len(points) < frames:
        raise MotionFormatError(f"expected {frames} frames, found {len(points)}: truncated or damaged")
    # A point that was not seen has residual -1, and in some exports lies in the origin.
    lost = (residuals[0].T[:frames] < 0) | (points == 0.0).all(axis=-1) | ~np.isfinite(points).all(axis=-1)
    points[lost] = np.nan
    rate = _first_number(groups, "POINT", "RATE", 0.0) or float(file["header"]["points"]["frame_rate"])
    labels = _numbered(groups, "POINT", "LABELS")[: points.shape[1]]
    labels += [""] * (points.shape[1] - len(labels))
    return _Recording(
        labels=tuple(labels),
        descriptions=tuple(_numbered(groups, "POINT", "DESCRIPTIONS")),
        points=points,
        frame_rate_hz=rate,
        first_frame=first_frame,
        unit=next(iter(_texts(groups, "POINT", "UNITS")), "").strip(),
        screen_axes=tuple(  # type: ignore[arg-type]
            next(iter(_texts(groups, "POINT", f"{axis}_SCREEN")), "").strip().upper() for axis in "XY"
        ),
        sizes_m=_sizes(groups),
        events=_annotations(groups),
    )


def _value(groups: Any, group: str, name: str) -> Any:
    return groups[group][name]["value"] if group in groups and name in groups[group] else []


def _texts(groups: Any, group: str, name: str) -> list[str]:
    value = _value(groups, group, name)
    return [str(text) for text in value] if isinstance(value, list) else []


def _numbered(groups: Any, group: str, name: str) -> list[str]:
    """Texts of a parameter that goes on in NAME2, NAME3 and so on, since one holds at most 255."""
    texts, part = _texts(groups, group, name), 2
    while more := _texts(groups, group, f"{name}{part}"):
        texts, part = texts + more, part + 1
    return texts


def _first_number(groups: Any, group: str, name: str, default: float) -> float:
    value = _value(groups, group, name)
    if isinstance(value, list) or value.size == 0 or not np.isfinite(value.flat[0]):
        return default
    return float(value.flat[0])


def _sizes(groups: Any) -> dict[str, float]:
    """Body sizes in metres. Vicon writes millimetres whatever POINT:UNITS says; metres are believed as well."""
    sizes: dict[str, float] = {}
    for group in ("PROCESSING", "SUBJECTS", "SUBJECT"):
        for name, size in _SIZE_PARAMETERS.items():
            value = _first_number(groups, group, name, 0.0)
            least, most = _SIZE_RANGE_M.get(size, _WIDTH_RANGE_M)
            for metres in (value / 1000.0, value):
                if least <= metres <= most:
                    sizes.setdefault(size, metres)
    return sizes


def _annotations(groups: Any) -> tuple[tuple[str, str, str, float], ...]:
    times = np.asarray(_value(groups, "EVENT", "TIMES"))
    if times.ndim == 1 and times.size == 2:
        times = times[:, None]
    if times.ndim != 2 or times.shape[0] != 2 or times.dtype.kind not in "fiu":
        return ()
    seconds = 60.0 * times[0] + times[1]
    contexts, names, subjects = (_texts(groups, "EVENT", name) for name in ("CONTEXTS", "LABELS", "SUBJECTS"))
    subjects += [""] * (len(seconds) - len(subjects))
    rows = zip(contexts, names, subjects, seconds.tolist(), strict=False)
    return tuple(row for row in rows if np.isfinite(row[3]))


# --- The clip ---------------------------------------------------------------------------------------------------------


def _clip(recording: _Recording, source: str, frame_rate_hz: float | None, max_gap_s: float) -> MotionClip:
    rate = recording.frame_rate_hz if frame_rate_hz is None else frame_rate_hz
    if not 1.0 <= rate <= 2000.0:
        raise MotionFormatError(f"expected a frame rate between 1 and 2000 Hz, found {rate:g}")
    if not 0.0 <= max_gap_s <= 10.0:
        raise MotionFormatError(f"expected max_gap_s between 0 and 10 seconds, found {max_gap_s:g}")
    warnings: list[str] = []
    subject, indices, people = choose_person(recording.labels, recording.descriptions, recording.points)
    if people > 1:
        warnings.append(f"The recording holds {people} people; {subject or 'the one without a name'} was read.")
    parts, filled = _parts(recording, indices, rate, max_gap_s, warnings)
    start, end, kept = _span(parts, rate, len(recording.points), max_gap_s, warnings)
    warnings += parts.notes
    used = {key for part in kept for key in parts.used[part]}
    gaps = {key: [(a, b) for a, b in filled[key] if a < end and b > start] for key in sorted(used)}
    names = [split_prefix(recording.labels[indices[key]])[1] for key, inside in gaps.items() if inside]
    if names:
        longest = max(b - a for inside in gaps.values() for a, b in inside)
        warnings.append(
            f"Gaps in {', '.join(names)} were filled by interpolation or from markers on the same bone; the longest "
            f"is {longest / rate:.2f} s."
        )
    matrix = _screen_matrix(recording.screen_axes, parts.points, warnings)
    landmarks = Landmarks(
        points={part: parts.points[part][start:end] @ matrix.T for part in kept if part in parts.points},
        frame_rate_hz=rate,
        foot_rotations={
            side: matrix @ parts.foot_rotations[side][start:end]
            for side in SIDES
            if f"{side}_foot_rotation" in kept and f"{side}_toe_base" in kept
        },
        warnings=tuple(warnings),
    )
    clip = place_landmarks(landmarks, source=source)
    events, left_out = _lab_events(recording, subject, start, clip)
    if left_out:
        warning = f"Annotated gait events outside of the clip were left out ({left_out})."
        clip = clip.replace(warnings=(*clip.warnings, warning))
    return clip.replace(lab_events=events, format=f"{FORMAT} ({parts.described})")


def _parts(
    recording: _Recording, indices: Mapping[Key, int], rate: float, max_gap_s: float, warnings: list[str]
) -> tuple[BodyParts, dict[Key, list[tuple[int, int]]]]:
    """Body parts in metres from the markers without their short gaps, and what was filled in each marker."""
    raw = {key: recording.points[:, index] for key, index in indices.items()}
    markers, filled = fill_markers(raw, RIGID_CLUSTERS, rate, max_gap_s=max_gap_s)
    unit_m, warning = metres_per_unit(recording.unit, markers)
    warnings += [warning] if warning else []
    return find_parts({key: unit_m * values for key, values in markers.items()}, recording.sizes_m), filled


def _span(
    parts: BodyParts, rate: float, frames: int, max_gap_s: float, warnings: list[str]
) -> tuple[int, int, tuple[str, ...]]:
    """[start, end) of the recording to keep, and the parts that are there all along."""
    masks = {part: present(values) for part, values in parts.points.items()}
    masks |= {f"{side}_foot_rotation": present(values) for side, values in parts.foot_rotations.items()}
    missing = [part for part in REQUIRED_PARTS if part not in masks or not masks[part].any()]
    if missing:
        raise MotionFormatError(f"expected hips, knees and ankles to be tracked, found no frame with {missing[0]}")
    required = {part: masks[part] for part in REQUIRED_PARTS}
    optional = {part: masks[part] for part in _OPTIONAL_PARTS if part in masks}
    (start, end), dropped = choose_span(required, optional)
    least = min(_MIN_SPAN_S * rate, float(frames))
    if end - start < max(least, 2):
        raise MotionFormatError(
            f"expected at least {_MIN_SPAN_S:g} s in which hips, knees and ankles of both legs are tracked, found "
            f"{(end - start) / rate:.2f} s: fill the gaps of more than {max_gap_s:g} s first"
        )
    kept = (*required, *(part for part in optional if part not in dropped))
    lost = [part for part in dropped if not part.endswith("rotation")]
    if lost:
        warnings.append(f"Not tracked for long enough and left out: {', '.join(lost)}.")
    if end - start < frames:
        gone = [part for part in kept if not masks[part].all()]
        warnings.append(
            f"Kept {(end - start) / rate:.2f} s of {frames / rate:.2f} s, from {start / rate:.2f} s on: in the rest "
            f"{', '.join(gone[:3])}{' and others' if len(gone) > 3 else ''} were not tracked."
        )
    return start, end, kept


def _screen_matrix(axes: tuple[str, str], points: Mapping[str, Floats], warnings: list[str]) -> Floats:
    """Rotation (3, 3) to the axes of the file's screen, Y up; none where it says nothing or the body disagrees."""
    rows = []
    for name in axes:
        match = re.fullmatch(r"([+-]?)([XYZ])", name)
        if match is None:
            return np.eye(3)
        rows.append((-1.0 if match[1] == "-" else 1.0) * np.eye(3)["XYZ".index(match[2])])
    if rows[0] @ rows[1] != 0.0:
        return np.eye(3)
    legs = {part: points[part] for part in REQUIRED_PARTS}
    together = np.logical_and.reduce([present(values) for values in legs.values()])
    body, up = orientation.upright_matrix({part: values[together] for part, values in legs.items()})
    if body[1] @ rows[1] < 0.5:
        warnings.append(f"The file says that {axes[1]} is up, but the body stands along {up}, which was believed.")
        return np.eye(3)
    return np.stack([*rows, np.cross(rows[0], rows[1])])


def _lab_events(recording: _Recording, subject: str, start: int, clip: MotionClip) -> tuple[tuple[GaitEvent, ...], int]:
    """(events in the clip in time order, number of gait events outside of it)."""
    people = {name for _, _, name, _ in recording.events}
    half_frame = 0.5 / clip.frame_rate_hz
    events, left_out = [], 0
    for context, label, name, seconds in recording.events:
        kind, side = _event_kind(label), _event_side(context, label)
        if kind is None or side is None or (subject in people and name != subject):
            continue
        index = seconds * recording.frame_rate_hz - (recording.first_frame - 1) - start
        time_s = index / clip.frame_rate_hz
        if -half_frame <= time_s <= clip.duration_s + half_frame:
            events.append(GaitEvent(kind, side, min(max(time_s, 0.0), clip.duration_s)))
        else:
            left_out += 1
    return tuple(sorted(events, key=lambda event: event.time_s)), left_out


def _event_kind(label: str) -> EventKind | None:
    words = re.sub(r"[^a-z]+", " ", label.lower()).strip()
    words = re.sub(r"^(left|right|l|r) |^[lr](?=(hs|to|fs|fo|ic|fc)$)", "", words)
    return "foot_strike" if words in _STRIKES else "foot_off" if words in _OFFS else None


def _event_side(context: str, label: str) -> Side | None:
    for text in (context, label):
        first = text.strip().lower()
        if first in ("l", "lhs", "lto", "lfs", "lfo", "lic", "lfc") or first.startswith("left"):
            return "left"
        if first in ("r", "rhs", "rto", "rfs", "rfo", "ric", "rfc") or first.startswith("right"):
            return "right"
    return None
