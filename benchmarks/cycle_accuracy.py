"""Curves over the gait cycle against the commanded angles of simulated people, and the cycles of recorded walks.

    python benchmarks/cycle_accuracy.py --people 80 --output benchmarks/results/cycle_accuracy.md
    python benchmarks/cycle_accuracy.py --recordings ../shared/data/lab_walk_c3d

Truth is the plan of each walk, computed by other ways than the measuring (``tests/gait/simulated_curves.py``). An error
is the mean over the cycle of the distance between the measured mean curve of a side and the commanded one: between the
strikes that were found (what smoothing, noise and the plane of walking do to an angle), and from planned strike to
planned strike (what a strike found late adds).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np

from agir_hf.gait import gait_cycles, normal_cycles
from agir_hf.motion import read_motion
from agir_hf.simulation import simulate_person

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "gait"))

from simulated_curves import SIDES, commanded_strides, straight_walk

CONDITIONS: tuple[tuple[float, float], ...] = (
    (100.0, 0.0),
    (100.0, 0.003),
    (30.0, 0.003),
    (20.0, 0.003),
    (60.0, 0.008),
)
CURVES = ("hip_flexion_deg", "knee_flexion_deg", "ankle_dorsiflexion_deg", "arm_swing_deg")


def errors_deg(people: int, frame_rate_hz: float, noise_m: float) -> dict[bool, np.ndarray]:
    """(sides of all people, curves) mean distances; by whether the planned strikes are the truth's."""
    errors: dict[bool, list[list[float]]] = {False: [], True: []}
    for number in range(people):
        person = simulate_person(52_000 + number, score=number % 4)
        made, plan = straight_walk(person, number, noise_m=noise_m, frame_rate_hz=frame_rate_hz)
        cycles = gait_cycles(made.clip)
        if cycles is None:
            continue
        for side in SIDES:
            found = cycles.of(side)  # type: ignore[arg-type]
            for planned, rows in errors.items():
                truth = commanded_strides(person, plan, side, found.start_s, found.end_s, planned)
                rows.append([np.abs(found.angles_deg[c].mean(0) - truth[c].mean(0)).mean() for c in CURVES])
    return {planned: np.array(rows) for planned, rows in errors.items()}


def accuracy(people: int) -> list[str]:
    """The report's lines."""
    lines = [
        "# Curves over the gait cycle against the commanded angles of simulated people",
        "",
        f"{people} **simulated** people, a quarter of each score, one straight walk of 8 s each. Mean distance of a "
        "side's mean curve from the commanded one in degrees: median over sides, and 90th percentile in brackets. "
        "Written by `python benchmarks/cycle_accuracy.py`. Nothing here is a figure on patients.",
        "",
        "| strikes | rate, Hz | noise, mm | hip | knee | ankle | arm |",
        "|---|---|---|---|---|---|---|",
    ]
    rows: dict[bool, list[str]] = {False: [], True: []}
    for rate, noise in CONDITIONS:
        for planned, errors in errors_deg(people, rate, noise).items():
            middle, high = np.median(errors, axis=0), np.quantile(errors, 0.9, axis=0)
            cells = " | ".join(f"{m:.1f} ({h:.1f})" for m, h in zip(middle, high, strict=True))
            told = "planned" if planned else "found"
            rows[planned].append(f"| {told} | {rate:g} | {1000 * noise:g} | {cells} |")
    return [*lines, *rows[False], *rows[True]]


def recordings(folder: Path) -> list[str]:
    """One line a side of each walk: extremes, when they come, and the distance from normal walking."""
    lines = []
    normal = normal_cycles()
    for path in sorted(item for item in folder.iterdir() if item.suffix.lower() in (".bvh", ".c3d", ".trc", ".amc")):
        cycles = gait_cycles(read_motion(path))
        for side in () if cycles is None else (cycles.left, cycles.right):
            told = []
            for curve in CURVES:
                mean = side.mean_deg(curve)
                if mean is None:
                    told.append("-")
                    continue
                text = f"{mean.min():.0f} at {mean.argmin()} to {mean.max():.0f} at {mean.argmax()} %"
                if curve in normal:
                    text += f", rms {np.sqrt(np.mean((mean - normal[curve].angle_deg) ** 2)):.0f}"
                told.append(text)
            lines.append(f"{path.name} {side.side} ({len(side.start_s)} strides): " + "; ".join(told))
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description="Accuracy of the curves over the gait cycle.")
    parser.add_argument("--people", type=int, default=80)
    parser.add_argument("--output", type=Path, help="where the Markdown goes; printed where left out")
    parser.add_argument("--recordings", type=Path, help="a folder of motion files: their cycles instead, printed")
    arguments = parser.parse_args()
    lines = accuracy(arguments.people) if arguments.recordings is None else recordings(arguments.recordings)
    if arguments.output is None:
        print("\n".join(lines))
    else:
        arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
