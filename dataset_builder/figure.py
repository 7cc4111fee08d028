"""A picture of the measures by score, as SVG without any library: the same bytes on every run."""

from __future__ import annotations

from typing import Any

from agir_hf.rationale import NORMS
from agir_hf.rationale.measures import BY_NAME

# What may drive the reasoning about the score, one side each: the other one looks alike.
SHOWN = (
    "walking_speed_mps",
    "stride_length_m",
    "step_length_left_m",
    "foot_clearance_left_m",
    "foot_strike_angle_left_deg",
    "turn_duration_180_s",
    "arm_swing_left_deg",
    "arm_swing_asymmetry_percent",
)
_COLUMNS, _WIDTH, _HEIGHT = 4, 230, 190
_LEFT, _TOP, _BOTTOM = 44, 34, 30
_PLOT_W, _PLOT_H = _WIDTH - _LEFT - 10, _HEIGHT - _TOP - _BOTTOM


def measures_figure(name: str, report: dict[str, Any]) -> str:
    """Box of each measure by score (10, 25, 50, 75 and 90 percent of clips), with the usual range of its norm in grey.

    Args:
        name: of the configuration.
        report: as ``make_report`` gives it.
    """
    rows = {row["measure"]: row for row in report["measures_by_score"]}
    panels = [(measure, rows[BY_NAME[measure].phrase]) for measure in SHOWN]
    lines = -(-len(panels) // _COLUMNS)
    width, height = _COLUMNS * _WIDTH, lines * _HEIGHT + 24
    whose = "simulated scores" if name == "simulated" else f"scores of {name}"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
        'font-family="sans-serif" font-size="11">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        f'<text x="8" y="16">Measures by {whose}: median, middle half, and 10 to 90 percent of clips; '
        "grey: usual range of healthy older adults</text>",
    ]
    for place, (measure, row) in enumerate(panels):
        parts.append(f'<g transform="translate({place % _COLUMNS * _WIDTH},{place // _COLUMNS * _HEIGHT + 20})">')
        parts += _panel(BY_NAME[measure].group, row)
        parts.append("</g>")
    return "\n".join([*parts, "</svg>"]) + "\n"


def _panel(group: str, row: dict[str, Any]) -> list[str]:
    title = f"{row['measure']} ({row['unit']})"
    parts = [f'<text x="{_LEFT}" y="{_TOP - 10}" font-weight="bold">{title}</text>']
    scores: dict[str, dict[str, float]] = row["scores"]
    if not scores:
        return [*parts, f'<text x="{_LEFT}" y="{_TOP + 20}">not measured</text>']
    norm = NORMS.get(group)
    ends = [limit for limit in (norm.usual_low, norm.usual_high) if limit is not None] if norm else []
    low = min([own["p10"] for own in scores.values()] + ends)
    high = max([own["p90"] for own in scores.values()] + ends)
    room = 0.06 * (high - low) or 1.0
    low, high = low - room, high + room

    def y(value: float) -> float:
        return round(_TOP + _PLOT_H * (high - value) / (high - low), 1)

    if ends:
        upper = norm.usual_high if norm and norm.usual_high is not None else high
        lower = norm.usual_low if norm and norm.usual_low is not None else low
        parts.append(
            f'<rect x="{_LEFT}" y="{y(upper)}" width="{_PLOT_W}" height="{round(y(lower) - y(upper), 1)}" '
            'fill="#e4e4e4"/>'
        )
    bottom = _TOP + _PLOT_H
    parts.append(f'<path d="M{_LEFT},{_TOP}V{bottom}H{_LEFT + _PLOT_W}" fill="none" stroke="#555"/>')
    for value in (low + room, (low + high) / 2, high - room):
        parts.append(f'<text x="{_LEFT - 4}" y="{y(value) + 4}" text-anchor="end">{value:.3g}</text>')
    step = _PLOT_W / len(scores)
    for place, (score, own) in enumerate(sorted(scores.items())):
        x, half = round(_LEFT + step * (place + 0.5), 1), round(min(step * 0.3, 14), 1)
        box = round(y(own["p25"]) - y(own["p75"]), 1)
        parts += [
            f'<path d="M{x},{y(own["p10"])}V{y(own["p90"])}" stroke="#1f5f8b"/>',
            f'<rect x="{round(x - half, 1)}" y="{y(own["p75"])}" width="{2 * half}" height="{box}" fill="#9cc5e0" '
            'stroke="#1f5f8b"/>',
            f'<path d="M{round(x - half, 1)},{y(own["p50"])}h{2 * half}" stroke="#0b2f47" stroke-width="2"/>',
            f'<text x="{x}" y="{bottom + 14}" text-anchor="middle">{score}</text>',
        ]
    return parts
