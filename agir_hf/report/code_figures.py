"""The figure of motion codes: what the motion tokenizer made of a clip."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ..errors import AgirError
from .style import LABEL_POINTS, SMALL_POINTS, ThemeName, dress, new_figure, theme_of, titled

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST_NUMBERED_STEPS = 32


def plot_codes(
    codes: Sequence[int] | np.ndarray,
    *,
    codes_per_step: int = 1,
    frames_per_code: int = 4,
    frame_rate_hz: float = 20.0,
    codebook_size: int | None = None,
    title: str = "Motion codes",
    theme: ThemeName = "light",
) -> Figure:
    """Motion codes as a strip over time: a column is a step, a row one of the codes that refine it.

    Equal colours in a row are equal codes; that two colours are near each other means nothing.

    Args:
        codes: (N,) as ``AgirMotionTokenizer.encode`` and ``AgirProcessor.encode_motion`` give for one clip; -1
            (padding) is left out.
        codes_per_step: ``num_quantizers`` of the motion tokenizer's config.
        frames_per_code: ``frames_per_code`` of it.
        codebook_size: ``codebook_size`` of it; the largest code where None.
        frame_rate_hz: rate of the features that were encoded.

    Raises:
        AgirError: no codes, codes that are no whole number of steps, or a size or rate that is not positive.
        MissingDependencyError: matplotlib is not installed.
    """
    look = theme_of(theme)
    flat = np.asarray(codes).reshape(-1)
    flat = flat[flat != -1].astype(np.int64)
    if codes_per_step < 1 or frames_per_code < 1 or not (math.isfinite(frame_rate_hz) and frame_rate_hz > 0.0):
        raise AgirError(
            f"expected codes_per_step and frames_per_code of at least 1 and a positive frame rate, found "
            f"{codes_per_step}, {frames_per_code} and {frame_rate_hz}"
        )
    if not len(flat) or len(flat) % codes_per_step or flat.min() < 0:
        raise AgirError(
            f"expected one or more whole steps of {codes_per_step} codes from 0 up, found {len(flat)} codes"
        )
    step_s = frames_per_code * codes_per_step / frame_rate_hz
    table = flat.reshape(-1, codes_per_step).T
    steps = table.shape[1]
    # Each refinement has its own even share of the codebook: coloured by the place within that share.
    share = max((codebook_size or int(flat.max()) + 1) // codes_per_step, 1)
    figure = new_figure(min(max(5.0, 0.42 * steps + 1.6), 16.0), 1.7 + 0.28 * codes_per_step, look)
    titled(figure, title, look)
    axes = figure.add_subplot()
    within = table % share
    axes.imshow(
        within,
        cmap="cividis",
        vmin=0,
        vmax=max(share - 1, 1),
        aspect="auto",
        interpolation="nearest",
        extent=(0.0, steps * step_s, codes_per_step + 0.5, 0.5),
    )
    if steps <= _MOST_NUMBERED_STEPS:
        for (row, step), code in np.ndenumerate(table):
            bright = within[row, step] > 0.55 * share
            axes.text((step + 0.5) * step_s, row + 1, str(code), ha="center", va="center", fontsize=SMALL_POINTS,
                      color="#101418" if bright else "#FFFFFF")  # fmt: skip
    axes.set_yticks(range(1, codes_per_step + 1) if codes_per_step > 1 else [])
    axes.set_xlabel("time, s")
    axes.set_ylabel("code of step" if codes_per_step > 1 else "code")
    axes.set_title(_codes_heading(steps, step_s, codes_per_step, share), fontsize=LABEL_POINTS)
    dress(axes, look, grid=False)
    return figure


def _codes_heading(steps: int, step_s: float, codes_per_step: int, share: int) -> str:
    told = f"{steps} step{'s' * (steps != 1)} of {step_s:.2g} s"
    return (
        f"{told}, one of {share} codes each"
        if codes_per_step == 1
        else (f"{told}; in each {codes_per_step} codes, every one out of {share}")
    )
