"""Two reports side by side: what changed by more than noise."""

from __future__ import annotations

from typing import Any

from ..errors import AgirError
from .report_files import COLUMNS


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Every figure that both reports have of a system, and whether it changed beyond noise.

    It did where neither value lies within the other's 95 % interval. On the same people that asks for more than a test
    of pairs would, so what is called a change is one.

    Raises:
        AgirError: the reports are of other data or another protocol.
    """
    for key in ("data", "protocol"):
        if before[key] != after[key]:
            raise AgirError(f"expected two reports with one {key}, found {before[key]} and {after[key]}")
    found = []
    for system, figures in after["systems"].items():
        earlier = before["systems"].get(system, {})
        for name in COLUMNS:
            old, new = earlier.get(name), figures.get(name)
            if not old or not new or old["value"] is None or new["value"] is None:
                continue
            found.append(
                {
                    "system": system,
                    "figure": name,
                    "before": old["value"],
                    "after": new["value"],
                    "beyond_noise": not _inside(old["value"], new) and not _inside(new["value"], old),
                }
            )
    return found


def _inside(value: float, figure: dict[str, Any]) -> bool:
    low, high = figure["interval_95"]
    return low is None or high is None or low <= value <= high


def differences_note(found: list[dict[str, Any]]) -> str:
    """One line for each change beyond noise, and how many figures did not change so."""
    changed = [one for one in found if one["beyond_noise"]]
    lines = [f"{one['system']}: {COLUMNS[one['figure']]} {one['before']:.3f} -> {one['after']:.3f}" for one in changed]
    lines.append(f"{len(found) - len(changed)} of {len(found)} figures did not change beyond noise.")
    return "\n".join(lines)
