"""Figures of a walk: joint angles over the gait cycle, and parameters beside norms.

Each returns a ``matplotlib.figure.Figure``: ``figure.savefig("walk.svg")`` writes it; a notebook shows it once
``%matplotlib inline`` has been run. Skeletons are in ``skeleton_figures``, motion codes in ``code_figures``.
"""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..clip import MotionClip, Side
from ..errors import AgirError
from ..gait import GaitCycles, GaitParameters, gait_cycles, measure_gait, normal_cycles, plausibility_limits
from ..gait.normal_cycles import PERCENT
from ..rationale.measures import BY_NAME
from ..rationale.norms import NORMS, POPULATION, Norm
from .note import ROWS, number_text, shown_values
from .style import (
    ANIMATED,
    SIDE_COLOURS,
    SIDE_LINES,
    SIDE_MARKS,
    SMALL_POINTS,
    TEXT_POINTS,
    Theme,
    ThemeName,
    dress,
    is_animated,
    message_figure,
    new_figure,
    plain,
    short_source,
    theme_of,
    titled,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class _Panel:
    curve: str
    title: str
    unit: str
    view_deg: tuple[float, float]  # at least this much is shown, so that figures can be laid side by side


_PANELS: tuple[_Panel, ...] = (
    _Panel("hip_flexion_deg", "Hip (thigh from the vertical)", "flexion +, degrees", (-35.0, 45.0)),
    _Panel("knee_flexion_deg", "Knee", "flexion +, degrees", (-10.0, 80.0)),
    _Panel("ankle_dorsiflexion_deg", "Ankle (0: flat foot, upright shank)", "dorsiflexion +, degrees", (-35.0, 35.0)),
    _Panel("arm_swing_deg", "Arm (shoulder to wrist, to the trunk)", "forwards +, degrees", (-40.0, 50.0)),
)


def plot_gait_cycle(
    clip: MotionClip, axes: Sequence[Axes] | None = None, *, title: str | None = None, theme: ThemeName = "light"
) -> Figure:
    """Hip, knee, ankle and arm over the gait cycle: every steady stride thin, the mean of each side thick.

    Grey bands are the usual range of healthy older adults, mean and 1.5 standard deviations (``normal_cycles``).
    Dotted uprights are where each foot leaves the floor. Definitions: ``agir_hf.gait.cycles``.

    Args:
        axes: four axes of a figure of yours to draw in; a new figure where None.
        title: the clip's source, without folders, where None.

    Returns:
        The figure; where the clip is not walking or has no whole stride, one that says so.

    Raises:
        AgirError: not four axes.
        MissingDependencyError: matplotlib is not installed.
    """
    look, title = theme_of(theme), short_source(clip.source) if title is None else title
    cycles = gait_cycles(clip)
    nothing = _no_cycles(clip, cycles)
    if axes is None:
        if cycles is None or nothing:
            return message_figure(title, nothing, look)
        figure = new_figure(8.6, 6.6, look)
        axes = figure.subplots(2, 2, sharex=True).ravel().tolist()
        titled(figure, title, look)
        new = True
    else:
        axes, new = list(axes), False
        if len(axes) != len(_PANELS):
            raise AgirError(f"expected {len(_PANELS)} axes, one each for hip, knee, ankle and arm, found {len(axes)}")
        figure = axes[0].get_figure().figure  # type: ignore[union-attr,assignment]  # of a part of it, the whole
    for place, panel in zip(axes, _PANELS, strict=True):
        _draw_cycles(place, panel, cycles, nothing, look)
        place.set_ylabel(panel.unit)
    for place in axes[2:] if new else axes:
        place.set_xlabel("percent of stride, from foot strike")
    if new and cycles is not None:
        _cycle_legend(figure, axes, cycles, [ANIMATED] if is_animated(clip) else [], look)
    return figure


def _no_cycles(clip: MotionClip, cycles: GaitCycles | None) -> str:
    """Why there are no curves; empty where there are."""
    if cycles is None:
        return f"Not recognised as walking. {measure_gait(clip).quality.not_walking_reason}"
    if not len(cycles.left.start_s) and not len(cycles.right.start_s):
        return f"Walking, but no whole stride in {clip.duration_s:.1f} s."
    return ""


def _draw_cycles(axes: Axes, panel: _Panel, cycles: GaitCycles | None, nothing: str, look: Theme) -> None:
    axes.set_title(panel.title)
    low, high = panel.view_deg
    axes.set_xlim(0.0, 100.0)
    axes.axhline(0.0, color=look.muted, linewidth=0.8, zorder=1)
    normal = normal_cycles().get(panel.curve)
    if normal is not None:
        axes.fill_between(
            normal.percent,
            *normal.usual_deg,
            color=look.norm,
            alpha=0.45,
            linewidth=0.0,
            zorder=1.4,
            label="usual range of healthy adults of 50 and more",
        )
        axes.plot(normal.percent, normal.angle_deg, color=look.norm, linewidth=2.0, zorder=1.5)
    missing = [nothing] if nothing else []
    for own in () if cycles is None or nothing else (cycles.left, cycles.right):
        side = own.side
        angles, mean = own.angles_deg[panel.curve], own.mean_deg(panel.curve)
        if angles is None or mean is None:
            missing.append(f"{side}: {own.reasons[panel.curve]}")
            continue
        colour = SIDE_COLOURS[side]
        for stride in angles:
            axes.plot(PERCENT, stride, color=colour, linewidth=0.7, alpha=0.35, zorder=2)
        axes.plot(
            PERCENT,
            mean,
            color=colour,
            linewidth=2.2,
            linestyle=SIDE_LINES[side],
            zorder=3,
            label=f"{side}, mean of {len(angles)}",
        )
        off = own.mean_foot_off_percent
        if off is not None:
            axes.axvline(off, color=colour, linewidth=1.3, linestyle=":", zorder=1.8)
        low, high = min(low, float(angles.min()) - 3.0), max(high, float(angles.max()) + 3.0)
    if missing:  # room for the words above the curves
        high += 0.1 * (high - low) * sum(len(textwrap.wrap(part, 44)) for part in missing)
    axes.set_ylim(low, high)
    if missing:
        text = plain("\n".join(textwrap.fill(part, 44) for part in missing))
        clear = {"facecolor": look.ground, "edgecolor": "none", "alpha": 0.85, "pad": 2.0}
        said = axes.text(0.5, 0.97, text, transform=axes.transAxes, ha="center", va="top", zorder=5, bbox=clear)
        said.set(color=look.muted, fontsize=TEXT_POINTS)
    dress(axes, look)


def _cycle_legend(figure: Figure, axes: Sequence[Axes], cycles: GaitCycles, notes: Sequence[str], look: Theme) -> None:
    """One legend below all panels, and what is to be read with care."""
    from matplotlib.lines import Line2D

    shown: dict[str, Any] = {}
    for place in axes:
        for line, label in zip(*place.get_legend_handles_labels(), strict=True):
            shown.setdefault(label, line)
    shown["foot off"] = Line2D([], [], color=look.muted, linestyle=":", linewidth=1.3)
    legend = figure.legend(
        list(shown.values()),
        list(shown),
        loc="outside lower center",
        ncols=len(shown),
        frameon=False,
        fontsize=TEXT_POINTS,
        labelcolor=look.text,
        handlelength=3.0,
    )
    cautions = dict.fromkeys(filter(None, (cycles.left.caution, cycles.right.caution)))
    if cautions:
        notes = ["Read with care: " + "; ".join(cautions) + ".", *notes]
    if notes:
        legend.set_title(plain("\n".join(textwrap.fill(note, 110) for note in notes)))
        legend.get_title().set(color=look.muted, fontsize=SMALL_POINTS)


# Columns of the parameters' figure, as shares of its width.
_TRACK, _VALUE_AT = (0.235, 0.64), 0.67
_REASON_WIDTH = 66


def plot_parameters(
    result: GaitParameters | Mapping[str, Any], *, title: str | None = None, theme: ThemeName = "light"
) -> Figure:
    """The measured parameters, one row each, beside the usual range of healthy older adults where one is published.

    Every row has a scale of its own: a bar is the usual range (``agir_hf.rationale.norms``), with its limits below it;
    rows without a norm run over their plausible limits. A mark at the end of a row with an arrow lies beyond it.
    Hollow marks are to be read with care; a value that could not be measured has its reason in its place.

    Args:
        result: what ``measure_gait`` returns, or one line of ``agir measure`` or of the pipeline, as a dict.
        title: "Gait parameters" and the source, where the result has one, when None.

    Raises:
        AgirError: ``result`` is neither.
        MissingDependencyError: matplotlib is not installed.
    """
    look = theme_of(theme)
    told: Mapping[str, Any] = result.to_dict() if isinstance(result, GaitParameters) else result
    if "gait_parameters" not in told:
        raise AgirError(
            'expected GaitParameters or a dict with "gait_parameters", as measure_gait(clip).to_dict() gives, found '
            f"{sorted(told)[:6]}"
        )
    values = shown_values(told["gait_parameters"])
    reasons, cautions = told.get("null_reasons") or {}, told.get("low_confidence") or {}
    if title is None:
        title = "Gait parameters" + (f": {short_source(str(told['source']))}" if told.get("source") else "")
    if not (told.get("quality") or {}).get("walking", True):
        return message_figure(title, " ".join(["Not recognised as walking.", *told.get("warnings", ())]), look)
    figure = new_figure(9.6, 0.42 * len(ROWS) + 1.3, look)
    titled(figure, title, look)
    axes = figure.add_subplot()
    axes.set(xlim=(0.0, 1.0), ylim=(len(ROWS) - 0.4, -0.6))
    axes.set_axis_off()
    for row, (label, unit, names) in enumerate(ROWS):
        decimals = BY_NAME[names[0]].decimals
        shown = f"{label}, {unit}" if unit else label
        axes.text(0.0, row, shown, va="center", color=look.text, fontsize=TEXT_POINTS)
        if all(values.get(name) is None for name in names):
            why = "; ".join(dict.fromkeys(reasons.get(name, "no evidence") for name in names))
            text = textwrap.fill(f"not measured: {why}", _REASON_WIDTH, max_lines=2, placeholder=" ...")
            axes.text(
                _TRACK[0], row, plain(text), va="center", color=look.muted, fontsize=SMALL_POINTS, fontstyle="italic"
            )
            continue
        _draw_row(axes, row, decimals, names, values, cautions, look)
        _write_values(axes, row, unit, decimals, names, values, reasons, look)
    _parameter_legend(figure, look)
    return figure


def _scale(name: str) -> tuple[float, float, Norm | None]:
    """Where a row begins and ends, in the unit it is printed in, and its norm."""
    limits, norm, scale = plausibility_limits()[name], NORMS.get(BY_NAME[name].group), BY_NAME[name].scale
    lowest, highest = limits.lower * scale, limits.upper * scale
    if norm is None or norm.usual_high is None:
        return lowest, highest, None
    low = lowest if norm.usual_low is None else norm.usual_low
    width = norm.usual_high - low
    start = lowest if norm.usual_low is None else max(lowest, low - 2.0 * width)
    return start, min(highest, norm.usual_high + width), norm


def _draw_row(
    axes: Axes,
    row: int,
    decimals: int,
    names: Sequence[str],
    values: Mapping[str, float | None],
    cautions: Mapping[str, str],
    look: Theme,
) -> None:
    start, end, norm = _scale(names[0])

    def across(value: float) -> float:
        return _TRACK[0] + (_TRACK[1] - _TRACK[0]) * min(max((value - start) / (end - start), 0.0), 1.0)

    axes.plot(_TRACK, (row, row), color=look.grid, linewidth=1.5, zorder=1, solid_capstyle="round")
    small: dict[str, Any] = {"color": look.muted, "fontsize": SMALL_POINTS, "va": "top"}
    if norm is not None and norm.usual_high is not None:
        low = start if norm.usual_low is None else norm.usual_low
        axes.plot((across(low), across(norm.usual_high)), (row, row), color=look.norm, linewidth=9, zorder=1.5,
                  solid_capstyle="butt")  # fmt: skip
        for limit in (norm.usual_low, norm.usual_high):
            if limit is not None:
                axes.text(across(limit), row + 0.27, number_text(limit, decimals), ha="center", **small)
    else:
        for limit, side in ((start, "left"), (end, "right")):
            axes.text(across(limit), row + 0.27, f"{limit:g}", ha=side, **small)
    for name in names:
        value = values.get(name)
        if value is None:
            continue
        of: Side | None = BY_NAME[name].side
        colour = look.text if of is None else SIDE_COLOURS[of]
        mark = "D" if of is None else SIDE_MARKS[of]
        if not start <= value <= end:
            mark = ">" if value > end else "<"
        up = {None: 0.0, "left": -0.1, "right": 0.1}[of]  # two marks at the same place are both seen
        axes.plot(
            across(value),
            row + up,
            marker=mark,
            markersize=6.5,
            markeredgewidth=1.6,
            markeredgecolor=colour,
            markerfacecolor=look.ground if name in cautions else colour,
            linestyle="none",
            zorder=3,
        )


def _write_values(
    axes: Axes,
    row: int,
    unit: str,
    decimals: int,
    names: Sequence[str],
    values: Mapping[str, float | None],
    reasons: Mapping[str, str],
    look: Theme,
) -> None:
    """The numbers at the end of a row, and why a side has none."""
    missing = [name for name in names if values.get(name) is None]
    up = -0.14 if missing else 0.0
    at = _VALUE_AT
    for name in names:
        of: Side | None = BY_NAME[name].side
        text = number_text(values.get(name), decimals)
        text = f"{text} {unit}".rstrip() if of is None else f"{of} {text}"
        colour = look.text if of is None else SIDE_COLOURS[of]
        axes.text(at, row + up, text, va="center", color=colour, fontsize=TEXT_POINTS, fontweight="bold")
        at += 0.115
    if len(names) == 2 and not missing:
        axes.text(at, row, unit, va="center", color=look.text, fontsize=TEXT_POINTS)
    if missing:
        text = textwrap.shorten(reasons.get(missing[0], "no evidence"), 52, placeholder=" ...")
        axes.text(_VALUE_AT, row + 0.2, plain(text), va="center", color=look.muted, fontsize=SMALL_POINTS,
                  fontstyle="italic")  # fmt: skip


def _parameter_legend(figure: Figure, look: Theme) -> None:
    from matplotlib.lines import Line2D

    def mark(shape: str, colour: str, filled: bool = True) -> Line2D:
        face = colour if filled else look.ground
        return Line2D([], [], marker=shape, color=colour, markerfacecolor=face, linestyle="none", markersize=6.5)

    shown = {
        "left": mark(SIDE_MARKS["left"], SIDE_COLOURS["left"]),
        "right": mark(SIDE_MARKS["right"], SIDE_COLOURS["right"]),
        "no side": mark("D", look.text),
        "hollow: read with care": mark("o", look.muted, filled=False),
        f"usual range of {POPULATION}": Line2D([], [], color=look.norm, linewidth=9, solid_capstyle="butt"),
        "none published: plausible limits": Line2D([], [], color=look.grid, linewidth=1.5),
    }
    figure.legend(
        list(shown.values()),
        list(shown),
        loc="outside lower center",
        ncols=len(shown),
        frameon=False,
        fontsize=SMALL_POINTS,
        labelcolor=look.text,
    )
