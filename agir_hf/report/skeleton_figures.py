"""Figures of the body itself: one moment of a clip, and a stride as a row of figures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from ..clip import MotionClip, Side
from ..errors import AgirError
from ..gait import gait_cycles, measure_gait
from ..gait.signals import body_signals
from ..skeleton import JOINT_INDEX, JOINT_NAMES, PARENTS
from .style import (
    SIDE_COLOURS,
    SMALL_POINTS,
    TEXT_POINTS,
    Theme,
    ThemeName,
    dress,
    message_figure,
    new_figure,
    short_source,
    theme_of,
    titled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Array = NDArray[np.float64]
View = Literal["side", "front", "oblique"]
# How far the viewer has gone round from the person's right side towards the front, and how high they look from.
_ANGLES_DEG: dict[str, tuple[float, float]] = {"side": (0.0, 0.0), "front": (90.0, 0.0), "oblique": (35.0, 14.0)}
_ACROSS: dict[str, str] = {"side": "forwards", "front": "to the person's left", "oblique": "across the view"}
_HEAD_RADIUS = 0.062  # of the height of the head joint
_SPACING_M = 0.30  # between the figures of a row, from the reach of one to that of the next


def plot_skeleton(
    clip: MotionClip,
    time_s: float = 0.0,
    *,
    view: View = "side",
    title: str | None = None,
    theme: ThemeName = "light",
) -> Figure:
    """The 22 joints at one moment, left limbs blue and right ones orange, in metres from the pelvis.

    Args:
        time_s: seconds after the first frame; the nearest frame is drawn.
        view: "side" (from the person's right, who walks to the right), "front" (facing the person, whose left is on
            the right), or "oblique" (between the two, from a little above).

    Raises:
        AgirError: a time outside the clip, or no such view.
        MissingDependencyError: matplotlib is not installed.
    """
    look = theme_of(theme)
    _check_view(view)
    if not 0.0 <= time_s <= clip.duration_s:
        raise AgirError(f"expected a time from 0 to {clip.duration_s:.3f} s, found {time_s}")
    figure = new_figure(3.8, 5.2, look)
    titled(figure, f"{short_source(clip.source)}\n{time_s:.2f} s" if title is None else title, look)
    axes = figure.add_subplot()
    points = _flat(clip, np.array([time_s]), view)[0]
    _draw_body(axes, points, 0.0, look)
    _finish(axes, view, look)
    axes.set_xlabel(f"metres, {_ACROSS[view]}")
    return figure


def plot_stride(
    clip: MotionClip,
    *,
    side: Side = "left",
    frames: int = 6,
    view: View = "side",
    title: str | None = None,
    theme: ThemeName = "light",
) -> Figure:
    """One stride as a row of figures, from a foot strike of one side to its next; the middle steady stride of the clip.

    The figures stand side by side and not where the person was: what lies between them is no distance walked.

    Args:
        side: whose foot strikes.
        frames: number of figures, at even shares of the stride.
        view: as for ``plot_skeleton``.

    Returns:
        The figure; where the clip holds no stride of that side, one that says so.

    Raises:
        AgirError: fewer than 2 or more than 24 figures, no such side or view.
        MissingDependencyError: matplotlib is not installed.
    """
    look, title = theme_of(theme), short_source(clip.source) if title is None else title
    _check_view(view)
    if side not in SIDE_COLOURS:
        raise AgirError(f"expected the side 'left' or 'right', found {side!r}")
    if not 2 <= frames <= 24:
        raise AgirError(f"expected 2 to 24 figures, found {frames}")
    cycles = gait_cycles(clip)
    if cycles is None:
        reason = measure_gait(clip).quality.not_walking_reason
        return message_figure(title, f"Not recognised as walking. {reason}", look)
    own = cycles.of(side)
    if not len(own.start_s):
        return message_figure(title, f"No whole {side} stride in {clip.duration_s:.1f} s.", look)
    middle = len(own.start_s) // 2
    start_s, end_s = float(own.start_s[middle]), float(own.end_s[middle])
    shares = np.linspace(0.0, 1.0, frames)
    bodies = _flat(clip, start_s + shares * (end_s - start_s), view)
    reach = float(np.abs(bodies[..., 0]).max())
    spacing = 1.3 * reach + _SPACING_M
    figure = new_figure(min(1.55 * frames + 1.0, 18.0), 4.0, look)
    titled(figure, title, look)
    axes = figure.add_subplot()
    for number, points in enumerate(bodies):
        _draw_body(axes, points, number * spacing, look)
    _finish(axes, view, look)
    axes.set_xticks([number * spacing for number in range(frames)], [f"{100 * share:.0f} %" for share in shares])
    off = own.foot_off_percent[middle]
    lifted = f"; foot off at {off:.0f} %" if np.isfinite(off) else ""
    axes.set_xlabel(f"share of a {side} stride, {start_s:.2f} to {end_s:.2f} s{lifted}")
    return figure


def _check_view(view: str) -> None:
    if view not in _ANGLES_DEG:
        raise AgirError(f"expected the view {', '.join(map(repr, get_args(View)))}, found {view!r}")


def _flat(clip: MotionClip, times_s: Array, view: str) -> Array:
    """(n, 22, 3) across the view, up the view and towards the viewer, metres from the floor under the pelvis."""
    signals = body_signals(clip)
    facing = np.array([float(signals.at(signals.facing_rad, time_s)) for time_s in times_s])
    rows = np.clip(np.round(times_s * clip.frame_rate_hz).astype(np.intp), 0, clip.num_frames - 1)
    joints = clip.joints_m[rows].astype(np.float64)
    joints[..., [0, 2]] -= joints[:, :1, [0, 2]]
    sin, cos = np.sin(facing)[:, None], np.cos(facing)[:, None]
    ahead = joints[..., 0] * sin + joints[..., 2] * cos
    leftward = joints[..., 0] * cos - joints[..., 2] * sin
    round_rad, above_rad = np.radians(_ANGLES_DEG[view])
    across = ahead * np.cos(round_rad) + leftward * np.sin(round_rad)
    near = ahead * np.sin(round_rad) - leftward * np.cos(round_rad)
    up = joints[..., 1] * np.cos(above_rad) - near * np.sin(above_rad)
    return np.stack([across, up, near], axis=-1)


def _draw_body(axes: Axes, points: Array, shift_m: float, look: Theme) -> None:
    from matplotlib.patches import Circle

    x, y, near = points[:, 0] + shift_m, points[:, 1], points[:, 2]
    for joint, parent in enumerate(PARENTS):
        if parent < 0:
            continue
        name = JOINT_NAMES[joint]
        colour = look.text
        for side, own in SIDE_COLOURS.items():
            colour = own if name.startswith(side) else colour
        depth = 3.0 + float(near[joint] + near[parent])  # what is nearer is drawn over what is farther
        axes.plot(
            x[[parent, joint]], y[[parent, joint]], color=colour, linewidth=3.2, solid_capstyle="round", zorder=depth
        )
    head = JOINT_INDEX["head"]
    radius = _HEAD_RADIUS * max(float(y[head]), 0.5)
    middle = (float(x[head]), float(y[head]) + 0.5 * radius)  # the joint is the base of the skull
    skull = Circle(middle, radius, facecolor=look.ground, edgecolor=look.text, linewidth=2.0, zorder=6.0)
    axes.add_patch(skull)


def _finish(axes: Axes, view: str, look: Theme) -> None:
    if view != "oblique":  # seen from above the floor is no line
        axes.axhline(0.0, color=look.muted, linewidth=1.2, zorder=1)
    axes.set_aspect("equal", adjustable="datalim")
    axes.margins(0.05)
    axes.set_ylabel("height, metres" if view != "oblique" else "metres, up the view")
    dress(axes, look)
    axes.text(0.01, 0.99, "left", transform=axes.transAxes, va="top", color=SIDE_COLOURS["left"], fontsize=TEXT_POINTS)
    axes.text(
        0.01, 0.99, "\nright", transform=axes.transAxes, va="top", color=SIDE_COLOURS["right"], fontsize=TEXT_POINTS
    )
    axes.tick_params(labelsize=SMALL_POINTS)
