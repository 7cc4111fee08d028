"""One look for every figure, on light and on dark ground.

Left is blue and right is orange in all figures, a pair that people with any colour blindness tell apart, and the same
on both grounds (contrast of at least 3.5 : 1 on either). No figure leans on colour alone: means of the right side are
dashed, its marks are square.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ..clip import MotionClip, Side
from ..errors import AgirError, require

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ThemeName = Literal["light", "dark"]
SIDE_COLOURS: dict[Side, str] = {"left": "#1F83C8", "right": "#D9640F"}
SIDE_MARKS: dict[Side, str] = {"left": "o", "right": "s"}
SIDE_LINES: dict[Side, str | tuple[int, tuple[float, ...]]] = {"left": "-", "right": (0, (5.0, 1.5))}
TITLE_POINTS, LABEL_POINTS, TEXT_POINTS, SMALL_POINTS = 12, 10, 9, 7.5


@dataclass(frozen=True)
class Theme:
    """Colours of everything that has no side."""

    ground: str
    text: str
    muted: str
    grid: str
    norm: str


THEMES: dict[str, Theme] = {
    "light": Theme(ground="#FFFFFF", text="#1B1F24", muted="#5F6670", grid="#E3E6EA", norm="#B9C0C9"),
    "dark": Theme(ground="#14171C", text="#E8EAED", muted="#9AA2AD", grid="#2A2F37", norm="#5B6470"),
}


def theme_of(name: str) -> Theme:
    """The theme of a name.

    Raises:
        AgirError: there is no such theme.
    """
    if name not in THEMES:
        raise AgirError(f"expected the theme {' or '.join(map(repr, THEMES))}, found {name!r}")
    return THEMES[name]


def new_figure(width_in: float, height_in: float, theme: Theme) -> Figure:
    """An empty figure that belongs to no window and to no global state of pyplot.

    Raises:
        MissingDependencyError: matplotlib is not installed.
    """
    require("matplotlib", "report")
    from matplotlib.figure import Figure

    return Figure(figsize=(width_in, height_in), dpi=110, facecolor=theme.ground, layout="constrained")


def dress(axes: Axes, theme: Theme, *, grid: bool = True) -> None:
    """Give axes the colours and text sizes of a theme."""
    axes.set_facecolor(theme.ground)
    axes.tick_params(colors=theme.muted, labelcolor=theme.text, labelsize=TEXT_POINTS, length=3)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color(theme.muted)
    axes.xaxis.label.set(color=theme.text, fontsize=TEXT_POINTS)
    axes.yaxis.label.set(color=theme.text, fontsize=TEXT_POINTS)
    axes.title.set(color=theme.text, fontsize=LABEL_POINTS)
    axes.set_axisbelow(True)
    if grid:
        axes.grid(True, color=theme.grid, linewidth=0.8)


def titled(figure: Figure, title: str, theme: Theme) -> None:
    """A title that is as wide as the figure at most: longer lines are broken."""
    # A letter is 0.6 of the text size wide; a point is 1/72 of an inch.
    width = int(figure.get_figwidth() * 72.0 / (0.62 * TITLE_POINTS))
    lines = [textwrap.fill(line, width) for line in title.splitlines()]
    figure.suptitle(plain("\n".join(lines)), color=theme.text, fontsize=TITLE_POINTS)


def short_source(source: str) -> str:
    """A clip's source without the folders of its path, which are long and say whose computer it was."""
    return re.split(r"[/\\]", source)[-1] or source


def message_figure(title: str, message: str, theme: Theme) -> Figure:
    """A figure that says why there is nothing to draw."""
    figure = new_figure(7.0, 1.8, theme)
    titled(figure, title, theme)
    axes = figure.add_subplot()
    axes.set_axis_off()
    text = plain(textwrap.fill(message, 80))
    axes.text(0.5, 0.5, text, ha="center", va="center", color=theme.text, fontsize=LABEL_POINTS)
    return figure


ANIMATED = "Skeletons made for animation lie 5 to 20 degrees higher or lower: compare shapes and sides, not heights."


def is_animated(clip: MotionClip) -> bool:
    """Whether the joints are those of an animation skeleton, which lie where an animator needs them."""
    return clip.format.startswith(("BVH", "ASF/AMC"))


def plain(text: str) -> str:
    """Text to be drawn as it is: a path with two dollar signs is no formula, what of it is no UTF-8 a question mark."""
    return text.replace("$", r"\$").encode("utf-8", "replace").decode("utf-8")
