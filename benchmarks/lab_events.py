"""Gait events found in the joints, against those a laboratory annotated in its C3D files and against its force plates.

    python benchmarks/lab_events.py ../shared/data/lab_walk_c3d ../shared/data/bmc_walk

An annotated event is found where an event of its kind and side lies within 50 ms. An event is extra where it lies more
than 50 ms from every annotated one; this is asked only between the first and the last annotated event of a side and
kind that has at least three in that file. Events outside the clip and files without annotation are listed, not scored.

Frame convention: EVENT:TIMES count from frame 1 of the trial, a clip from the file's first frame, which has the number
F of TRIAL:ACTUAL_START_FIELD, so that an event at t seconds lies t - (F - 1) / rate seconds into the clip. The plates
tell this without the joints: the moments their force passes 20 N lie within a frame of the annotated events so read.

The plates are a second truth: a strike and a foot off for each stance on a plate of its own, in one adult and the same
walkers, one of whose turns has no annotation at all. Thresholds were chosen with the annotated events of these walkers
in view, never with the plates (see ``agir_hf/gait/events.py``).
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import ezc3d
import numpy as np

from agir_hf.clip import EventKind, MotionClip, Side
from agir_hf.gait import measure_gait
from agir_hf.motion import read_motion

TOLERANCE_S = 0.05
FEWEST_FOR_EXTRA = 3
PLATE_N = 20.0
MIN_STANCE_S = 0.3
KINDS: tuple[EventKind, ...] = ("foot_strike", "foot_off")
SIDES: tuple[Side, ...] = ("left", "right")


@dataclass
class Tally:
    """Signed errors of what was found, seconds, and how many there were to find, by walk and kind of event."""

    errors_s: dict[tuple[str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    truths: dict[tuple[str, str], int] = field(default_factory=lambda: defaultdict(int))

    def add(self, walk: str, kind: str, found: np.ndarray, time_s: float) -> float:
        """Count one true event; returns the distance of the nearest found one."""
        self.truths[walk, kind] += 1
        error = float(found[np.abs(found - time_s).argmin()] - time_s) if len(found) else np.inf
        if abs(error) <= TOLERANCE_S:
            self.errors_s[walk, kind].append(error)
        return abs(error)

    def show(self) -> None:
        for walk in dict.fromkeys(walk for walk, _ in self.truths):
            for kind in KINDS:
                print(f"{walk:9s} {kind:11s} {self._line([(walk, kind)])}")
        print(f"all                   {self._line(list(self.truths))}")

    def _line(self, keys: list[tuple[str, str]]) -> str:
        count = sum(self.truths[key] for key in keys)
        errors = 1000.0 * np.array([error for key in keys for error in self.errors_s[key]])
        if not len(errors):
            return f"0 of {count} found"
        return (
            f"{len(errors)} of {count} found ({100 * len(errors) / count:.1f} %), median absolute error "
            f"{np.median(np.abs(errors)):.1f} ms, signed {np.median(errors):+.1f} ms"
        )


def annotated_outside(file: ezc3d.c3d, clip: MotionClip) -> list[str]:
    """Annotated foot strikes and foot offs before the first or after the last frame of the clip."""
    parameters = file["parameters"]
    times = parameters.get("EVENT", {}).get("TIMES", {}).get("value", np.zeros((2, 0)))
    first = file["header"]["points"]["first_frame"] / file["header"]["points"]["frame_rate"]
    found = []
    for index in range(times.shape[1]):
        label = parameters["EVENT"]["LABELS"]["value"][index]
        time_s = 60.0 * float(times[0][index]) + float(times[1][index]) - first
        if label.startswith("Foot") and not -1e-6 <= time_s <= clip.duration_s + 1e-6:
            found.append(f"{parameters['EVENT']['CONTEXTS']['value'][index].lower()} {label.lower()} at {time_s:.2f} s")
    return found


def plate_contacts(file: ezc3d.c3d, start_s: float) -> list[tuple[float, float]]:
    """Seconds of the clip at which a stance on a force plate starts and ends: its force is above 20 N in between."""
    rate = file["header"]["analogs"]["frame_rate"]
    found = []
    for plate in file["data"]["platform"]:
        force = np.linalg.norm(plate["force"], axis=0)
        loaded = force - np.median(np.sort(force)[: len(force) // 3]) > PLATE_N
        edges = np.flatnonzero(np.diff(np.concatenate([[False], loaded, [False]]).astype(np.int8)))
        for start, end in zip(edges[::2], edges[1::2], strict=True):
            if end - start > MIN_STANCE_S * rate and start > 0 and end < len(loaded):
                found.append((float(start / rate - start_s), float(end / rate - start_s)))
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="+")
    paths = [path for folder in parser.parse_args().folder for path in sorted(folder.glob("*.c3d"))]
    annotated, plates = Tally(), Tally()
    asked = extra = 0
    for path in paths:
        clip = read_motion(path)
        file = ezc3d.c3d(str(path), extract_forceplat_data=True)
        walk = "turn" if "turn" in path.name else "straight"
        times = defaultdict(list)
        for event in measure_gait(clip).events:
            times[event.kind, event.side].append(event.time_s)
        for outside in annotated_outside(file, clip):
            print(f"{path.name}: {outside} lies outside the clip, not scored")
        if not clip.lab_events:
            print(f"{path.name}: no annotated events in the clip, not scored")
        for kind in KINDS:
            for side in SIDES:
                lab = [e.time_s for e in clip.lab_events if (e.kind, e.side) == (kind, side)]
                own = np.array(times[kind, side])
                for time_s in lab:
                    nearest = annotated.add(walk, kind, own, time_s)
                    if nearest > TOLERANCE_S:
                        off = f"{1000 * nearest:.0f}"
                        print(f"{path.name}: {side} {kind} at {time_s:.2f} s missed, nearest {off} ms off")
                if len(lab) >= FEWEST_FOR_EXTRA:
                    inside = own[(own >= min(lab)) & (own <= max(lab))]
                    asked += len(inside)
                    extra += sum(float(np.abs(np.array(lab) - time_s).min()) > TOLERANCE_S for time_s in inside)
        # A reader that kept a part of the file says from when on.
        kept = re.search(r"from ([\d.]+) s on", " ".join(clip.warnings))
        whose = walk if clip.lab_events else "no events"
        for start_s, end_s in plate_contacts(file, float(kept[1]) if kept else 0.0):
            for kind, time_s in zip(KINDS, (start_s, end_s), strict=True):
                both = np.array(times[kind, "left"] + times[kind, "right"])
                plates.add(whose, kind, both, time_s)
    print("\nAgainst the annotated events:")
    annotated.show()
    print(f"{extra} extra among {asked} events asked about ({100 * extra / max(asked, 1):.1f} %)")
    print("\nAgainst the force plates (no events: files without annotation):")
    plates.show()


if __name__ == "__main__":
    main()
