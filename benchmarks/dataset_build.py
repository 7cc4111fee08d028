"""Time, memory and bytes of a build of simulated people: uninterrupted, and killed at random moments.

    python benchmarks/dataset_build.py --people 4000 --walks 5 --workers 2 --kills 3

builds 20,000 clips twice: once undisturbed, with wall-clock time and the peak memory of all its processes together, and
once with ``kill -9`` to all of them at random moments, started again each time. Both outputs are compared byte by byte.
Then ``load_dataset`` streams, filters and maps the result, and 1,000 motions are read as numpy. ``--one-worker`` builds
a third time with one worker. Every line is one JSON object.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import psutil

ROOT = Path(__file__).resolve().parent.parent


def command(arguments: argparse.Namespace, output: Path, workers: int) -> list[str]:
    """The command of a build."""
    return [
        *(sys.executable, "-m", "dataset_builder", "build", "--source", "simulated"),
        *("--people", str(arguments.people), "--walks", str(arguments.walks), "--seed", str(arguments.seed)),
        *("--clips-per-shard", str(arguments.clips_per_shard), "--workers", str(workers), "--output", str(output)),
    ]


def start(line: list[str]) -> subprocess.Popen[str]:
    """A build in a session of its own, so that all its processes can be killed together."""
    return subprocess.Popen(line, cwd=ROOT, stdout=subprocess.PIPE, text=True, start_new_session=True)


class PeakMemory(threading.Thread):
    """Watches the resident memory of a process and its children, shared pages counted once where the system tells."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.process = psutil.Process(pid)
        self.peak_bytes = 0
        self.done = threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.5):
            total = 0
            try:
                family = [self.process, *self.process.children(recursive=True)]
            except psutil.NoSuchProcess:
                return
            for process in family:
                try:
                    memory = process.memory_full_info()
                    total += getattr(memory, "pss", memory.rss)
                except (psutil.NoSuchProcess, psutil.AccessDenied):
                    continue
            self.peak_bytes = max(self.peak_bytes, total)


def tree_sha256(folder: Path) -> tuple[str, int]:
    """Hash over names and contents of all files below a folder, and their bytes together."""
    digest, size = hashlib.sha256(), 0
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
        size += path.stat().st_size
    return digest.hexdigest(), size


def undisturbed(arguments: argparse.Namespace, output: Path, workers: int) -> str:
    """Build once; returns the hash of the output."""
    began = time.perf_counter()
    process = start(command(arguments, output, workers))
    watch = PeakMemory(process.pid)
    watch.start()
    said, _ = process.communicate()
    watch.done.set()
    seconds = time.perf_counter() - began
    if process.returncode:
        raise SystemExit(f"the build failed with {process.returncode}")
    digest, size = tree_sha256(output)
    show(
        what="undisturbed",
        workers=workers,
        clips=arguments.people * arguments.walks,
        seconds=round(seconds, 1),
        clips_per_s=round(arguments.people * arguments.walks / seconds, 1),
        peak_memory_mib=round(watch.peak_bytes / 2**20),
        output_mib=round(size / 2**20),
        sha256=digest,
        said=said.strip(),
    )
    return digest


def shards_there(output: Path) -> int:
    """How many shards of an unfinished build are done."""
    return len(list(output.glob(".build-*/shards/*.parquet")))


def killed(arguments: argparse.Namespace, output: Path, expected: str, longest_s: float) -> None:
    """Build with ``kill -9`` to all processes at random moments, then compare."""
    rng = random.Random(arguments.seed)
    kills: list[dict[str, float]] = []
    while len(kills) < arguments.kills:
        process = start(command(arguments, output, arguments.workers))
        # Starting takes a while: the moment counts from the first shard of this run, so that every kill hits the work.
        before, began = shards_there(output), time.perf_counter()
        while shards_there(output) <= before and process.poll() is None:
            time.sleep(0.05)
        wait = rng.uniform(0.0, longest_s / (2 * arguments.kills))
        try:
            process.wait(wait)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            kills.append({"after_s": round(time.perf_counter() - began, 1), "shards": shards_there(output)})
            continue
        break  # finished before its time: nothing is left to kill
    process = start(command(arguments, output, arguments.workers))
    process.communicate()
    digest, _ = tree_sha256(output)
    show(what="killed", kills=kills, returncode=process.returncode, sha256=digest, byte_identical=digest == expected)


def read_back(output: Path) -> None:
    """Load, stream, filter, map, and time 1,000 motions as numpy."""
    from datasets import load_dataset

    with tempfile.TemporaryDirectory() as cache:
        data = load_dataset(str(output), "simulated", split="train", cache_dir=cache)
        count = min(1000, len(data))
        motions = data.select_columns(["joints_m"]).with_format("numpy")
        began = time.perf_counter()
        frames = sum(len(motions[place]["joints_m"]) for place in range(count))
        one_by_one = time.perf_counter() - began
        began = time.perf_counter()
        batch = motions[:count]["joints_m"]
        together = time.perf_counter() - began
        streamed = load_dataset(str(output), "simulated", split="train", streaming=True)
        first = next(iter(streamed))["clip_id"]
        show(
            what="read back",
            motions=count,
            frames=frames,
            seconds_one_by_one=round(one_by_one, 3),
            seconds_together=round(together, 3),
            streamed_first=first,
            streamed_features_equal=streamed.features == data.features,
            filtered=len(data.select(range(count)).filter(lambda row: row["score"] in (2, 3))),
            mapped=len(data.select(range(20)).map(lambda row: {"frames": len(row["joints_m"])})),
            shapes={len(motion.shape) for motion in batch} == {3},
        )


def show(**figures: object) -> None:
    print(json.dumps(figures), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=4000)
    parser.add_argument("--walks", type=int, default=5)
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--clips-per-shard", type=int, default=200)
    parser.add_argument("--kills", type=int, default=3, help="0 leaves the second build out")
    parser.add_argument("--one-worker", action="store_true", help="build again with one worker and compare")
    parser.add_argument("--folder", type=Path, help="keep the outputs here; a temporary folder otherwise")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = arguments.folder or Path(temporary)
        began = time.perf_counter()
        digest = undisturbed(arguments, folder / "undisturbed", arguments.workers)
        longest_s = time.perf_counter() - began
        read_back(folder / "undisturbed")
        if arguments.kills:
            killed(arguments, folder / "killed", digest, longest_s)
        if arguments.one_worker:
            again = undisturbed(arguments, folder / "one_worker", 1)
            show(what="one worker", byte_identical=again == digest)


if __name__ == "__main__":
    main()
