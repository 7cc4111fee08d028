"""Per-score distributions of the deep simulated cohort beside published norms, and how hard its scores are to tell.

    python benchmarks/simulated_distributions.py ../shared/facts/gait_norms.csv --people 600 --picture /tmp/deep.png

Prints, for what ``measure_gait`` measures in the clips (not for the plan): mean and standard deviation per score, the
published means beside them, rank correlations with the score, and macro-F1 of a random forest on all parameters and on
each one alone, trained on half of the people and tested on the others. Everything here is simulated but the norms.
"""

from __future__ import annotations

import argparse
import csv
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import spearmanr

from agir_hf.evaluation.baselines import random_forest
from agir_hf.gait import measure_gait
from agir_hf.simulation import deep_cohort_walk

# Name of the measure here, and its name in the table of norms where that has it with the same definition.
NORMS = {
    "walking_speed_mps": "walking_speed",
    "stride_length_m": "stride_length",
    "stride_time_s": "stride_time",
    "cadence_spm": "cadence",
    "swing_percent": "swing_phase",
    "double_support_percent": "double_support",
    "stride_time_cv_percent": "stride_time_cv",
    "arm_swing_more_affected_deg": "",
    "arm_swing_less_affected_deg": "",
    "arm_swing_mean_deg": "arm_swing_range_of_motion",
    "foot_strike_angle_mean_deg": "foot_strike_angle",
    "turn_duration_180_s": "turn_duration_180",
    "arm_swing_asymmetry_percent": "",
    "step_length_asymmetry_percent": "",
    "foot_clearance_mean_m": "",
    "trunk_flexion_deg": "",
    "freezing_episodes": "",
}


def measured(seed: int, walk: int, person: int) -> dict[str, Any]:
    """Parameters and labels of one walk."""
    made, labels = deep_cohort_walk(seed, person, walk)
    result = measure_gait(made.clip)
    return {
        "parameters": dict(result.values),
        "truth": made.truth.values,
        "walking": result.quality.walking,
        "score": labels.score,
        "labels": labels,
        "latents": (made.person.posture_latent, made.person.freezing_latent),
    }


def value(row: dict[str, Any], name: str) -> float:
    """A measure, or the mean, the more or the less affected of both sides; NaN where there is none."""
    values = row["parameters"]
    if name in values:
        return np.nan if values[name] is None else float(values[name])
    stem, unit = name.rsplit("_", 1)
    stem, kind = next((stem.removesuffix(f"_{k}"), k) for k in ("mean", "more_affected", "less_affected") if k in stem)
    sides = {side: values[f"{stem}_{side}_{unit}"] for side in ("left", "right")}
    if None in sides.values():
        return np.nan
    if kind == "mean":
        return float(np.mean(list(sides.values())))
    affected = row["labels"].more_affected_side
    if affected is None:
        return np.nan
    other = "right" if affected == "left" else "left"
    return float(sides[affected if kind == "more_affected" else other])


def norm(norms: dict[str, dict[str, str]], name: str) -> str:
    """Published means of healthy older adults and of people with Parkinson's disease."""
    row = norms.get(NORMS[name], {})
    return f"{row.get('healthy_older_mean', ''):>8} {row.get('pd_mean', ''):>8}"


def show_table(rows: list[dict[str, Any]], norms: dict[str, dict[str, str]]) -> None:
    scores = np.array([row["score"] for row in rows])
    counts = ", ".join(f"{np.sum(scores == score)} of score {score}" for score in range(4))
    print(f"Walks: {counts}")
    heads = "".join(f"{'score ' + str(score):>17}" for score in range(4))
    print(f"{'measured, mean (SD)':31}{heads}   rank r | healthy       PD (published)")
    for name in NORMS:
        column = np.array([value(row, name) for row in rows])
        cells = []
        for score in range(4):
            part = column[(scores == score) & np.isfinite(column)]
            cells.append(f"{part.mean():9.2f} ({part.std():5.2f})" if len(part) > 4 else f"{'-':>17}")
        known = np.isfinite(column)
        print(f"{name:31}{''.join(cells)} {spearmanr(column[known], scores[known])[0]:+8.2f} | {norm(norms, name)}")


def show_latents(rows: list[dict[str, Any]]) -> None:
    scores = [row["score"] for row in rows]
    for index, name in enumerate(("posture", "freezing")):
        latent = [row["latents"][index] for row in rows]
        print(f"rank correlation of the {name} latent with the score: {spearmanr(latent, scores)[0]:+.2f}")


def show_states(rows: list[dict[str, Any]]) -> None:
    """Speed in each state and pattern."""
    for attribute in ("pattern", "phenotype", "medication", "task", "capture", "sex", "turn", "view"):
        parts = []
        for kind in dict.fromkeys(str(getattr(row["labels"], attribute)) for row in rows):
            mine = [row for row in rows if str(getattr(row["labels"], attribute)) == kind]
            speed = np.nanmean([value(row, "walking_speed_mps") for row in mine])
            parts.append(f"{kind} {len(mine)} at {speed:.2f} m/s")
        print(f"{attribute}: " + ", ".join(parts))


def show_medication(seed: int, people: list[int]) -> None:
    """Planned speed and arm swing of the same people off and on medication, single task."""
    from agir_hf.simulation.deep_people import deep_person, person_in

    changes = []
    for index in people:
        who = deep_person(seed, index)
        if who.medication_effect > 0.0:
            off, on = person_in(who, "off", "single").style, person_in(who, "on", "single").style
            changes.append(
                (
                    off.walking_speed_mps / on.walking_speed_mps - 1.0,
                    off.stride_length_m / on.stride_length_m - 1.0,
                    sum(off.arm_swing_deg) / sum(on.arm_swing_deg) - 1.0,
                )
            )
    speed, stride, arms = 100.0 * np.mean(changes, axis=0)
    print(f"off against on medication, {len(changes)} people: speed {speed:+.0f} %, stride {stride:+.0f} %, ", end="")
    print(f"arm swing {arms:+.0f} %")


def show_accuracy(rows: list[dict[str, Any]]) -> None:
    """Macro-F1 of a random forest on everything, and on the best single measures."""
    half = len(rows) // 2
    train, test = rows[:half], rows[half:]
    both = random_forest(train, test, num_scores=4, seed=0)
    print(f"random forest on all parameters: macro-F1 {both['macro_f1']:.3f}, quadratic kappa {both['qwk']:.3f}")
    alone = {}
    for name in rows[0]["parameters"]:
        known = [[row for row in part if row["parameters"][name] is not None] for part in (train, test)]
        if min(len(part) for part in known) >= 60:
            alone[name] = random_forest(*known, num_scores=4, seed=0, names=[name], trees=100)["macro_f1"]
    ranked = sorted(alone.items(), key=lambda item: -item[1])
    print("single measures, macro-F1: " + ", ".join(f"{name} {score:.3f}" for name, score in ranked[:6]))


def show_bias(rows: list[dict[str, Any]]) -> None:
    """Measured less planned, in clips from motion capture."""
    for name in ("double_support_percent", "swing_percent", "stride_length_m", "walking_speed_mps"):
        pairs = [
            row["parameters"][name] - row["truth"][name]
            for row in rows
            if row["labels"].capture == "motion capture"
            and row["parameters"][name] is not None
            and row["truth"][name] is not None
        ]
        print(f"measured less planned, motion capture: {name} median {np.median(pairs):+.3f} of {len(pairs)}")


def draw(rows: list[dict[str, Any]], path: Path) -> None:
    """Box plots per score."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(4, 4, figsize=(15, 13))
    for axis, name in zip(axes.ravel(), NORMS, strict=False):
        groups = []
        for score in range(4):
            column = np.array([value(row, name) for row in rows if row["score"] == score])
            groups.append(column[np.isfinite(column)])
        axis.boxplot(groups, showfliers=False)
        axis.set_xticks(range(1, 5), [str(score) for score in range(4)])
        axis.set_title(name, fontsize=9)
    figure.suptitle("Simulated cohort, measured, by score (simulated people)")
    figure.tight_layout()
    matplotlib.rcParams["svg.fonttype"] = "none"
    figure.savefig(path, dpi=80, metadata={"Date": None} if path.suffix == ".svg" else None)
    print(f"picture: {path}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("norms", type=Path, help="table of published norms (gait_norms.csv)")
    parser.add_argument("--people", type=int, default=600)
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--picture", type=Path)
    arguments = parser.parse_args()
    with arguments.norms.open(encoding="utf-8", newline="") as file:
        norms = {row["measure"]: row for row in csv.DictReader(file)}
    people = list(range(arguments.people))
    with ProcessPoolExecutor(arguments.workers) as pool:
        every = list(pool.map(partial(measured, arguments.seed, 0), people, chunksize=10))
    walking = [row for row in every if row["walking"]]
    rows = [row for row in walking if row["score"] is not None]
    print(f"{len(every)} people, one walk each; walking recognised in {len(walking)}, with a score {len(rows)}")
    show_table(rows, norms)
    show_latents(rows)
    show_accuracy(rows)
    show_bias(rows)
    show_medication(arguments.seed, people)
    show_states(walking)
    if arguments.picture:
        draw(rows, arguments.picture)


if __name__ == "__main__":
    main()
