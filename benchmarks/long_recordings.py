"""Time and memory of reading and measuring long recordings, each length in a process of its own.

    python benchmarks/long_recordings.py --minutes 1 10 60
    python benchmarks/long_recordings.py --minutes 1 10 60 --other-skeleton

A simulated person walks to and fro at 120 frames a second; the file is BVH text as ``agir convert`` writes it, or, with
other names of joints, a skeleton whose body has to be found and placed as that of any other exporter.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from agir_hf.clip import MotionClip
from agir_hf.gait import measure_gait
from agir_hf.motion import read_motion
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import simulate_person, simulate_walk

RATE_HZ = 120.0


def long_walk(minutes: float) -> MotionClip:
    """Legs of a straight walk, every second one turned about: the figure stays within a few metres."""
    leg = simulate_walk(simulate_person(3, score=1), seed=5, frame_rate_hz=RATE_HZ, duration_s=30.0, turn="about")
    frames = round(minutes * 60 * RATE_HZ)
    legs = [leg.clip.joints_m]
    for _ in range(frames // leg.clip.num_frames + 1):
        # Each leg goes on where, and as, the one before it ended.
        last = legs[-1][-1]
        joints = legs[0].copy()
        across, first = last[1] - last[2], joints[0, 1] - joints[0, 2]
        angle = np.arctan2(-across[2], across[0]) - np.arctan2(-first[2], first[0])
        cosine, sine = np.cos(angle), np.sin(angle)
        joints = joints - joints[0, :1] * [1.0, 0.0, 1.0]
        x, z = joints[..., 0].copy(), joints[..., 2].copy()
        joints[..., 0], joints[..., 2] = cosine * x + sine * z, cosine * z - sine * x
        legs.append((joints + last[:1] * [1.0, 0.0, 1.0]).astype(np.float32))
    return MotionClip(np.concatenate(legs)[:frames], RATE_HZ)


def rename_joints(path: Path) -> None:
    renamed = path.with_suffix(".renamed")
    with open(path, encoding="ascii") as source, open(renamed, "w", encoding="ascii") as target:
        for line in source:
            target.write(line.replace("JOINT ", "JOINT Actor:"))
    renamed.replace(path)


def one(path: Path) -> None:
    start = time.perf_counter()
    clip = read_motion(path)
    read_s = time.perf_counter() - start
    parameters = measure_gait(clip)
    total_s = time.perf_counter() - start
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{clip.num_frames / RATE_HZ / 60:5.1f} min  {path.stat().st_size / 2**20:7.1f} MiB  read {read_s:6.1f} s  "
        f"measure {total_s - read_s:6.1f} s  peak {peak_mib:6.0f} MiB  strides {parameters.quality.strides}",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, nargs="+", default=[1.0, 10.0, 60.0])
    parser.add_argument("--other-skeleton", action="store_true", help="joints named as another program would")
    parser.add_argument("--file", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.file:
        one(options.file)
        return
    with tempfile.TemporaryDirectory() as folder:
        for minutes in options.minutes:
            path = Path(folder) / "walk.bvh"
            write_motion(long_walk(minutes), path, overwrite=True)
            if options.other_skeleton:
                rename_joints(path)
            subprocess.run([sys.executable, __file__, "--file", str(path)], check=True)


if __name__ == "__main__":
    main()
