"""Track Row Column (TRC) files of marker or joint positions, as Motion Analysis, OpenSim and OpenCap write them.

Layout (OpenSim documentation, "Marker (.trc) Files"): a line with ``PathFileType``; a line of keys and one of their
values (``DataRate``, ``NumFrames``, ``NumMarkers``, ``Units``, ...); a line with ``Frame#``, ``Time`` and a label over
the first of the three columns of each marker; a line with X1, Y1, Z1, ...; an empty line; then a row a frame. All is
separated by tabs. Empty cells are gaps; so are points at exactly (0, 0, 0), which some exporters write for them.

Where the labels name joints (``RHip``, ``RKnee``, ``RAnkle``: joint centres, keypoints of pose estimation), the points
are taken as these joints; else they are markers on the skin, and joint centres are computed from them (``markers``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip
from ..errors import MotionFormatError
from .canonical import REQUIRED_PARTS, SIDES, Landmarks
from .gaps import MAX_GAP_S, choose_span, fill_markers, present
from .markers import (
    RIGID_CLUSTERS,
    choose_person,
    find_markers,
    find_parts,
    has_legs,
    metres_per_unit,
    split_prefix,
)
from .naming import split_name
from .root_relative import place_landmarks

FORMAT = "TRC"

Floats = NDArray[np.floating]

_MAX_BYTES = 1024**3
_FIRST_COLUMN = 2
# Numbers beyond this are damage; their squares would overflow.
_MAX_NUMBER = 1e15
_ROWS_PER_BLOCK = 2048
_RATE_RANGE_HZ = (1.0, 2000.0)
# The time column and the header may differ by rounding; more means that one of them is wrong.
_RATE_TOLERANCE = 0.02
_MIN_SPAN_S = 0.5
# Optional parts, the most important first.
_OPTIONAL_PARTS = (
    *(f"{side}_{part}" for part in ("toe_base", "toe_tip", "shoulder", "wrist", "elbow") for side in SIDES),
    *("head_top", "head", "neck"),
)
# Core words of joint labels by part; toes on both sides of a foot are averaged.
_SIDE_PARTS = {
    "hip": ("hip",),
    "knee": ("knee",),
    "ankle": ("ankle",),
    "toe_tip": ("toe", "toes", "bigtoe", "smalltoe"),
    "shoulder": ("shoulder",),
    "elbow": ("elbow",),
    "wrist": ("wrist",),
}
_MIDLINE_PARTS = {"neck": ("neck",), "head": ("head",)}


@dataclass(frozen=True)
class TrcFile:
    """A parsed TRC file.

    Attributes:
        points: (T, 3) by label, file units, NaN in gaps; labels without any point are left out.
        frame_rate_hz: frames per second.
        unit: ``Units`` as written, lower case, empty where the file does not say.
        warnings: what was odd but could be read.
    """

    points: Mapping[str, Floats]
    frame_rate_hz: float
    unit: str
    warnings: tuple[str, ...]


def looks_like_trc(start: bytes) -> bool:
    """Whether a file that begins with ``start`` is a TRC file."""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(b"pathfiletype")


def read_trc(path: Path, *, frame_rate_hz: float | None = None) -> MotionClip:
    """Read one TRC file as a clip.

    Args:
        path: the file.
        frame_rate_hz: wins over what the file says.

    Raises:
        MotionFormatError: not a TRC file, truncated, counts that contradict each other, no numbers, no labels to place
            two legs by, gaps too long to fill, no plausible body.
    """
    file = parse_trc(path, frame_rate_hz=frame_rate_hz)
    try:
        clip = place_landmarks(trc_landmarks(file), source=str(path))
        labels = list(file.points)
        return clip.replace(format=f"{FORMAT} ({'joints' if _names_joints(labels) else 'markers'})")
    except MotionFormatError as error:
        raise MotionFormatError(f"{path}: {error}") from error


def parse_trc(path: Path, *, frame_rate_hz: float | None = None) -> TrcFile:
    """Parse one TRC file.

    Raises:
        MotionFormatError: see ``read_trc``.
    """
    lines, is_finished = _read_lines(path)
    header = dict(zip((key.lower() for key in lines[1].split()), lines[2].split(), strict=False))
    labels = _labels(path, lines[3])
    begin = 5 if lines[4].strip().lower().startswith("x") else 4
    rows = [line for line in lines[begin:] if line.strip()]
    warnings = _check_counts(path, header, len(labels), rows)
    if not is_finished and rows[-1].count("\t") < rows[-2].count("\t"):
        raise MotionFormatError(
            f"{path}: expected the last row to have the cells of the others, found it cut: the file is truncated"
        )
    rows = rows[: _count(path, header, "NumFrames", len(rows))]
    table = _table(path, rows, _FIRST_COLUMN + 3 * (max(labels) + 1))
    rate, told = _frame_rate(path, header, table[:, 1], frame_rate_hz)
    points: dict[str, Floats] = {}
    for place, label in labels.items():
        values = table[:, _FIRST_COLUMN + 3 * place : _FIRST_COLUMN + 3 * place + 3]
        if values.shape[1] < 3:
            continue
        gap = np.isnan(values).any(axis=1) | (values == 0.0).all(axis=1)
        # Of two columns with one label, the first that has values counts.
        if not gap.all() and label not in points:
            points[label] = np.where(gap[:, None], np.nan, values)
    if not points:
        raise MotionFormatError(f"{path}: expected positions of markers, found every cell empty or zero")
    return TrcFile(points, rate, header.get("units", "").lower(), warnings + told)


def trc_landmarks(file: TrcFile) -> Landmarks:
    """Body parts of a parsed file over time, in metres and the axes of the file, gaps filled.

    Short gaps are filled; where a longer one remains in a part that is needed, the longest stretch without is kept.

    Raises:
        MotionFormatError: no labels to place two legs by; nobody tracked for long enough; no plausible body.
    """
    labels = list(file.points)
    joints = joint_labels(labels)
    if joints is not None and _names_joints(labels):
        used = {("", label): file.points[label] for names in joints.values() for label in names}
        filled, gaps = fill_markers(used, (), file.frame_rate_hz, max_gap_s=MAX_GAP_S)
        points: Mapping[str, Floats] = {
            part: np.mean([filled["", label] for label in names], axis=0) for part, names in joints.items()
        }
        legs = {(side, f"{joint}_centre"): points[f"{side}_{joint}"] for side in SIDES for joint in ("knee", "ankle")}
        unit_m, warning = metres_per_unit(file.unit, legs)
        points = {part: unit_m * values for part, values in points.items()}
        rotations: Mapping[str, Floats] = {}
        told: tuple[str, ...] = ()
        names = {key: key[1] for key in used}
    else:
        stacked = np.stack([file.points[label] for label in labels], axis=1)
        subject, indices, people = choose_person(labels, (), stacked)
        markers = {key: file.points[labels[index]] for key, index in indices.items()}
        filled, gaps = fill_markers(markers, RIGID_CLUSTERS, file.frame_rate_hz, max_gap_s=MAX_GAP_S)
        unit_m, warning = metres_per_unit(file.unit, filled)
        body = find_parts({key: unit_m * values for key, values in filled.items()}, {})
        points, rotations, told = body.points, body.foot_rotations, body.notes
        if people > 1:
            told += (f"The file holds {people} people; {subject or 'the one without a name'} was read.",)
        names = {key: labels[index] for key, index in indices.items()}
    if warning:
        told += (warning,)
    start, end, kept = _span(points, file.frame_rate_hz)
    frames = len(points[REQUIRED_PARTS[0]])
    if end - start < frames:
        told += (f"Only frames {start + 1} to {end} of {frames} were read: gaps beside them are too long to fill.",)
    lost = [part for part in points if part in _OPTIONAL_PARTS and part not in kept]
    if lost:
        told += (f"Left out for gaps too long to fill: {', '.join(lost)}.",)
    inside = {
        names[key]: max((b - a for a, b in runs if a < end and b > start), default=0) for key, runs in gaps.items()
    }
    gappy = [name for name, longest in inside.items() if longest]
    if gappy:
        told += (
            f"Gaps in {', '.join(gappy[:6])}{' and others' if len(gappy) > 6 else ''} were filled; the longest is "
            f"{max(inside.values()) / file.frame_rate_hz:.2f} s.",
        )
    return Landmarks(
        points={part: points[part][start:end] for part in kept},
        frame_rate_hz=file.frame_rate_hz,
        foot_rotations={
            side: values[start:end] for side, values in rotations.items() if present(values[start:end]).all()
        },
        warnings=file.warnings + told,
    )


def _names_joints(labels: Sequence[str]) -> bool:
    """Whether labels name joints. With markers on the pelvis, RKnee is a point on the skin."""
    known = find_markers(labels)
    return joint_labels(labels) is not None and not (has_legs(known) and ("left", "asis") in known)


def _span(points: Mapping[str, Floats], rate_hz: float) -> tuple[int, int, tuple[str, ...]]:
    """[start, end) of the longest stretch in which the legs are tracked, and the parts that are there all along."""
    masks = {part: present(values) for part, values in points.items()}
    required = {part: masks[part] for part in REQUIRED_PARTS if part in masks}
    optional = {part: masks[part] for part in _OPTIONAL_PARTS if part in masks}
    (start, end), dropped = choose_span(required, optional)
    frames = len(next(iter(masks.values())))
    if len(required) < len(REQUIRED_PARTS) or end - start < min(frames, max(2, round(_MIN_SPAN_S * rate_hz))):
        raise MotionFormatError(
            f"expected hips, knees and ankles tracked together for at least {_MIN_SPAN_S:g} s, found "
            f"{(end - start) / rate_hz:.2f} s without gaps longer than {MAX_GAP_S:g} s: fill them first"
        )
    return start, end, (*required, *(part for part in optional if part not in dropped))


def joint_labels(labels: Sequence[str]) -> dict[str, tuple[str, ...]] | None:
    """Labels by the body part they name, of the first person with two legs, or None where there is none.

    ``RHip``, ``right_hip``, ``Hip.R`` and the like name a joint. A part has more than one label where its place is
    their mean (big and small toe).
    """
    people: dict[str, dict[str, list[str]]] = {}
    for label in labels:
        side, core, is_helper = split_name(label)
        table = _MIDLINE_PARTS if side is None else _SIDE_PARTS
        part = next((part for part, words in table.items() if core in words), None)
        if part is not None and not is_helper:
            found = people.setdefault(split_prefix(label)[0], {})
            found.setdefault(part if side is None else f"{side}_{part}", []).append(label)
    for found in people.values():
        if all(part in found for part in REQUIRED_PARTS):
            return {part: tuple(names) if part.endswith("toe_tip") else (names[0],) for part, names in found.items()}
    return None


def _read_lines(path: Path) -> tuple[list[str], bool]:
    """(lines, whether the last one ends in a line break)."""
    if path.stat().st_size > _MAX_BYTES:
        raise MotionFormatError(f"{path}: expected at most {_MAX_BYTES // 1024**3} GiB of TRC, found a larger file")
    with open(path, "rb") as file:
        start = file.read(4096)
    # Line by line: of an hour of movement there is room for one copy of its text.
    with open(path, encoding="utf-8-sig", errors="replace") as stream:
        lines = [line for line in stream if line.strip() or line.startswith("\t")]
    if not lines:
        raise MotionFormatError(f"{path}: expected a TRC file, found an empty file")
    is_binary = any("\0" in line for line in lines)
    if not looks_like_trc(start) or is_binary:
        found = "binary data" if is_binary else repr(start[:30].decode("ascii", errors="replace"))
        raise MotionFormatError(f"{path}: expected TRC text that starts with PathFileType, found {found}")
    if len(lines) < 5:
        raise MotionFormatError(
            f"{path}: expected 5 header lines and a row for each frame, found {len(lines)} lines: the file is truncated"
        )
    return lines, lines[-1].endswith("\n")


def _labels(path: Path, line: str) -> dict[int, str]:
    """Label by place of the marker: 0 for the first three columns after Frame# and Time."""
    cells = [cell.strip() for cell in line.split("\t")]
    if len(cells) < 3 or not cells[0].lower().startswith("frame") or not cells[1].lower().startswith("time"):
        raise MotionFormatError(
            f"{path}: expected the labels in line 4, as Frame#, Time and a label over every third column, separated by "
            f"tabs, found {line.strip()[:40]!r}"
        )
    columns = [column for column, cell in enumerate(cells) if cell and column >= _FIRST_COLUMN]
    if columns == list(range(_FIRST_COLUMN, _FIRST_COLUMN + len(columns))):
        # Some exporters leave out the empty cells between the labels.
        places = list(range(len(columns)))
    else:
        places = [(column - _FIRST_COLUMN) // 3 for column in columns]
        if any((column - _FIRST_COLUMN) % 3 for column in columns):
            raise MotionFormatError(
                f"{path}: expected a label over every third column in line 4, found labels in other columns"
            )
    if not columns:
        raise MotionFormatError(f"{path}: expected labels of markers in line 4, found none")
    return dict(zip(places, (cells[column] for column in columns), strict=True))


def _count(path: Path, header: Mapping[str, str], key: str, default: int) -> int:
    """A count in the header; ``default`` where it has none."""
    text = header.get(key.lower(), "")
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if value < 0 or value != np.floor(value):
        raise MotionFormatError(f"{path}: expected a whole number as {key}, found {text[:30]!r}")
    return int(min(value, 1e18))


def _check_counts(path: Path, header: Mapping[str, str], num_labels: int, rows: list[str]) -> tuple[str, ...]:
    markers = _count(path, header, "NumMarkers", num_labels)
    if markers > num_labels:
        raise MotionFormatError(
            f"{path}: expected labels for the {markers} markers that NumMarkers announces, found {num_labels}"
        )
    frames = _count(path, header, "NumFrames", len(rows))
    if frames > len(rows):
        raise MotionFormatError(
            f"{path}: expected the {frames} frames that NumFrames announces, found {len(rows)}: the file is truncated"
        )
    if frames < 2:
        raise MotionFormatError(f"{path}: expected at least 2 frames, found {frames}: there is no movement to read")
    if frames < len(rows):
        return (f"The file holds {len(rows)} frames but announces {frames}; the announced ones were read.",)
    return ()


def _table(path: Path, rows: list[str], columns: int) -> Floats:
    """(T, C) cells of all rows, NaN where empty, C at most ``columns``: as many as the longest row has."""
    widths = [row.rstrip().count("\t") + 1 for row in rows]
    widest = max(widths)
    if widest > columns:
        raise MotionFormatError(
            f"{path}: expected at most {columns} cells a row for the labels in line 4, found {widest} in row "
            f"{widths.index(widest) + 1}: labels are missing"
        )
    if widest * len(rows) * 8 > _MAX_BYTES:
        raise MotionFormatError(
            f"{path}: expected at most {_MAX_BYTES // 1024**3} GiB of cells, found {len(rows)} rows of {widest}"
        )
    if min(widths) < _FIRST_COLUMN or (widths[-1] - _FIRST_COLUMN) % 3:
        row = widths.index(min(widths)) if min(widths) < _FIRST_COLUMN else len(rows) - 1
        raise MotionFormatError(
            f"{path}: expected frame number, time and 3 cells a marker, found {widths[row]} cells in row {row + 1}: "
            "truncated, or not separated by tabs?"
        )
    table = np.empty((len(rows), widest))
    # Block by block: the cells of an hour of movement, as text once more, would take gigabytes.
    for start in range(0, len(rows), _ROWS_PER_BLOCK):
        full = [_full_row(row.rstrip(), widest) for row in rows[start : start + _ROWS_PER_BLOCK]]
        try:
            block = np.loadtxt(full, delimiter="\t", dtype=np.float64, comments=None, ndmin=2)
        except ValueError:
            raise _cell_error(path, full, start) from None
        if (np.abs(block) > _MAX_NUMBER).any():
            raise _cell_error(path, full, start)
        table[start : start + len(full)] = block
    return table


def _full_row(row: str, width: int) -> str:
    """A row with ``nan`` in its empty cells, as many cells as others have, and no blanks around them."""
    if " \t" in row or "\t " in row:
        row = "\t".join(map(str.strip, row.split("\t")))
    # Twice: neighbouring empty cells share a tab.
    row = row.replace("\t\t", "\tnan\t").replace("\t\t", "\tnan\t")
    return row + "\tnan" * (width - 1 - row.count("\t"))


def _cell_error(path: Path, rows: list[str], before: int) -> MotionFormatError:
    """What is wrong with the first cell that is no number, in rows of which ``before`` others stand in front."""
    for number, row in enumerate(rows, start=before + 1):
        for column, cell in enumerate(row.split("\t"), start=1):
            try:
                bad = abs(float(cell)) > _MAX_NUMBER
            except ValueError:
                bad = True
            if bad:
                return MotionFormatError(
                    f"{path}: expected finite numbers or empty cells, found {cell[:30]!r} in row {number}, "
                    f"column {column}"
                )
    return MotionFormatError(f"{path}: expected rows of numbers separated by tabs, found other text")


def _frame_rate(
    path: Path, header: Mapping[str, str], times_s: Floats, given: float | None
) -> tuple[float, tuple[str, ...]]:
    """(rate, what to tell): the given one, else that of the header unless the time column contradicts it."""
    low, high = _RATE_RANGE_HZ
    if given is not None:
        if not low <= given <= high:
            raise MotionFormatError(f"{path}: expected a frame rate between {low:g} and {high:g} Hz, found {given:g}")
        return given, ()
    text = header.get("datarate", "")
    try:
        stated = float(text)
    except ValueError:
        stated = float("nan")
    is_stated = low <= stated <= high
    steps = np.diff(times_s)
    measured = (len(times_s) - 1) / (times_s[-1] - times_s[0]) if times_s[-1] > times_s[0] else float("nan")
    is_measured = bool(low <= measured <= high and (steps > 0.0).all() and steps.max() < 1.5 / measured)
    if not is_measured:
        if not is_stated:
            raise MotionFormatError(
                f"{path}: expected a DataRate between {low:g} and {high:g} Hz, found {text[:30]!r}: pass "
                "frame_rate_hz=..."
            )
        if not np.isfinite(steps).all() or not steps.any():
            return stated, ()
        return stated, ("The times of the frames do not run on evenly; the frames were taken to be evenly spaced.",)
    # Times are rounded: to a thousandth of a second often.
    slack = _RATE_TOLERANCE + 0.002 / (times_s[-1] - times_s[0])
    if is_stated and abs(measured / stated - 1.0) <= slack:
        return stated, ()
    rate = float(round(measured)) if abs(measured - round(measured)) < slack * measured else float(measured)
    if not is_stated:
        return rate, (f"The file has no usable DataRate; {rate:g} Hz was taken from the times of the frames.",)
    return rate, (
        f"DataRate says {stated:g} Hz, the times of the frames {rate:g} Hz; the times were taken: pass "
        "frame_rate_hz=... if they are wrong.",
    )
