"""How fast motion is read and turned into features, beside plain one-line, one-frame Python in the same run.

    python benchmarks/throughput.py                    # a simulated walk written as BVH
    python benchmarks/throughput.py walk.bvh --repeat 5

Prints medians and the two ratios, on the clock and (in brackets) in processor time, which other work on the machine
disturbs less. The plain versions below do the same work the obvious way: float() on every word of
every line with a matrix product per joint, and one frame of features at a time.
"""

from __future__ import annotations

import argparse
import itertools
import math
import multiprocessing
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from agir_hf.motion import read_motion
from agir_hf.motion.bvh import Skeleton, forward_kinematics, parse_bvh
from agir_hf.motion.features import joints_to_features
from agir_hf.motion.writing import write_motion
from agir_hf.simulation import cohort_walk
from agir_hf.skeleton import JOINT_INDEX, KINEMATIC_CHAINS

BATCH_FRAMES = 200_000
CLIP_FRAMES = 1_000
BATCH: list[np.ndarray] = []


def plain_bvh(path: Path, skeleton: Skeleton) -> list[list[np.ndarray]]:
    """World positions of all nodes, frame by frame; the hierarchy is given."""
    lines = path.read_text(encoding="utf-8").splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("Frame Time")) + 1
    frames = []
    for line in lines[first:]:
        values = iter([float(word) for word in line.split()])
        positions: list[np.ndarray] = []
        turns: list[np.ndarray] = []
        for node, channels in enumerate(skeleton.channels):
            offset, turn = np.array(skeleton.offsets[node]), np.eye(3)
            for axis, is_rotation in channels:
                value = next(values)
                if is_rotation:
                    one, two = (axis + 1) % 3, (axis + 2) % 3
                    c, s = math.cos(math.radians(value)), math.sin(math.radians(value))
                    step = np.eye(3)
                    step[one, one], step[two, two], step[one, two], step[two, one] = c, c, -s, s
                    turn = turn @ step
                else:
                    offset[axis] = value
            parent = skeleton.parents[node]
            positions.append(offset if parent < 0 else positions[parent] + turns[parent] @ offset)
            turns.append(turn if parent < 0 else turns[parent] @ turn)
        frames.append(positions)
    return frames


def plain_features(joints: np.ndarray) -> np.ndarray:
    """Positions, velocities, heading, contacts and bone rotations, one frame at a time (unsmoothed heading)."""
    rows = []
    for now, following in itertools.pairwise(joints):
        across = now[1] - now[2] + now[16] - now[17]
        angle = math.atan2(-across[2], across[0])
        c, s = math.cos(-angle), math.sin(-angle)
        turn = np.array([[c, 0.0, s], [0.0, 1.0, 0.0], [-s, 0.0, c]])
        positions = [turn @ (joint - now[0] * [1.0, 0.0, 1.0]) for joint in now[1:]]
        velocities = [turn @ (b - a) for a, b in zip(now, following, strict=True)]
        rotations: list[np.ndarray] = []
        for chain in KINEMATIC_CHAINS:
            parent = turn
            for start, end in itertools.pairwise(chain):
                bone = now[end] - now[start]
                bone = bone / np.linalg.norm(bone)
                axis = np.cross([0.0, 1.0, 0.0], bone)
                cross = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
                own = np.eye(3) + cross + cross @ cross / max(1.0 + bone[1], 1e-9)
                rotations.append((parent.T @ own)[:, :2].T.ravel())
                parent = own
        feet = [
            float(((following[j] - now[j]) ** 2).sum() < 0.002)
            for j in (JOINT_INDEX[n] for n in ("left_ankle", "left_foot", "right_ankle", "right_foot"))
        ]
        rows.append(np.concatenate([[angle, 0.0, 0.0, now[0, 1]], *positions, *rotations, *velocities, feet]))
    return np.array(rows)


def seconds(work: Callable[[], object], repeat: int) -> tuple[float, float]:
    """Median of the time on the clock and of this process's own on the processor."""
    clock, own = [], []
    for _ in range(repeat):
        start, own_start = time.perf_counter(), time.process_time()
        work()
        clock.append(time.perf_counter() - start)
        own.append(time.process_time() - own_start)
    return statistics.median(clock), statistics.median(own)


def show(what: str, frames: int, ours: tuple[float, float], plain: tuple[float, float]) -> None:
    """Seconds per frame as frames per second; the second ratio is that of processor time."""
    print(
        f"{what}, {frames} frames: {1 / ours[0]:,.0f} frames/s ({1 / ours[1]:,.0f} per second of processor); plain "
        f"Python {1 / plain[0]:,.0f} ({1 / plain[1]:,.0f}); {plain[0] / ours[0]:.1f}x ({plain[1] / ours[1]:.1f}x)"
    )


def per_frame(times: tuple[float, float], frames: int) -> tuple[float, float]:
    return times[0] / frames, times[1] / frames


def half_of_the_batch(first: int) -> int:
    """Features of every second clip of ``BATCH``, which a forked process shares."""
    return sum(len(joints_to_features(clip)) for clip in BATCH[first::2])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", nargs="?", type=Path)
    parser.add_argument("--repeat", type=int, default=5)
    options = parser.parse_args()
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory() as folder:
        path = options.file
        if path is None:
            path = Path(folder) / "walk.bvh"
            write_motion(cohort_walk(1, 1, 0).clip, path)
        file = parse_bvh(path)
        frames = len(file.values)

        def read() -> None:
            parsed = parse_bvh(path)
            forward_kinematics(parsed.skeleton, parsed.values)

        ours = per_frame(seconds(read, options.repeat), frames)
        plain = per_frame(seconds(lambda: plain_bvh(path, file.skeleton), options.repeat), frames)
        joints = read_motion(path).joints_m
    show("BVH", frames, ours, plain)
    short = joints[: min(len(joints), 500)]
    plain = per_frame(seconds(lambda: plain_features(short), options.repeat), len(short))
    long = np.tile(joints, (BATCH_FRAMES // len(joints) + 1, 1, 1))[:BATCH_FRAMES]
    BATCH[:] = np.split(long, range(CLIP_FRAMES, len(long), CLIP_FRAMES))
    ours = per_frame(seconds(lambda: [joints_to_features(clip) for clip in BATCH], options.repeat), len(long))
    show(f"features of {len(BATCH)} clips on one core", len(long), ours, plain)
    with multiprocessing.get_context("fork").Pool(2) as workers:
        clock, _ = seconds(lambda: workers.map(half_of_the_batch, (0, 1)), options.repeat)
    print(f"features of {len(BATCH)} clips on two cores: {len(long) / clock:,.0f} frames/s")


if __name__ == "__main__":
    main()
