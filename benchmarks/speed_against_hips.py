"""Walking speed against the displacement of the hips over time, on recordings of straight walks, and why they differ.

    python benchmarks/speed_against_hips.py ../shared/data/clinical_bvh

Walking speed is that of the steady strides; the hips' displacement from the first frame to the last over the clip's
duration takes in what lies before the first strike and after the last, slow starts and stops as well. These columns
tell where a difference comes from, in percent:

    path       length of the hips' path over their displacement: above 0 where they do not go straight
    turn       change of facing from the first frame to the last, degrees
    outside    the hips' speed in the seconds that the used strides cover over that in the whole clip
    remainder  walking speed over the hips' speed in those seconds: what is left to the measuring itself

Recordings that differ by more than 5 % are followed by the speed in each fifth of the clip. This is external
validation: nothing in the package is chosen by it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from agir_hf.gait import measure_gait
from agir_hf.gait.per_stride import gait_evidence
from agir_hf.gait.segments import path_length_m
from agir_hf.motion import read_motion

TOLERANCE_PERCENT = 5.0
PARTS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    paths = sorted(parser.parse_args().folder.glob("*.bvh"))
    print(f"{'recording':20s} speed  hips  differ   path  turn  strides  outside  remainder")
    differences, remainders, told = [], [], []
    for path in paths:
        clip = read_motion(path)
        speed = measure_gait(clip).values["walking_speed_mps"]
        evidence = gait_evidence(clip)
        if speed is None or evidence is None:
            print(f"{path.stem:20s} not recognised as walking")
            continue
        signals = evidence.signals
        hips = clip.joints_m[:, 0, [0, 2]].astype(np.float64)
        over_time = float(np.linalg.norm(hips[-1] - hips[0])) / clip.duration_s
        used = evidence.used_strides
        start_s, end_s = min(stride.start_s for stride in used), max(stride.end_s for stride in used)
        moved = signals.at(signals.pelvis_m, end_s) - signals.at(signals.pelvis_m, start_s)
        in_strides = float(np.hypot(moved[0], moved[2])) / (end_s - start_s)
        turn = float(np.degrees(signals.facing_rad[-1] - signals.facing_rad[0]))
        difference = 100.0 * (speed / over_time - 1.0)
        outside = 100.0 * (in_strides / over_time - 1.0)
        remainder = 100.0 * (speed / in_strides - 1.0)
        way = 100.0 * (path_length_m(signals) / clip.duration_s / over_time - 1.0)
        differences.append(difference)
        remainders.append(remainder)
        print(
            f"{path.stem:20s} {speed:5.2f} {over_time:5.2f} {difference:+6.1f} {way:+6.1f} {turn:+5.0f} "
            f"{sum(stride.steady for stride in evidence.strides):3d} of {len(evidence.strides):<2d} "
            f"{outside:+6.1f} {remainder:+9.1f}"
        )
        if abs(difference) > TOLERANCE_PERCENT:
            ends = np.linspace(0, len(hips) - 1, PARTS + 1).round().astype(int)
            parts = np.linalg.norm(np.diff(hips[ends], axis=0), axis=1) / (np.diff(ends) / clip.frame_rate_hz)
            told.append(
                f"{path.stem}: {difference:+.1f} %. Speed by fifths of the clip "
                f"{', '.join(f'{part:.2f}' for part in parts)} m/s; the used strides cover {start_s:.2f} to "
                f"{end_s:.2f} of {clip.duration_s:.2f} s, over which the hips go at {in_strides:.2f} m/s."
            )
    within = int(np.sum(np.abs(differences) <= TOLERANCE_PERCENT))
    same = int(np.sum(np.abs(remainders) <= TOLERANCE_PERCENT))
    print(
        f"\n{within} of {len(differences)} within {TOLERANCE_PERCENT:g} % of the hips over the whole clip (median "
        f"{np.median(np.abs(differences)):.1f} %); {same} of {len(remainders)} over the seconds of the used strides "
        f"(median {np.median(np.abs(remainders)):.1f} %, largest {np.max(np.abs(remainders)):.1f} %)."
    )
    print("\n".join(told))


if __name__ == "__main__":
    main()
