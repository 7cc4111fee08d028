"""How well gait parameters are measured, against the plan of simulated walks: footholds, contact times and angles.

    python benchmarks/measurement_accuracy.py --people 500 --output benchmarks/results/measurement_accuracy.md

Every person walks once for 12 s, half of them with a turn, sampled at each rate with 5 mm of sensor noise. An error is
the measured value minus the plan's, in percent of the plan's for speed, cadence, stride length and stride time, in the
parameter's own unit else. Shown: median and 90th percentile of the absolute error by severity and rate, and the share
of walks in which the plan has a value and the measuring returns none. All people are simulated.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from agir_hf.gait import measure_gait
from agir_hf.simulation import simulate_person, simulate_walk

RATES_HZ = (20.0, 30.0, 60.0, 100.0, 120.0)
SCORES = (0, 1, 2, 3)
NOISE_M = 0.005
DURATION_S = 12.0
SEED = 71000
RELATIVE = {"walking_speed_mps", "cadence_spm", "stride_length_m", "stride_time_s"}
# A frame is several percent of a stride: what hangs on single moments of it leaves lower rates apart.
PHASES = {
    "double_support_percent",
    "swing_percent",
    "foot_strike_angle_left_deg",
    "foot_strike_angle_right_deg",
}
MIN_PHASE_RATE_HZ = 60.0
# Largest median absolute error accepted; percent where relative.
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
UNITS = {"mps": "m/s", "spm": "steps/min", "m": "m", "s": "s", "deg": "degrees", "percent": "points"}

Cell = tuple[str, float, int]  # parameter, rate, score


@dataclass
class Errors:
    """What one person's or all people's walks gave.

    Attributes:
        by_cell: errors by parameter, rate and score; None where nothing was measured.
        not_walking: walks that were not recognised as walking, of ``walks``.
        false_freezing: walks, none of which has freezing, in which some was read.
    """

    by_cell: dict[Cell, list[float | None]] = field(default_factory=lambda: defaultdict(list))
    walks: int = 0
    not_walking: int = 0
    false_freezing: int = 0

    def add(self, other: Errors) -> None:
        for cell, errors in other.by_cell.items():
            self.by_cell[cell] += errors
        self.walks += other.walks
        self.not_walking += other.not_walking
        self.false_freezing += other.false_freezing

    def of(self, name: str, rates: tuple[float, ...], scores: tuple[int, ...]) -> list[float | None]:
        return [error for rate in rates for score in scores for error in self.by_cell.get((name, rate, score), ())]


def person_errors(index: int) -> dict[str, object]:
    """The errors of one person's walk at every rate, as a plain dict that travels between processes."""
    person = simulate_person(SEED + index, score=index % 4)
    turn = ("none", "none", "about", "left")[(index // 4) % 4]
    found = Errors()
    for rate in RATES_HZ:
        walk = simulate_walk(
            person, seed=SEED + index, frame_rate_hz=rate, duration_s=DURATION_S, turn=turn, noise_m=NOISE_M
        )
        measured = measure_gait(walk.clip)
        found.walks += 1
        found.not_walking += not measured.quality.walking
        found.false_freezing += bool(measured.values["freezing_episodes"])
        for name, true in walk.truth.values.items():
            if true is None or name == "freezing_episodes":
                continue
            value = measured.values[name]
            error = None if value is None else float(value) - float(true)
            if error is not None and name in RELATIVE:
                error = 100.0 * error / float(true)
            found.by_cell[name, rate, person.score].append(error)
    return found.__dict__ | {"by_cell": dict(found.by_cell)}


@dataclass(frozen=True)
class Summary:
    """Count, share of nulls in percent, signed median, and median and 90th percentile of the absolute error."""

    walks: int
    null_percent: float
    bias: float
    median: float
    p90: float


def summary(errors: list[float | None]) -> Summary | None:
    if not errors:
        return None
    values = np.array([error for error in errors if error is not None])
    null = 100.0 * (1.0 - len(values) / len(errors))
    if not len(values):
        return Summary(len(errors), null, np.nan, np.nan, np.nan)
    size = np.abs(values)
    return Summary(
        len(errors), null, float(np.median(values)), float(np.median(size)), float(np.percentile(size, 90.0))
    )


def rates_of(name: str) -> tuple[float, ...]:
    """The rates a parameter is judged by."""
    return tuple(rate for rate in RATES_HZ if name not in PHASES or rate >= MIN_PHASE_RATE_HZ)


def unit_of(name: str) -> str:
    return "%" if name in RELATIVE else UNITS[name.rsplit("_", 1)[1]]


def number(name: str, value: float) -> str:
    return "none" if np.isnan(value) else f"{value:.{3 if unit_of(name) == 'm' else 2}f}"


def report(errors: Errors, people: int) -> str:
    """The results as Markdown."""
    names = list(dict.fromkeys(name for name, _, _ in errors.by_cell))
    overall = {name: summary(errors.of(name, rates_of(name), SCORES)) for name in names}
    ratios: dict[tuple[str, int], float] = {}
    for name, target in TARGETS.items():
        for score in SCORES:
            cell = summary(errors.of(name, rates_of(name), (score,)))
            if cell is not None:
                ratios[name, score] = cell.median / target
    worst = max(TARGETS, key=lambda name: overall[name].median / TARGETS[name])  # type: ignore[union-attr]
    hardest = max(SCORES, key=lambda score: np.mean([ratios[name, score] for name in TARGETS]))
    at, where = max(ratios, key=ratios.__getitem__)
    missed = [name for name, target in TARGETS.items() if not overall[name].median <= target]  # type: ignore[union-attr]
    lines = [
        "# Measured gait parameters against the plans of simulated walks",
        "",
        f"{people} **simulated** people, a quarter of them of each severity (score 0 to 3), one walk of "
        f"{DURATION_S:g} s each, half of them with a turn, sampled at {', '.join(f'{rate:g}' for rate in RATES_HZ)} "
        f"frames a second with {1000 * NOISE_M:g} mm of sensor noise. Truth is the generator's plan: planted "
        "positions, contact times and commanded angles. Nothing here is a figure on patients.",
        "",
        "Written by `python benchmarks/measurement_accuracy.py`. Errors are in percent of the plan's value for speed, "
        "cadence, stride length and stride time, in the unit given else. Double support, swing and foot-strike angle "
        f"are judged at {MIN_PHASE_RATE_HZ:g} frames a second and more; lower rates stand in their tables. The "
        "foot-strike angle has no value below 50 frames a second, by rule.",
        "",
        "| parameter | unit | target | median error | 90th percentile | signed median | no value, % |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in names:
        row, target = overall[name], TARGETS.get(name)
        assert row is not None
        shown = [number(name, value) for value in (row.median, row.p90, row.bias)]
        lines.append(
            f"| {name} | {unit_of(name)} | {'' if target is None else f'{target:g}'} | {' | '.join(shown)} "
            f"| {row.null_percent:.1f} |"
        )
    lines += [
        "",
        f"- Targets missed: {', '.join(missed) if missed else 'none'}.",
        f"- Worst parameter: {worst}, at {100 * overall[worst].median / TARGETS[worst]:.0f} % of its target.",  # type: ignore[union-attr]
        f"- Worst severity: score {hardest}, by the mean of error over target; the single worst is {at} at score "
        f"{where}, at {100 * ratios[at, where]:.0f} % of its target.",
        f"- Not recognised as walking: {errors.not_walking} of {errors.walks} walks.",
        f"- Freezing read where there was none: {errors.false_freezing} of {errors.walks} walks.",
        "",
        "## By severity and rate",
        "",
        "Median / 90th percentile of the absolute error; the share of walks without a value in brackets where there is "
        "one.",
    ]
    for name in names:
        rates = " | ".join(f"{rate:g} Hz" for rate in RATES_HZ)
        lines += ["", f"### {name} ({unit_of(name)})", "", f"| score | {rates} |", "|---" * (1 + len(RATES_HZ)) + "|"]
        for label, scores in (*((str(score), (score,)) for score in SCORES), ("all", SCORES)):
            cells = [_cell(name, summary(errors.of(name, (rate,), scores))) for rate in RATES_HZ]
            lines.append(f"| {label} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(name: str, found: Summary | None) -> str:
    if found is None:
        return "not in the plan"
    if found.null_percent == 100.0:
        return "no value"
    none = f" ({found.null_percent:.0f} %)" if found.null_percent else ""
    return f"{number(name, found.median)} / {number(name, found.p90)}{none}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=500)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    errors = Errors()
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        for found in pool.map(person_errors, range(options.people), chunksize=10):
            errors.add(Errors(**found))  # type: ignore[arg-type]
    text = report(errors, options.people)
    print(text[: text.index("## By severity")])
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
