"""How well gait parameters are measured, against the plan of simulated walks: footholds, contact times and angles.

    python benchmarks/measurement_accuracy.py --people 500 --output benchmarks/results/measurement_accuracy.json

Every person walks once, about half of them with a turn, sampled at each rate with 5 mm of sensor noise. An error is
the measured value minus the plan's, relative (percent of the plan's) for speed, cadence and stride length, in the
parameter's own unit else. Shown: median and 90th percentile of the absolute error by rate and by score, and the share
of walks in which the plan has a value and the measuring returns none. All people are simulated.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from agir_hf.gait import measure_gait
from agir_hf.simulation import simulate_person, simulate_walk

RATES_HZ = (20.0, 30.0, 60.0, 100.0, 120.0)
NOISE_M = 0.005
DURATION_S = 12.0
SEED = 71000
RELATIVE = {"walking_speed_mps", "cadence_spm", "stride_length_m", "stride_time_s"}
# Largest median absolute error accepted; percent where relative. Double support: at 60 frames a second and more.
TARGETS = {
    "walking_speed_mps": 2.0,
    "cadence_spm": 1.0,
    "stride_length_m": 2.0,
    "step_width_m": 0.01,
    "arm_swing_left_deg": 2.0,
    "arm_swing_right_deg": 2.0,
    "trunk_flexion_deg": 1.5,
    "double_support_percent": 3.0,
    "turn_duration_180_s": 0.2,
}


def person_errors(index: int) -> list[tuple[str, float, int, float | None]]:
    """(parameter, rate, score, error or None where nothing was measured) of one person's walk at every rate."""
    person = simulate_person(SEED + index, score=index % 4)
    turn = ("none", "none", "about", "left")[(index // 4) % 4]
    found: list[tuple[str, float, int, float | None]] = []
    for rate in RATES_HZ:
        walk = simulate_walk(
            person, seed=SEED + index, frame_rate_hz=rate, duration_s=DURATION_S, turn=turn, noise_m=NOISE_M
        )
        measured = measure_gait(walk.clip).values
        for name, true in walk.truth.values.items():
            if true is None:
                continue
            value = measured[name]
            error = None if value is None else float(value) - float(true)
            if error is not None and name in RELATIVE:
                error = 100.0 * error / float(true)
            found.append((name, rate, person.score, error))
    return found


def summary(errors: list[float | None]) -> dict[str, float | int | None]:
    """Count, share of nulls, signed median, median and 90th percentile of the absolute error."""
    values = np.array([error for error in errors if error is not None])
    some = len(values) > 0
    return {
        "walks": len(errors),
        "null_share": round(1.0 - len(values) / len(errors), 4),
        "bias": round(float(np.median(values)), 4) if some else None,
        "median": round(float(np.median(np.abs(values))), 4) if some else None,
        "p90": round(float(np.percentile(np.abs(values), 90)), 4) if some else None,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    by_rate: dict[tuple[str, float], list[float | None]] = defaultdict(list)
    by_score: dict[tuple[str, int], list[float | None]] = defaultdict(list)
    overall: dict[str, list[float | None]] = defaultdict(list)
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for found in pool.map(person_errors, range(options.people), chunksize=10):
            for name, rate, score, error in found:
                by_rate[name, rate].append(error)
                if rate >= 60.0 or name not in ("double_support_percent", "swing_percent"):
                    by_score[name, score].append(error)
                    overall[name].append(error)
    names = list(overall)
    table = {
        name: {
            "unit": "percent of the plan" if name in RELATIVE else name.rsplit("_", 1)[1],
            "target_median": TARGETS.get(name),
            "all": summary(overall[name]),
            "by_rate_hz": {f"{rate:g}": summary(by_rate[name, rate]) for rate in RATES_HZ if by_rate[name, rate]},
            "by_score": {str(score): summary(by_score[name, score]) for score in range(4) if by_score[name, score]},
        }
        for name in names
    }
    held = {n: table[n]["all"]["median"] <= target for n, target in TARGETS.items()}  # type: ignore[index, operator]
    worst = max(TARGETS, key=lambda n: table[n]["all"]["median"] / TARGETS[n])  # type: ignore[index, operator]
    by_severity = {
        score: max(table[n]["by_score"][str(score)]["median"] / TARGETS[n] for n in TARGETS)  # type: ignore[index]
        for score in range(4)
    }
    result = {
        "people": f"{options.people} simulated",
        "noise_m": NOISE_M,
        "parameters": table,
        "targets_held": held,
        "worst_parameter": worst,
        "worst_score": max(by_severity, key=by_severity.__getitem__),
    }
    for name in names:
        row, target = table[name]["all"], TARGETS.get(name)
        print(f"{name:32s} {row} target {target}")
    print({key: result[key] for key in ("targets_held", "worst_parameter", "worst_score")})
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
