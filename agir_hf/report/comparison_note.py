"""Two visits as a short table in plain text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..rationale.measures import BY_NAME
from .note import ROWS, _wrap, number_text

_COMPARED = ("higher", "lower", "no change beyond measurement noise")
_HEADER = ("", "visit 1", "visit 2", "change", "SE", "limit", "")
_LABEL_WIDTH, _NUMBER_WIDTHS = 30, (8, 8, 8, 7, 7)
_VERDICTS = {
    "higher": "higher, beyond noise",
    "lower": "lower, beyond noise",
    "no change beyond measurement noise": "within noise",
    "not enough strides to tell": "too few strides to tell",
}


def comparison_note(comparison: Mapping[str, Any]) -> str:
    """The note for two visits: change, its standard error, the limit of measurement noise, and whether it is beyond.

    Args:
        comparison: ``GaitComparison.to_dict()``.
    """
    lines = [_visit("Visit 1", comparison["first"]), _visit("Visit 2", comparison["second"]), ""]
    lines.append(_line(_HEADER))
    changes: Mapping[str, Mapping[str, Any]] = comparison["changes"]
    missing = []
    for label, unit, names in ROWS:
        for name in names:
            change, measure = changes[name], BY_NAME[name]
            decimals = measure.decimals
            side = "" if len(names) == 1 else ", left" if "_left_" in name else ", right"
            if change["verdict"] == "not measured":
                missing.append(f"{label.lower()}{side}")
                continue
            short = unit.replace("degrees", "deg")
            title = f"{label}{side}, {short}" if unit else f"{label}{side}"
            shown = [number_text(measure.scale * change[key], decimals) for key in ("first", "second")]
            shown.append(_signed(measure.scale * change["change"], decimals))
            for key in ("standard_error", "limit"):
                known = change[key]
                shown.append(number_text(None if known is None else measure.scale * known, decimals + (decimals < 2)))
            lines.append(_line((title, *shown, _VERDICTS.get(change["verdict"], change["verdict"]))))
    if missing:
        lines.append(_wrap("Not measured on both visits: " + ", ".join(missing) + "."))
    lines.append("")
    compared = sum(change["verdict"] in _COMPARED for change in changes.values())
    lines.append(
        _wrap(
            "SE: standard error of the change, from the spread of the strides. Limit: changes up to this are within "
            "measurement noise, which is that spread, the instrument, and how two walks of one person in one session "
            "differ. Other days, shoes, medication times or laboratories are not in it. Changes are taken before "
            "rounding. Higher and lower are directions of a number, not a judgement of the person's health."
        )
    )
    if compared:
        percent = 100.0 * (1.0 - comparison["confidence"])
        lines.append(
            _wrap(
                f"{compared} values were compared; about {percent:.0f} % of values that did not change exceed their "
                "limit by chance."
            )
        )
    lines += [_wrap(f"Note: {warning}") for warning in comparison["warnings"]]
    return "\n".join(lines) + "\n"


def _visit(title: str, visit: Mapping[str, Any]) -> str:
    text = (
        f"{title}: {visit['source']}, {visit['strides']} strides ({visit['steady_strides']} steady and straight), "
        f"{visit['native_rate_hz']:g} frames a second"
    )
    return _wrap(text + ("." if visit["walking"] else "; not recognised as walking."), indent="")


def _signed(value: float, decimals: int) -> str:
    text = number_text(value, decimals)
    return text if text.startswith("-") or float(text) == 0 else f"+{text}"


def _line(cells: tuple[str, ...]) -> str:
    label, *numbers, verdict = cells
    figures = "".join(f"{cell:>{width}}" for cell, width in zip(numbers, _NUMBER_WIDTHS, strict=True))
    return f"  {label:<{_LABEL_WIDTH}}{figures}  {verdict}".rstrip()
