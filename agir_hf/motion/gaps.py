"""Gaps in recorded markers: short ones are filled, long ones decide how much of a recording can be used.

A marker that the cameras lost is NaN here. Inner gaps up to a stated length are filled with a cubic that goes on with
the position and speed the marker had before the gap and has after it; a marker on a rigid segment is rebuilt from the
others on it, however long the gap. Nothing is extrapolated beyond a marker's first and last sighting.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Mask = NDArray[np.bool_]
Key = TypeVar("Key")

MAX_GAP_S = 0.2
# Speed at the edge of a gap comes from this long a stretch beside it: one frame of marker noise must not steer 0.2 s.
_EDGE_S = 0.05
_MIN_EDGE_FRAMES = 3
# An optional part that would cost more than this share of the recording is left out instead.
_MIN_SHARE_KEPT = 0.8
_MIN_CLUSTER_FRAMES = 10


def present(values: Floats) -> Mask:
    """(T,) frames in which every number of (T, ...) values is finite."""
    return np.asarray(np.isfinite(values).reshape(len(values), -1).all(axis=1))


def runs(mask: Mask) -> list[tuple[int, int]]:
    """[start, end) of each stretch of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def longest_run(mask: Mask) -> tuple[int, int]:
    """[start, end) of the longest stretch of True, the first of equals; (0, 0) where there is none."""
    return max(runs(mask), key=lambda run: run[1] - run[0], default=(0, 0))


def fill_gaps(
    values: Floats, frame_rate_hz: float, *, max_gap_s: float = MAX_GAP_S
) -> tuple[Floats, list[tuple[int, int]]]:
    """Fill the inner gaps of one marker.

    Args:
        values: (T, 3) positions, NaN where missing.
        frame_rate_hz: frames per second.
        max_gap_s: longest gap to fill, as missing frames over the frame rate; 0 fills nothing.

    Returns:
        (T, 3) filled copy, and [start, end) of the gaps that were filled. A gap with fewer than three frames on one
        side is filled with a straight line.
    """
    found = present(values)
    filled = np.where(found[:, None], values, np.nan)
    seen = runs(found)
    done = []
    longest = int(np.floor(max_gap_s * frame_rate_hz + 1e-6))
    edge = max(_MIN_EDGE_FRAMES, round(_EDGE_S * frame_rate_hz))
    for before, after in pairwise(seen):
        start, end = before[1], after[0]
        if end - start > longest:
            continue
        first, last = start - 1, end
        into = _edge_speed(values[max(before[0], start - edge) : start], at_end=True)
        out = _edge_speed(values[end : min(after[1], end + edge)], at_end=False)
        steps = last - first
        s = (np.arange(start, end) - first)[:, None] / steps
        if into is None or out is None:
            filled[start:end] = (1.0 - s) * values[first] + s * values[last]
        else:
            # Cubic Hermite polynomial.
            filled[start:end] = (
                (1.0 + 2.0 * s) * (1.0 - s) ** 2 * values[first]
                + s * (1.0 - s) ** 2 * steps * into
                + s**2 * (3.0 - 2.0 * s) * values[last]
                + s**2 * (s - 1.0) * steps * out
            )
        done.append((start, end))
    return filled, done


def _edge_speed(values: Floats, *, at_end: bool) -> Floats | None:
    """(3,) change per frame at one end of a few frames, by a least-squares parabola; None where there are too few."""
    if len(values) < _MIN_EDGE_FRAMES:
        return None
    place = np.arange(len(values)) - (len(values) - 1 if at_end else 0)
    return np.polyfit(place, values, 2)[1]


def fill_rigid(cluster: Sequence[Floats]) -> list[Floats]:
    """Rebuild markers of one rigid segment from the three or more others that are seen in the same frame.

    Args:
        cluster: markers (T, 3) of the segment, NaN where missing, at least four.

    Returns:
        Copies with what could be rebuilt. The segment's shape is the mean of the frames with all markers, each turned
        onto the first of them (Kabsch 1976, Acta Crystallographica A32:922); with too few of these nothing changes.
    """
    markers: list[Floats] = [np.array(values, dtype=np.float64) for values in cluster]
    seen = np.stack([present(values) for values in markers], axis=1)
    complete = np.flatnonzero(seen.all(axis=1))
    if len(markers) < 4 or len(complete) < _MIN_CLUSTER_FRAMES:
        return markers
    stacked = np.stack(markers, axis=1)
    everyone = np.arange(len(markers))
    reference = stacked[complete[0]]
    turned = _fit(np.broadcast_to(stacked[complete], (len(complete), *reference.shape)), reference, everyone)
    shape = turned.mean(axis=0)
    for pattern in np.unique(seen, axis=0):
        frames = np.flatnonzero((seen == pattern).all(axis=1))
        known = np.flatnonzero(pattern)
        if len(known) < 3 or len(known) == len(markers):
            continue
        rebuilt = _fit(np.broadcast_to(shape, (len(frames), *shape.shape)), stacked[frames], known)
        for index in np.flatnonzero(~pattern):
            markers[index][frames] = rebuilt[:, index]
    return markers


def _fit(moving: Floats, target: Floats, known: NDArray[np.intp]) -> Floats:
    """Points (F, M, 3) moved rigidly so that their ``known`` ones fit those of ``target`` (F, M, 3) or (M, 3) best."""
    target = np.broadcast_to(target, moving.shape)
    from_centre = moving[:, known].mean(axis=1, keepdims=True)
    to_centre = target[:, known].mean(axis=1, keepdims=True)
    covariance = np.einsum("fmi,fmj->fij", moving[:, known] - from_centre, target[:, known] - to_centre)
    left, _, right = np.linalg.svd(covariance)
    sign = np.sign(np.linalg.det(left) * np.linalg.det(right))
    right[:, 2] *= sign[:, None]
    return (moving - from_centre) @ left @ right + to_centre


def fill_markers(
    markers: Mapping[Key, Floats], clusters: Sequence[Sequence[Key]], frame_rate_hz: float, *, max_gap_s: float
) -> tuple[dict[Key, Floats], dict[Key, list[tuple[int, int]]]]:
    """Fill what can be filled in a set of markers.

    Args:
        markers: (T, 3) by key, NaN where missing.
        clusters: keys of markers on one rigid segment; used where all of them are in ``markers``.
        frame_rate_hz: frames per second.
        max_gap_s: longest gap to interpolate.

    Returns:
        Filled copies, and [start, end) of the gaps filled in each, by key.
    """
    filled = dict(markers)
    for cluster in clusters:
        if all(key in filled for key in cluster):
            filled.update(zip(cluster, fill_rigid([filled[key] for key in cluster]), strict=True))
    filled = {key: fill_gaps(values, frame_rate_hz, max_gap_s=max_gap_s)[0] for key, values in filled.items()}
    return filled, {key: runs(present(values) & ~present(markers[key])) for key, values in filled.items()}


def choose_span(required: Mapping[str, Mask], optional: Mapping[str, Mask]) -> tuple[tuple[int, int], tuple[str, ...]]:
    """The stretch of a recording to keep, and the optional parts to do without.

    The stretch is the longest in which all required parts are there. Optional parts join in the order given where the
    longest stretch with them keeps at least 80 % of that; the others are left out, so that a lost head marker does not
    cost half of a walk.

    Args:
        required: (T,) presence by part.
        optional: the same, the most important first.

    Returns:
        [start, end), (0, 0) where no frame has all required parts, and the names of the parts left out.
    """
    together = np.logical_and.reduce(list(required.values()))
    start, end = longest_run(together)
    least = _MIN_SHARE_KEPT * (end - start)
    dropped = []
    for part, mask in optional.items():
        first, last = longest_run(together & mask)
        if last - first >= least and last > first:
            together = together & mask
            start, end = first, last
        else:
            dropped.append(part)
    return (start, end), tuple(dropped)
