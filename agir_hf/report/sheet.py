"""The part of a report that stands still, as PDF (a page a figure) or PNG (one below the other)."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..clip import MotionClip
from ..errors import AgirError, require
from .code_figures import plot_codes
from .figures import plot_gait_cycle, plot_parameters
from .note import WHAT_IT_IS_NOT, checked_text, estimate_text, share_text
from .page_data import with_reasons
from .skeleton_figures import plot_stride
from .style import LABEL_POINTS, SMALL_POINTS, TEXT_POINTS, new_figure, plain, short_source, theme_of, titled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_WIDTH_IN, _LETTERS, _MARGIN_IN = 8.6, 104, 0.3
_BAR = "#7A3FB0"


def walk_figures(
    clip: MotionClip, result: Mapping[str, Any], codes: Sequence[int] = (), *, codes_per_step: int = 1, **coding: Any
) -> list[Figure]:
    """The assessment, the parameters, a stride, the gait cycle and the motion codes of one walk.

    Args:
        clip: as it was read.
        result: what the pipeline gave for it.
        codes, codes_per_step, coding: as for `plot_codes`; without codes that figure is left out.
    """
    figures = [
        plot_assessment(result),
        plot_parameters(with_reasons(clip, result)),
        plot_stride(clip),
        plot_gait_cycle(clip),
    ]
    if codes:
        figures.append(plot_codes(codes, codes_per_step=codes_per_step, **coding))
    return figures


def plot_assessment(result: Mapping[str, Any]) -> Figure:
    """Score with probabilities, beside it what it is not, then the rationale and what was taken out of it."""
    look = theme_of("light")
    if result["abstained"]:
        head = f"No gait score: {result['abstain_reason']}"
    else:
        scale = f"0 normal to {max(result['probabilities'])}, mean by probability {result['expected_score']:.2f}"
        head = f"Estimated gait score {result['score']} ({scale})"
    checked = result["grounding"]
    text = [str(result["rationale"] or "")]
    if checked["claims"]:
        text.append(checked_text(checked))
    text += [
        f"Taken out: {claim['text']} It says {claim['stated']}; measured: {claim['measured']}."
        for claim in checked["unsupported"]
    ]
    text += [f"Note: {warning}" for warning in result["warnings"]]
    lines = [line for part in text if part for line in (*textwrap.wrap(part, _LETTERS), "")]
    figure = new_figure(_WIDTH_IN, 2.5 + 0.185 * len(lines), look)
    titled(figure, f"Gait report: {short_source(str(result['source']))}", look)
    bars, words = figure.subplots(2, 1, height_ratios=[1.5, max(0.2, 0.185 * len(lines))])
    bars.set_title(plain(head), color=look.text, fontsize=LABEL_POINTS, loc="left", fontweight="bold")
    shares = result["probabilities"] or {}
    places = np.arange(len(shares))
    bars.barh(places, list(shares.values()), color=_BAR, height=0.6)
    bars.set(xlim=(0.0, 1.9), ylim=(max(len(shares), 1) - 0.4, -0.6), yticks=places, xticks=[])
    bars.set_yticklabels([f"Score {label}" for label in shares], color=look.text, fontsize=TEXT_POINTS)
    for place, share in zip(places, shares.values(), strict=True):
        bars.text(share + 0.02, place, share_text(share), va="center", color=look.text, fontsize=TEXT_POINTS)
    said = textwrap.fill(f"{estimate_text(result)} {WHAT_IT_IS_NOT}", 58, break_on_hyphens=False)
    bars.text(1.14, 0.5 * (len(shares) - 1), plain(said), va="center", color=look.text, fontsize=TEXT_POINTS)
    for edge in bars.spines.values():
        edge.set_visible(False)
    bars.tick_params(length=0)
    words.set_axis_off()
    words.text(0.0, 1.0, plain("\n".join(lines)), va="top", color=look.text, fontsize=SMALL_POINTS + 1)
    return figure


def write_sheet(walks: Iterable[Iterable[Figure]], path: Path) -> None:
    """Write the figures of one walk or several; one figure is drawn at a time, so that many walks need no more memory.

    Raises:
        AgirError: the file is neither .pdf nor .png.
        MissingDependencyError: matplotlib is not installed.
    """
    require("matplotlib", "report")
    figures = (figure for walk in walks for figure in walk)
    saving: dict[str, Any] = {"bbox_inches": "tight", "pad_inches": _MARGIN_IN}
    if path.suffix.lower() == ".pdf":
        from matplotlib.backends.backend_pdf import PdfPages

        # No time of making: the same walk gives the same file.
        with PdfPages(path, metadata={"CreationDate": None, "Title": "Gait report"}) as pages:
            for figure in figures:
                pages.savefig(figure, facecolor=figure.get_facecolor(), **saving)
    elif path.suffix.lower() == ".png":
        from PIL import Image  # comes with matplotlib

        drawn = []
        for figure in figures:
            drawn.append(BytesIO())
            figure.savefig(drawn[-1], format="png", facecolor=figure.get_facecolor(), **saving)
        sizes = [Image.open(one).size for one in drawn]
        sheet = Image.new("RGB", (max(wide for wide, _ in sizes), sum(high for _, high in sizes)), "white")
        top = 0
        for one, (wide, high) in zip(drawn, sizes, strict=True):
            sheet.paste(Image.open(one).convert("RGB"), ((sheet.width - wide) // 2, top))
            top += high
        sheet.save(path)
    else:
        raise AgirError(f"expected a sheet as .pdf or .png, found {path.name!r}")
