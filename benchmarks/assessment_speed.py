"""How long an assessment takes on this machine: warm, in a batch, and from a cold start.

    python benchmarks/assessment_speed.py examples/simulated_walk.npz

Warm: one walk cut to its first four seconds, and sixteen of them together, medians of several runs in this process.
Cold: ``agir measure`` and ``agir assess`` as new processes, medians; the former must not need torch.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

WALK_S = 4.0
BATCH = 16


def median_s(work: Callable[[], Any], repeats: int) -> float:
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return round(statistics.median(times), 3)


def cold_s(command: str, path: Path, repeats: int) -> float:
    line = [sys.executable, "-m", "agir_hf.cli", command, str(path), "--format", "json"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1"}
    return median_s(lambda: subprocess.run(line, check=True, capture_output=True, env=environment), repeats)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file", type=Path)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()

    from agir_hf import read_motion
    from agir_hf.loading import load_pipeline

    clip = read_motion(options.file)
    walk = clip.replace(joints_m=clip.joints_m[: round(WALK_S * clip.frame_rate_hz)])
    assessor = load_pipeline()
    assessor(walk)
    one = median_s(lambda: assessor(walk), options.repeats)
    many = median_s(lambda: assessor([walk] * BATCH, batch_size=BATCH), options.repeats)
    print(
        json.dumps(
            {
                "cores": os.cpu_count(),
                "load_average": round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None,
                "warm_one_walk_s": one,
                f"warm_batch_of_{BATCH}_s_a_walk": round(many / BATCH, 3),
                "cold_measure_s": cold_s("measure", options.file, options.repeats),
                "cold_assess_s": cold_s("assess", options.file, options.repeats),
            }
        )
    )


if __name__ == "__main__":
    main()
