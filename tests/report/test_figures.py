"""The figures: what is drawn, labelled and said; how they look is for eyes."""

from __future__ import annotations

import io
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="needs the report extra")

from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from matplotlib.text import Text

from agir_hf.clip import MotionClip
from agir_hf.errors import AgirError, MissingDependencyError
from agir_hf.gait import gait_cycles, measure_gait
from agir_hf.report import plot_codes, plot_gait_cycle, plot_parameters, plot_skeleton, plot_stride
from agir_hf.report.note import ROWS
from agir_hf.report.style import SIDE_COLOURS, THEMES, short_source
from agir_hf.simulation import simulate_not_walking, simulate_person, simulate_walk


@pytest.fixture(scope="module")
def clip() -> MotionClip:
    """A simulated person who walks straight on."""
    made = simulate_walk(simulate_person(21, score=1), seed=3, duration_s=5.0)
    return made.clip.replace(source="/home/someone/cost$5 and $6/walk.bvh")


@pytest.fixture(scope="module")
def standing() -> MotionClip:
    return simulate_not_walking("standing", seed=0)


def texts(figure: Figure) -> list[str]:
    """All that is written in a figure, in the order it was drawn."""
    from matplotlib.text import Text

    return [item.get_text() for item in figure.findobj(Text) if item.get_text()]


def drawn(figure: Figure) -> int:
    """Size of the figure as PNG: it can be drawn with no window."""
    file = io.BytesIO()
    figure.savefig(file, format="png")
    return len(file.getvalue())


def lines_of(axes: Axes, colour: str) -> list[Any]:
    return [line for line in axes.get_lines() if to_hex(line.get_color()).upper() == colour]


def test_gait_cycle_has_every_stride_the_means_and_the_normal_curve(clip: MotionClip) -> None:
    cycles = gait_cycles(clip)
    assert cycles is not None
    figure = plot_gait_cycle(clip)
    hip, knee, ankle, arm = figure.axes
    for axes in (hip, knee, ankle, arm):
        assert axes.get_title() and "degrees" in axes.get_ylabel() and axes.get_xlim() == (0.0, 100.0)
        for side in ("left", "right"):
            own = lines_of(axes, SIDE_COLOURS[side])  # type: ignore[index]
            assert len(own) == len(cycles.of(side).start_s) + 2  # type: ignore[arg-type]  # mean, and foot off
    assert "percent of stride" in ankle.get_xlabel() and "percent of stride" in arm.get_xlabel()
    assert [len(lines_of(axes, THEMES["light"].norm)) for axes in figure.axes] == [1, 1, 1, 0]
    mean = lines_of(knee, SIDE_COLOURS["left"])[len(cycles.left.start_s)]
    assert mean.get_ydata() == pytest.approx(cycles.left.mean_deg("knee_flexion_deg"))
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend[0].startswith("usual range of healthy adults") and legend[-1] == "foot off" and len(legend) == 4
    assert figure.get_suptitle() == "walk.bvh" and drawn(figure) > 20_000


def test_gait_cycle_says_what_is_missing_and_what_to_read_with_care(clip: MotionClip) -> None:
    filled = clip.replace(joints_filled=("left_wrist",), joints_m=clip.joints_m[::3], frame_rate_hz=20.0)
    figure = plot_gait_cycle(filled, title="A title", theme="dark")
    assert figure.get_suptitle() == "A title"
    assert not lines_of(figure.axes[3], SIDE_COLOURS["left"]) and lines_of(figure.axes[3], SIDE_COLOURS["right"])
    told = " ".join(texts(figure)).replace("\n", " ")
    assert "left_wrist" in told and "Read with care: recorded at 20 Hz" in told
    short = plot_gait_cycle(clip.replace(joints_m=clip.joints_m[:75]))
    assert "no whole stride" in " ".join(texts(short))


def test_gait_cycle_can_be_drawn_into_axes_of_ones_own(clip: MotionClip, standing: MotionClip) -> None:
    figure = Figure()
    mine = figure.subplots(1, 4)
    assert plot_gait_cycle(clip, mine) is figure
    assert all(len(axes.get_lines()) > 4 for axes in mine)
    other = Figure()
    plot_gait_cycle(standing, other.subplots(1, 4))
    assert any("Not recognised as walking" in text for text in texts(other))
    with pytest.raises(AgirError, match="expected 4 axes"):
        plot_gait_cycle(clip, [Figure().add_subplot()])


@pytest.mark.parametrize("plot", [plot_gait_cycle, plot_stride, lambda c: plot_parameters(measure_gait(c))])
def test_a_clip_that_is_no_walk_gets_a_figure_that_says_so(
    plot: Callable[[MotionClip], Figure], standing: MotionClip
) -> None:
    figure = plot(standing)
    assert any("Not recognised as walking." in text and "stays in" in text for text in texts(figure))
    assert drawn(figure) > 3_000


def test_parameters_have_a_row_each_with_value_unit_and_norm(clip: MotionClip) -> None:
    found = measure_gait(clip.replace(joints_filled=("right_wrist",)))
    figure = plot_parameters({**found.to_dict(), "source": "folder/walk.bvh"})
    told = texts(figure)
    assert figure.get_suptitle() == "Gait parameters: walk.bvh"
    for label, unit, _ in ROWS:
        assert (f"{label}, {unit}" if unit else label) in told
    assert f"{found.values['walking_speed_mps']:.2f} m/s" in told
    assert {"0.97", "1.51"} <= set(told)  # the usual range of walking speed
    assert "right -" in told and any("right_wrist" in text for text in told)
    assert any(text.startswith("not measured: no turn") for text in told)
    bars = [line for line in figure.axes[0].get_lines() if line.get_linewidth() == 9]
    assert len(bars) == 7  # the turn is not measured, its norm not drawn
    marks = [line for line in figure.axes[0].get_lines() if line.get_marker() not in ("None", "")]
    assert len(marks) == sum(value is not None for value in found.values.values())
    hollow = [mark for mark in marks if to_hex(mark.get_markerfacecolor()).upper() == THEMES["light"].ground]
    assert len(hollow) == len(found.low_confidence)
    assert drawn(figure) > 20_000


def test_a_skeleton_of_animation_says_that_its_levels_are_its_own(clip: MotionClip) -> None:
    drawn = [text.get_text() for text in plot_gait_cycle(clip.replace(format="BVH (legs)")).legends[0].findobj(Text)]
    assert any("compare shapes and sides" in text for text in drawn)
    plain = [text.get_text() for text in plot_gait_cycle(clip).legends[0].findobj(Text)]
    assert not any("compare shapes" in text for text in plain)


def test_a_value_beyond_its_row_is_an_arrow_at_the_end() -> None:
    values: dict[str, float | None] = {name: None for _, _, names in ROWS for name in names}
    figure = plot_parameters({"gait_parameters": values | {"cadence_spm": 176.0, "stride_length_m": 0.3}})
    marks = {line.get_marker() for line in figure.axes[0].get_lines()} - {"None", ""}
    assert marks == {">", "<"}
    assert {"176 steps/min", "0.30 m"} <= set(texts(figure))
    with pytest.raises(AgirError, match="gait_parameters"):
        plot_parameters({"score": 2})


@pytest.mark.parametrize(("view", "across"), [("side", "forwards"), ("front", "left"), ("oblique", "view")])
def test_skeleton_is_drawn_in_metres_from_each_view(clip: MotionClip, view: Any, across: str) -> None:
    figure = plot_skeleton(clip, 2.0, view=view)
    (axes,) = figure.axes
    assert "metres" in axes.get_xlabel() and across in axes.get_xlabel() and "metres" in axes.get_ylabel()
    left, right = (lines_of(axes, SIDE_COLOURS[side]) for side in ("left", "right"))  # type: ignore[index]
    assert len(left) == len(right) == 8
    assert len([patch for patch in axes.patches if isinstance(patch, Circle)]) == 1
    if view == "front":  # the person's left is on the viewer's right
        assert np.mean([line.get_xdata() for line in left]) > np.mean([line.get_xdata() for line in right]) + 0.1
    assert drawn(figure) > 5_000


def test_from_the_side_a_person_walks_to_the_right(standing: MotionClip) -> None:
    for side in SIDE_COLOURS.values():
        _, _, _, foot, *_ = (line.get_xdata() for line in lines_of(plot_skeleton(standing).axes[0], side))
        assert foot[1] > foot[0] + 0.05  # ankle to toes


def test_skeletons_of_a_stride_begin_and_end_alike(clip: MotionClip) -> None:
    figure = plot_stride(clip, side="right", frames=5)
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0 %", "25 %", "50 %", "75 %", "100 %"]
    assert "right stride" in axes.get_xlabel() and "foot off at" in axes.get_xlabel()
    assert len([patch for patch in axes.patches if isinstance(patch, Circle)]) == 5
    legs = lines_of(axes, SIDE_COLOURS["right"])
    first, last = ([line.get_ydata() for line in legs[part]] for part in (slice(0, 8), slice(32, 40)))
    assert np.abs(np.array(first) - np.array(last)).max() < 0.06
    assert drawn(figure) > 10_000


def test_codes_are_a_strip_over_time() -> None:
    codes = (np.arange(24) * 7 % 128).reshape(3, 8) + 128 * np.arange(8)
    figure = plot_codes([*codes.ravel(), -1, -1], codes_per_step=8, frames_per_code=1, codebook_size=1024)
    (axes,) = figure.axes
    (image,) = axes.images
    assert image.get_array().shape == (8, 3) and image.get_extent()[:2] == [0.0, pytest.approx(1.2)]
    assert axes.get_xlabel() == "time, s" and {str(code) for code in codes.ravel()} <= set(texts(figure))
    plain = plot_codes(np.arange(50), theme="dark")
    assert plain.axes[0].images[0].get_extent()[1] == pytest.approx(10.0)  # 50 codes of 4 frames at 20 Hz
    assert "7" not in texts(plain)  # too many to be numbered
    assert drawn(plain) > 3_000


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda c: plot_codes([]), "whole steps"),
        (lambda c: plot_codes([1, 2, 3], codes_per_step=2), "whole steps of 2"),
        (lambda c: plot_codes([1], frame_rate_hz=0.0), "positive frame rate"),
        (lambda c: plot_skeleton(c, 99.0), "a time from 0 to 5"),
        (lambda c: plot_skeleton(c, view="top"), "'side', 'front', 'oblique'"),
        (lambda c: plot_stride(c, frames=1), "2 to 24"),
        (lambda c: plot_stride(c, side="both"), "'left' or 'right'"),
        (lambda c: plot_gait_cycle(c, theme="sepia"), "'light' or 'dark'"),
    ],
)
def test_wrong_arguments_are_named(call: Callable[[MotionClip], Figure], message: str, clip: MotionClip) -> None:
    with pytest.raises(AgirError, match=message):
        call(clip)


def test_a_missing_matplotlib_is_named_with_its_extra(clip: MotionClip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingDependencyError, match=r"pip install 'agir-hf\[report\]'"):
        plot_skeleton(clip)


def test_importing_the_report_brings_no_matplotlib_and_drawing_no_pyplot() -> None:
    code = (
        "import sys, agir_hf.report as r; assert 'matplotlib' not in sys.modules and 'torch' not in sys.modules;"
        "r.plot_codes([1, 2, 3]).savefig(__import__('io').BytesIO()); assert 'matplotlib.pyplot' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_source_is_named_without_its_folders() -> None:
    assert short_source("/a/b/walk.bvh") == short_source(r"C:\b\walk.bvh") == short_source("walk.bvh") == "walk.bvh"
    assert short_source("simulated:x-1") == "simulated:x-1" and short_source("") == ""
