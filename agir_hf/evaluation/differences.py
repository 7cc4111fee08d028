"""Two reports side by side: what changed by more than noise."""

from __future__ import annotations

from typing import Any

from ..errors import AgirError
from .report_files import COLUMNS


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[dict[str, Any]]:
    """Every figure that both reports have of a system, and whether it changed beyond noise.

    It did where the two 95 % intervals do not meet, which asks for more than a test of the difference would. Of many
    figures some may still do so by chance.

    Raises:
        AgirError: the reports are of other data, people or protocol.
    """
    for key in ("data", "simulated", "protocol", "quick", "test_walks", "test_subjects"):
        if before.get(key) != after.get(key):
            raise AgirError(f"expected two reports with one {key}, found {before.get(key)} and {after.get(key)}")
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
                    "beyond_noise": _apart(old["interval_95"], new["interval_95"]),
                }
            )
    return found


def _apart(one: list[float | None], other: list[float | None]) -> bool:
    (low, high), (other_low, other_high) = one, other
    if low is None or high is None or other_low is None or other_high is None:
        return False
    return high < other_low or other_high < low


def differences_note(found: list[dict[str, Any]]) -> str:
    """One line for each change beyond noise, and how many figures did not change so."""
    changed = [one for one in found if one["beyond_noise"]]
    lines = [f"{one['system']}: {COLUMNS[one['figure']]} {one['before']:.3f} -> {one['after']:.3f}" for one in changed]
    lines.append(f"{len(found) - len(changed)} of {len(found)} figures did not change beyond noise.")
    return "\n".join(lines)
